"""Our own routes beside Gradio's; while there is a password, they are behind its login, too."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from svd_studio import __version__
from svd_studio.api.door import Door
from svd_studio.api.media import Media, asker
from svd_studio.api.metrics import CONTENT_TYPE, metrics
from svd_studio.api.passwords import is_signed_in, sign_out
from svd_studio.gpu.telemetry import Telemetry
from svd_studio.studio import OWNER, Studio
from svd_studio.ui.texts import say

Endpoint = Callable[[Request], Response]


def routes(studio: Studio, telemetry: Telemetry) -> list[Route]:
    """What launch(app_kwargs={"routes": …}) takes; Gradio puts them before its own."""
    media = Media(studio)

    def show_metrics(request: Request) -> Response:
        if asker(request) != OWNER:
            return PlainTextResponse(say("guest.only_owner"), 403)
        return PlainTextResponse(metrics(studio, telemetry), media_type=CONTENT_TYPE)

    def show_health(request: Request) -> Response:
        return JSONResponse(health(studio))

    endpoints: dict[str, Endpoint] = {
        "/media/job/{job_id}/preview": media.preview,
        "/media/job/{job_id}/picture": media.picture,
        "/media/{clip_id}": media.clip,
        "/media/{clip_id}/poster": media.poster,
        "/media/{clip_id}/before": media.before,
        "/media/{clip_id}/download": media.download,
        "/media/{clip_id}/as/{kind}": media.export,
        "/media/{clip_id}/frame/{number}": media.frame,
        "/metrics": show_metrics,
        "/health": show_health,
    }
    signing_out = Route("/logout", leave, methods=["POST"])
    return [Door(), signing_out, *(Route(path, _behind_login(endpoint)) for path, endpoint in endpoints.items())]


def leave(request: Request) -> Response:
    """Sign the asking browser out, and show it the door."""
    sign_out(request)
    return RedirectResponse("/", 303)


def health(studio: Studio) -> dict[str, object]:
    """Whether the queue can be read and somebody is there to render it."""
    studio.queue.find(limit=1)
    return {"ok": True, "version": __version__, "worker": any(lock.holder() for lock in studio.render_locks())}


def _behind_login(endpoint: Endpoint) -> Endpoint:
    def checked(request: Request) -> Response:
        if not is_signed_in(request):
            return PlainTextResponse(say("door.sign_in"), 401)
        return endpoint(request)

    return checked
