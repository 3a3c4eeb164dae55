"""Print this Python's own path when it can carry SVD Studio; else what is wrong with it, and exit with 3.

The launchers ask every Python that they find, so this must also run on old ones (3.6).
"""

import sys

VERSION = "{}.{}".format(*sys.version_info)


def fault() -> str:
    """Return one sentence about what is missing, or an empty string."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 14):
        return f"Python {VERSION} was found, but 3.11, 3.12, 3.13 or 3.14 is needed."
    if sys.maxsize < 2**32:
        return f"Python {VERSION} was found, but it is a 32-bit one, and PyTorch needs 64 bits."
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return f"Python {VERSION} was found without its venv part: sudo apt install python{VERSION}-venv adds it."
    return ""


if __name__ == "__main__":
    print(fault() or sys.executable)
    sys.exit(3 if fault() else 0)
