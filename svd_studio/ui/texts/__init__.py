"""Every sentence that a person reads, one JSON file a language; knows no gradio, so any face may use it.

A key is a message code; `{name}` in a text is filled with the message's value of that name.
"""

import json
from functools import cache
from importlib.resources import files

from svd_studio.core.errors import Message

LANGUAGES = ("en", "zh-CN")


@cache
def words(language: str) -> dict[str, str]:
    """All texts of a language by code."""
    return json.loads((files(__package__) / f"{language}.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def say(message: Message | str, language: str = "en") -> str:
    """Put a message into words."""
    code, values = (message, {}) if isinstance(message, str) else (message.code, message.values)
    return words(language)[code].format(**values)


def in_gb(size: float) -> str:
    """A number of gigabytes as a text shows it; what is small keeps a digit that says something."""
    return f"{size:.1f}" if size >= 0.1 or not size else f"{max(size, 0.01):.2f}"
