"""Paths as they may be shown around: a person's home is ~, so that a copied report names nobody."""

import re
from pathlib import Path


def shown(path: Path) -> str:
    """A folder as a person knows it."""
    return without_home(str(path))


def without_home(text: str, home: Path | None = None) -> str:
    """The same text with the home folder as ~, wherever it stands in it."""
    return re.sub(rf"{re.escape(str(home or Path.home()))}(?![\w.-])", "~", text)
