"""Which clips of the library somebody wants to see, as SQL that an index of the clips table answers."""

import unicodedata
from dataclasses import dataclass
from typing import Any

MOST_WORDS = 8
RATED_APART = 1e10
"""Seconds that one star is worth when the best come first: more than any clock shows."""

BEST_FIRST = "rating * 1e10 + created"
"""What the best are listed by, as the index clips_best spells it."""

Cursor = tuple[float, str]
"""Where a page ended: what its last clip is listed by, and its id."""


@dataclass(frozen=True)
class ClipFilter:
    """Ask for clips that hold every word in title or prompts, of one engine, starred, of one owner; None is all.

    `rated` is the fewest stars of its rating; `best_first` orders what is not in the trash by them.
    """

    words: str = ""
    engine: str | None = None
    starred: bool = False
    owner: str | None = None
    in_trash: bool = False
    rated: int = 0
    best_first: bool = False

    @property
    def when(self) -> str:
        """What clips are listed by, the highest first."""
        if self.in_trash:
            return "trashed"
        return BEST_FIRST if self.best_first else "created"

    def where(self) -> tuple[str, list[Any]]:
        """The condition and the values for its blanks."""
        parts = ["trashed IS NOT NULL" if self.in_trash else "trashed IS NULL"]
        values: list[Any] = []
        if self.starred:
            parts.append("starred = 1")
        if self.rated:
            parts.append("rating >= ?")
            values.append(self.rated)
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
            # said twice: SQLite does not look for a pair in an index on an expression
            where += f" AND {self.when} <= ? AND ({self.when}, id) < (?, ?)"
            values += [after[0], *after]
        return f"{where} ORDER BY {self.when} DESC, id DESC LIMIT ?", [*values, limit]


def searchable(*texts: str) -> str:
    """Texts as they are compared: whatever their case and however their accents were typed."""
    return unicodedata.normalize("NFKC", "\n".join(texts)).casefold()
