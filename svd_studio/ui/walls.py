"""Two things that Gradio does with what a page sends, and that no page of ours needs: shut before it is served.

Whatever a visitor sends as a file, or a handler answers with, Gradio would fetch from the network or copy from the
working folder and the system's temporary one into the uploads, from where anybody reads it.
"""

from pathlib import Path
from typing import Any

from gradio import processing_utils
from gradio.exceptions import InvalidPathError

_only_uploads = processing_utils._check_allowed


def shut_gradios_doors() -> None:
    """Let Gradio move only what was uploaded here, and fetch nothing; for the whole process."""
    processing_utils._check_allowed = _check_allowed
    processing_utils.async_ssrf_protected_get = _fetch_nothing
    processing_utils.async_ssrf_protected_download = _fetch_nothing


def _check_allowed(path: str | Path, check_in_upload_folder: bool) -> None:
    _only_uploads(path, check_in_upload_folder=True)


async def _fetch_nothing(*_: Any, **__: Any) -> Any:
    raise InvalidPathError("Nothing is fetched from elsewhere.")
