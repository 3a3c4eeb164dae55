"""What Gradio does with what a page sends, and no page of ours needs: shut before it is served.

Whatever a visitor sends as a file, or a handler answers with, Gradio would fetch from the network or copy from the
working folder and the system's temporary one into the uploads, from where anybody reads it.
"""

import logging
from pathlib import Path
from typing import Any

import gradio as gr
from gradio import processing_utils
from gradio.exceptions import InvalidPathError

from svd_studio.ui.texts import say

log = logging.getLogger(__name__)

_only_uploads = processing_utils._check_allowed


def shut_gradios_doors() -> None:
    """Let Gradio move only what was uploaded here, and fetch nothing; for the whole process."""
    processing_utils._check_allowed = _check_allowed
    processing_utils.async_ssrf_protected_get = _fetch_nothing
    processing_utils.async_ssrf_protected_download = _fetch_nothing


def refuse_nonsense(page: gr.Blocks) -> None:
    """Answer values that no field of the page can hold in a sentence, with one line in the log instead of fifty."""
    read = page.preprocess_data

    async def reading(*given: Any, **named: Any) -> Any:
        try:
            return await read(*given, **named)
        except (OSError, MemoryError, gr.Error):
            raise
        except Exception as error:
            log.warning("what was sent makes no sense: %s", type(error).__name__)
            raise gr.Error(say("door.nonsense"), print_exception=False) from error

    page.preprocess_data = reading  # type: ignore[method-assign]  # Gradio has no door for this


def _check_allowed(path: str | Path, check_in_upload_folder: bool) -> None:
    _only_uploads(path, check_in_upload_folder=True)


async def _fetch_nothing(*_: Any, **__: Any) -> Any:
    raise InvalidPathError("Nothing is fetched from elsewhere.")
