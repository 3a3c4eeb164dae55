"""Every sentence that a person reads, one JSON file a language; knows no gradio, so any face may use it.

A key is a message code; `{name}` in a text is filled with the message's value of that name. What guests are told
names no place on this computer: that is the owner's business, and nothing they could do something about.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files

from svd_studio.core.errors import Message, Value

LANGUAGES = ("en", "zh-CN")

PLACES = ("path", "folder", "file", "aside")
"""What blanks are called that name a place on this computer."""

A_PLACE = re.compile(r"[/~\\]|[A-Za-z]:[/\\]")
"""How the spelling of a place begins, whatever its blank is called."""

FOR_GUESTS = {
    "queue.waits_for_room": "guest.disk_waits",
    "files.disk_full": "guest.disk_full",
    "files.too_little_room": "guest.disk_full",
    "disk.full": "guest.disk_full",
    "weights.missing": "guest.no_model",
    "page.engine.on_models": "guest.no_model",
    "enlarge.no_weights": "guest.no_enlarging",
    "note.rife_missing": "guest.no_rife",
    "note.words_unheard": "page.prompt.note.unheard",
    "page.prompt.note.deaf": "page.prompt.note.unheard",
    "slow.others": "guest.slow",
    "slow.processor": "guest.slow",
    "slow.processor_load": "guest.slow",
    "slow.unknown": "guest.slow",
}
"""What guests hear instead, who reach neither the Models page nor the computer itself; of everything else that names
a place they hear that the owner should look."""

_IS_GUEST: ContextVar[bool] = ContextVar("is_guest", default=False)


@cache
def words(language: str) -> dict[str, str]:
    """All texts of a language by code."""
    return json.loads((files(__package__) / f"{language}.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def say(message: Message | str, language: str = "en") -> str:
    """Put a message into words."""
    code, values = (message, {}) if isinstance(message, str) else (message.code, message.values)
    if _IS_GUEST.get() and (code in FOR_GUESTS or _names_a_place(values)):
        code = FOR_GUESTS.get(code, "guest.ask_owner")
    return _text(words(language), code, values.get("n")).format(**values)


def _text(texts: Mapping[str, str], code: str, n: Value | None) -> str:
    """Where one thing is spoken of and the language says that differently, its text has `.one` behind the code."""
    return texts.get(f"{code}.one", texts[code]) if n == 1 else texts[code]


@contextmanager
def heard_by(is_guest: bool) -> Iterator[None]:
    """Say what is said meanwhile to a guest, or to the owner."""
    before = _IS_GUEST.set(is_guest)
    try:
        yield
    finally:
        _IS_GUEST.reset(before)


def _names_a_place(values: Mapping[str, Value]) -> bool:
    return any(name in PLACES or A_PLACE.match(str(value)) for name, value in values.items())


def spoken_bytes(count: float) -> str:
    """A size as file managers show it: 840 kB, 3.2 MB, 20 MB, 1.5 GB."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    if count >= 1e6:
        return f"{count / 1e6:.{1 if count < 1e7 else 0}f} MB"
    return f"{math.ceil(count / 1000)} kB"
