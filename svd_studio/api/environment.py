"""What the window's process is given: an environment that opens no door to Gradio, and memory that goes back."""

import ctypes
import sys
from collections.abc import Mapping
from contextlib import suppress

from svd_studio.core.config import StudioConfig

OURS = ("127.0.0.1", "localhost", "::1")


def clean_environment(environ: Mapping[str, str], config: StudioConfig) -> dict[str, str]:
    """The same environment with Gradio's variables replaced by ours; put it in place before gradio is imported.

    Gradio honours every GRADIO_* variable: GRADIO_ALLOWED_PATHS=/ alone would open the whole disk.
    The upload folder is only named here; `fresh_uploads` makes it.
    """
    kept = {name: value for name, value in environ.items() if not name.upper().startswith("GRADIO_")}
    around = _around_the_proxy(environ)
    return kept | {
        "GRADIO_TEMP_DIR": str(config.uploads),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "NO_PROXY": around,
        "no_proxy": around,
    }


def give_back_large_blocks() -> None:
    """Have what a picture took go back to the system with it; call it before threads are started.

    glibc learns from large blocks to keep such ones, for each thread apart: forty that opened one hold gigabytes.
    """
    if sys.platform == "linux":
        threshold, at_most = -3, 4 * 1024**2  # M_MMAP_THRESHOLD: larger ones are the system's own
        with suppress(AttributeError):  # musl has no such thing, and needs none
            ctypes.CDLL(None).mallopt(threshold, at_most)


def _around_the_proxy(environ: Mapping[str, str]) -> str:
    """Whom no proxy is asked for: what was there, and this computer's own page."""
    named = f"{environ.get('no_proxy', '')},{environ.get('NO_PROXY', '')}".split(",")
    return ",".join(dict.fromkeys([*filter(None, map(str.strip, named)), *OURS]))
