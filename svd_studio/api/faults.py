"""What a visitor and the log hear when something behind the guard fails: a sentence and, for nonsense, one line."""

import errno
import logging
import traceback

from starlette.exceptions import HTTPException
from starlette.types import Scope

from svd_studio.ui.texts import say

log = logging.getLogger(__name__)

GRADIO = ("/gradio_api/", "/static/", "/assets/", "/svelte/", "/config")


def fault(scope: Scope, error: Exception) -> HTTPException:
    """The refusal for a request whose handler failed; what was nonsense is the visitor's, all else is ours."""
    asked = f"{scope['method']} {scope['path'][:200]!r}"
    if not _is_nonsense(scope, error):
        log.error("%s failed", asked, exc_info=error)
        return HTTPException(500, say("door.broken"))
    log.warning("%s makes no sense: %s in %s", asked, type(error).__name__, _place(error))
    if scope["method"] == "POST":
        return HTTPException(400, say("door.nonsense"))
    return HTTPException(404, say("door.nothing"))


def _is_nonsense(scope: Scope, error: Exception) -> bool:
    """Whether Gradio stumbled over what it was sent: it looks at little of that before it uses it.

    Its handlers' own errors do not get here: it answers them itself.
    """
    if isinstance(error, OSError):
        return error.errno == errno.ENAMETOOLONG
    is_gradios = scope["path"].startswith(GRADIO) or (scope["path"] == "/" and bool(scope["query_string"]))
    return is_gradios and not isinstance(error, MemoryError)


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "nowhere"
