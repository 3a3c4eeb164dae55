"""Which clips of the library somebody wants to see, as SQL that an index of the clips table answers."""

import unicodedata
from dataclasses import dataclass
from typing import Any

MOST_WORDS = 8

Cursor = tuple[float, str]
"""Where a page ended: when its last clip was made (or thrown away, in the trash), and its id."""


@dataclass(frozen=True)
class ClipFilter:
    """Ask for clips that hold every word in title or prompts, of one engine, starred, of one owner; None is all."""

    words: str = ""
    engine: str | None = None
    starred: bool = False
    owner: str | None = None
    in_trash: bool = False

    @property
    def when(self) -> str:
        """The column that clips are listed by, latest first."""
        return "trashed" if self.in_trash else "created"

    def where(self) -> tuple[str, list[Any]]:
        """The condition and the values for its blanks."""
        parts = ["trashed IS NOT NULL" if self.in_trash else "trashed IS NULL"]
        values: list[Any] = []
        if self.starred:
            parts.append("starred = 1")
        for column, wanted in (("owner", self.owner), ("engine", self.engine)):
            if wanted is not None:
                parts.append(f"{column} = ?")
                values.append(wanted)
        for word in searchable(self.words).split()[:MOST_WORDS]:
            parts.append("instr(words, ?)")
            values.append(word)
        return " AND ".join(parts), values

    def page(self, after: Cursor | None, limit: int) -> tuple[str, list[Any]]:
        """Condition, order and limit of the clips that come after a cursor."""
        where, values = self.where()
        if after is not None:
            where += f" AND ({self.when}, id) < (?, ?)"
            values += after
        return f"{where} ORDER BY {self.when} DESC, id DESC LIMIT ?", [*values, limit]


def searchable(*texts: str) -> str:
    """Texts as they are compared: whatever their case and however their accents were typed."""
    return unicodedata.normalize("NFKC", "\n".join(texts)).casefold()
