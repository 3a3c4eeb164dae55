"""Look at every request before Gradio does: by which name, from which page, for what, how much.

What is not in OPEN is shut, so a route that an upgrade of Gradio adds stays shut until somebody opens it.
"""

import asyncio
from contextlib import nullcontext, suppress
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from svd_studio.api.bodies import PATIENCE_S, Body, Broken
from svd_studio.api.faults import fault
from svd_studio.api.hosts import Hosts
from svd_studio.api.pace import ASKING, MEGABYTES_UPLOADED, READING, SIGNING_IN, UPLOADING, Pace, Paces
from svd_studio.api.passwords import AT_THIS_COMPUTER, VISITOR, is_signed_in, signed_in_as
from svd_studio.core import errors
from svd_studio.library.uploads import LARGEST_UPLOAD, MEGABYTE, stored_file
from svd_studio.studio import OWNER
from svd_studio.ui.texts import say

READ, ASK = ("GET", "HEAD"), ("POST",)
FILE = "/gradio_api/file="
UPLOAD = "/gradio_api/upload"
LOOPBACK = ("127.0.0.1", "::1")
STARTED = "/gradio_api/startup-events"

OPEN = {
    # ours
    "/media/{clip_id}": READ,
    "/media/{clip_id}/poster": READ,
    "/media/{clip_id}/before": READ,
    "/media/{clip_id}/download": READ,
    "/media/{clip_id}/as/{kind}": READ,
    "/media/{clip_id}/frame/{number}": READ,
    "/media/job/{job_id}/preview": READ,
    "/media/job/{job_id}/picture": READ,
    "/metrics": READ,
    "/health": READ,
    # the page and what it is made of
    "/": READ,
    "/config": READ,
    "/assets/{path:path}": READ,
    "/static/{path:path}": READ,
    "/svelte/{path:path}": READ,
    "/theme.css": READ,
    "/gradio_api/theme.css": READ,
    "/favicon.ico": READ,
    "/robots.txt": READ,
    "/login": ASK,
    "/logout": ASK,  # Gradio's own goes by GET, which any page can make a browser send
    # what page and gradio_client ask for while they are open
    "/gradio_api/app_id": READ,
    "/gradio_api/login_check": READ,
    "/gradio_api/info": READ,
    "/gradio_api/heartbeat/{session_hash}": READ,
    UPLOAD: ASK,
    "/gradio_api/upload_progress": READ,
    "/gradio_api/file={path_or_url:path}": READ,
    "/gradio_api/queue/join": ASK,
    "/gradio_api/queue/data": READ,
    "/gradio_api/run/{api_name}": ASK,
    "/gradio_api/call/{api_name}": ASK,
    "/gradio_api/call/v2/{api_name}": ASK,
    "/gradio_api/call/v2/{api_name}/{event_id}": READ,
    "/gradio_api/call/{api_name}/{event_id}": READ,
    "/gradio_api/cancel": ASK,
    "/gradio_api/reset": ASK,
}
"""Every route that may be asked for, as its owner spells it, and how."""

PUBLIC = (
    *("/", "/login", "/logout", "/theme.css", "/favicon.ico", "/robots.txt", STARTED),
    *("/gradio_api/theme.css", "/gradio_api/login_check"),
)
PUBLIC_FOLDERS = ("/assets/", "/static/", "/svelte/")
"""What the page that asks for a password is made of."""

PATTERNS = tuple((compile_path(path)[0], methods) for path, methods in OPEN.items())

LARGEST_BODY = MEGABYTE
"""The longest that a page sends is a look of 64 kB. Of JSON, Python makes thirty times as much before we see it."""
LARGEST_LOGIN, FORM_AROUND_UPLOAD = 16_384, MEGABYTE
GUESTS_AT_ONCE = 6
"""Of the forty threads that answer: slow pictures of guests keep nobody waiting but guests."""

PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # Gradio writes its config inline and builds js= handlers
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
"""What somebody uploaded must not act as a page of ours, whatever it is."""

SCHEME = b"x-forwarded-proto"
DROPPED_HEADERS = (b"x-gradio-server", b"forwarded", b"x-real-ip")
"""With all of x-forwarded-*: Gradio believes these about its own address. Only our tunnel may tell the scheme."""


class Guard:
    """Refuse what no page of ours asks for; hand it to Gradio through launch(app_kwargs={"middleware": …})."""

    def __init__(self, app: ASGIApp, hosts: Hosts, uploads: Path) -> None:
        self.app = app
        self.hosts = hosts
        self.uploads = uploads
        self.paces = Paces()
        self.patience_s = PATIENCE_S
        self._is_started = False
        self._guests = asyncio.Semaphore(GUESTS_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        elif refusal := self._refusal(scope):
            await _refuse(refusal, scope, receive, send)
        else:
            async with self._guests if _takes_turns(scope) else nullcontext():
                await self._hand_on(scope, receive, send)

    def _refusal(self, scope: Scope) -> HTTPException | None:
        """Why this request goes no further, or nothing."""
        headers, path = Headers(scope=scope), scope["path"]
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.hosts.know(hosts[0], (scope.get("server") or ("",))[0]):
            return HTTPException(403, say("door.host"))
        if not (_is_from_our_page(headers, hosts[0]) or _is_a_link_to_us(scope, headers)):
            return HTTPException(403, say("door.foreign"))
        if not (_is_open(scope["method"], path) or self._is_starting(scope)):
            return HTTPException(404, say("door.nothing"))
        if not _is_public(path) and not _is_signed_in(scope):
            return HTTPException(401, say("door.sign_in"))
        if path.startswith(FILE) and stored_file(self.uploads, path.removeprefix(FILE)) is None:
            return HTTPException(403, say("door.file"))
        if _announced_size(headers) > _limit(path):
            return _too_large(path)
        VISITOR.set(visitor := self._visitor(scope, hosts[0]))
        if not (self.paces.allow(visitor, _pace(scope["method"], path)) and self._has_room(visitor, path, headers)):
            return HTTPException(429, say("door.too_often"))
        return None

    def _visitor(self, scope: Scope, host: str) -> str:
        """Whom to count a request for; all who come through the tunnel are one, for they can claim any address."""
        if self.hosts.is_tunnel(host):
            return "tunnel"
        address = str((scope.get("client") or ("",))[0])
        return AT_THIS_COMPUTER if address in LOOPBACK else address

    def _has_room(self, visitor: str, path: str, headers: Headers) -> bool:
        """Whether an upload is within what all visitors from elsewhere may send in that time."""
        if path != UPLOAD or visitor == AT_THIS_COMPUTER:
            return True
        size = LARGEST_UPLOAD if "transfer-encoding" in headers else _announced_size(headers)
        return self.paces.allow("elsewhere", MEGABYTES_UPLOADED, size / MEGABYTE)

    def _is_starting(self, scope: Scope) -> bool:
        """Whether this is launch() itself, which asks for one route once, from this computer; it fails without it."""
        is_here = (scope.get("client") or ("",))[0] in LOOPBACK
        is_first = is_here and scope["path"] == STARTED and not self._is_started
        self._is_started |= is_first
        return is_first

    async def _hand_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let Gradio answer, counting what comes in and adding our headers to what goes out."""
        body = Body(receive, _limit(scope["path"]), self.patience_s)
        is_ours = self.hosts.is_tunnel(Headers(scope=scope)["host"])
        scope["headers"] = [(name, value) for name, value in scope["headers"] if _is_believed(name, is_ours)]
        is_answered, refusal = False, None

        async def answer(message: Message) -> None:
            nonlocal is_answered
            if body.broken and not is_answered:
                return  # whatever was made of half a body
            if message["type"] == "http.response.start":
                is_answered = True
                _secure(MutableHeaders(scope=message), scope["path"])
            await send(message)

        try:
            with suppress(Broken, ClientDisconnect):  # a page that is closed during an upload is no error
                await self.app(scope, body.receive, answer)
        except Exception as error:  # noqa: BLE001  # it is logged there, and the visitor hears a sentence
            refusal = fault(scope, error)
        if body.broken:
            refusal = _too_large(scope["path"]) if body.broken == 413 else HTTPException(408, say("door.too_slow"))
        if refusal and not is_answered:
            await _refuse(refusal, scope, receive, send)


def _is_from_our_page(headers: Headers, host: str) -> bool:
    """Whether a page of ours asks, or a program that is no browser; browsers add these headers themselves."""
    origins, sites = headers.getlist("origin"), headers.getlist("sec-fetch-site")
    own = (f"http://{host}".lower(), f"https://{host}".lower())
    return all(origin.lower() in own for origin in origins) and all(site in ("same-origin", "none") for site in sites)


def _is_a_link_to_us(scope: Scope, headers: Headers) -> bool:
    """Whether somebody followed a link on another site to our front door."""
    return (
        scope["method"] == "GET"
        and scope["path"] == "/"
        and "origin" not in headers
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )


def _is_public(path: str) -> bool:
    return path in PUBLIC or path.startswith(PUBLIC_FOLDERS)


def _is_signed_in(scope: Scope) -> bool:
    """Whether there is no password, or this request's browser gave it; before anybody reads what it sent."""
    return scope.get("app") is None or is_signed_in(Request(scope))


def _takes_turns(scope: Scope) -> bool:
    """Whether a guest asks for what may hold a thread for long."""
    is_slow = scope["method"] in ASK and scope["path"] != UPLOAD and "app" in scope
    return is_slow and signed_in_as(Request(scope)) not in (None, OWNER)


def _is_believed(header: bytes, through_tunnel: bool) -> bool:
    name = header.lower()
    if name.startswith(b"x-forwarded-"):
        return through_tunnel and name == SCHEME
    return name not in DROPPED_HEADERS


def _pace(method: str, path: str) -> Pace:
    if method in READ:
        return READING
    return {UPLOAD: UPLOADING, "/login": SIGNING_IN}.get(path, ASKING)


def _is_open(method: str, path: str) -> bool:
    return any(method in methods and pattern.fullmatch(path) for pattern, methods in PATTERNS)


def _limit(path: str) -> int:
    if path == UPLOAD:
        return LARGEST_UPLOAD + FORM_AROUND_UPLOAD
    return LARGEST_LOGIN if path == "/login" else LARGEST_BODY


def _announced_size(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0


def _too_large(path: str) -> HTTPException:
    largest = LARGEST_UPLOAD if path == UPLOAD else LARGEST_BODY
    return HTTPException(413, say(errors.Message("door.too_large", {"limit": largest // MEGABYTE})))


def _secure(headers: MutableHeaders, path: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Content-Security-Policy"] = FILE_POLICY if path.startswith(FILE) else PAGE_POLICY


async def _refuse(why: HTTPException, scope: Scope, receive: Receive, send: Send) -> None:
    # The rest of a body that nobody reads must not be taken for the next request.
    response = PlainTextResponse(why.detail, why.status_code, {"Connection": "close"})
    _secure(response.headers, scope["path"])
    await response(scope, receive, send)
