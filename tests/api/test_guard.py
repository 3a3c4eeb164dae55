"""What no page of ours asks for gets no further than the guard; the page itself notices nothing."""

import asyncio
import json
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from svd_studio.api.guard import GUESTS_AT_ONCE, LARGEST_BODY, OPEN, PUBLIC, PUBLIC_FOLDERS, UPLOAD, Guard
from svd_studio.api.hosts import Hosts
from svd_studio.library.uploads import LARGEST_UPLOAD, MEGABYTE
from svd_studio.studio import GUEST, OWNER
from tests.api.window import Window, ask, send_raw, upload

SHUT = {
    "/openapi.json",
    "/logout",  # by GET; ours goes by POST
    "/manifest.json",
    "/pwa_icon",
    "/pwa_icon/{size}",
    "/monitoring",
    "/monitoring/summary",
    "/monitoring/{key}",
} | {
    f"/gradio_api/{path}"
    for path in (
        "api/{api_name}",
        "component_server",
        "custom_component/{id}/{environment}/{type}/{file_name}",
        "deep_link",
        "dev/reload",
        "file/{path:path}",
        "openapi.json",
        "process_recording",
        "proxy={url_path:path}",
        "queue/status",
        "run-history/buckets",
        "run-history/connect",
        "run-history/records",
        "run-history/records/{endpoint}/{record_id}/assets/{asset_id}",
        "runs",
        "startup-events",
        "stream/{event_id}",
        "stream/{event_id}/close",
        "stream/{session_hash}/{run}/{component_id}/playlist-file",
        "stream/{session_hash}/{run}/{component_id}/playlist.m3u8",
        "stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}",
        "token",
        "undo-vibe-edit",
        "user",
        "vibe-code",
        "vibe-edit",
        "vibe-starter-queries",
    )
}
"""Routes of Gradio that nobody here asks for. A new one in an upgrade belongs here or, with a reason, in guard.OPEN."""


def test_every_route_of_gradio_is_known_to_us(window: Window) -> None:
    known = {(method, path) for path, methods in OPEN.items() for method in methods}
    assert len(window.routes) > 60
    assert {
        (method, path)
        for method, path in window.routes
        if path not in SHUT and (method, path) not in known and not is_twin(path)
    } == set()


def is_twin(path: str) -> bool:
    """Whether Gradio has the same route without the slash; the guard keeps this one shut."""
    return path.endswith("/") and path[:-1] in {*SHUT, *OPEN} and path not in OPEN


def test_what_is_open_exists(window: Window) -> None:
    assert {path for path in OPEN if not window.routes & {(method, path) for method in OPEN[path]}} == set()


PICTURE, CLICK, RUN = "/gradio_api/file=", "/gradio_api/queue/join", "/gradio_api/run/make"
EVIL = "https://attacker.example"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
CONTENT = {
    CLICK: json.dumps({"data": [None, "x"], "fn_index": 0, "session_hash": "abc"}).encode(),
    RUN: json.dumps({"data": [None, "x"]}).encode(),
    UPLOAD: b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nx\r\n--b--\r\n',
}

ATTACKS: dict[str, tuple[int, str, str, dict[str, str]]] = {
    # by another name
    "host of a subdomain of localhost": (403, "GET", "/config", {"Host": "x.localhost:{port}"}),
    "host localhost with a dot": (403, "GET", "/config", {"Host": "localhost.:{port}"}),
    "host rebound to us": (403, "GET", "/config", {"Host": "attacker.example:{port}"}),
    "host rebound, numeric": (403, "GET", "/config", {"Host": "127.0.0.1.nip.io:{port}"}),
    "host with user info": (403, "GET", "/config", {"Host": "127.0.0.1:{port}@attacker.example"}),
    "host without the port": (403, "GET", "/config", {"Host": "127.0.0.1"}),
    "host with another port": (403, "GET", "/config", {"Host": "127.0.0.1:1"}),
    "host of all addresses": (403, "GET", "/config", {"Host": "0.0.0.0:{port}"}),
    "host short for us": (403, "GET", "/config", {"Host": "127.1:{port}"}),
    "host of a tunnel that is not open": (403, "GET", "/config", {"Host": "abc.gradio.live"}),
    "host empty": (403, "GET", "/config", {"Host": ""}),
    "metrics by a rebound name": (403, "GET", "/metrics", {"Host": "attacker.example"}),
    # from another page
    "foreign origin clicks": (403, "POST", CLICK, JSON | {"Origin": EVIL}),
    "foreign origin uploads": (403, "POST", UPLOAD, FORM | {"Origin": EVIL}),
    "foreign origin logs in": (403, "POST", "/login", FORM | {"Origin": EVIL}),
    "foreign origin reads": (403, "GET", "/config", {"Origin": EVIL}),
    "foreign origin with our name inside": (
        403,
        "POST",
        RUN,
        JSON | {"Origin": "http://127.0.0.1:{port}.evil.example"},
    ),
    "null origin clicks": (403, "POST", CLICK, JSON | {"Origin": "null"}),
    "null origin uploads": (403, "POST", UPLOAD, FORM | {"Origin": "null"}),
    "origin of a neighbour port": (403, "POST", RUN, JSON | {"Origin": "http://127.0.0.1:3000"}),
    "origin localhost for 127.0.0.1": (403, "POST", RUN, JSON | {"Origin": "http://localhost:{port}"}),
    "cross-site upload without origin": (403, "POST", UPLOAD, FORM | {"Sec-Fetch-Site": "cross-site"}),
    "cross-site picture": (403, "GET", "/media/x", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}),
    "cross-site script": (403, "GET", "/config", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "script"}),
    "cross-site sign out": (403, "GET", "/logout", LINK),
    "sign out by a link that says nothing": (404, "GET", "/logout", {}),
    "sign out by a picture": (404, "HEAD", "/logout", {"Accept": "image/*"}),
    "foreign form signs out": (403, "POST", "/logout", {"Origin": EVIL}),
    "null origin signs out": (403, "POST", "/logout", {"Origin": "null"}),
    "cross-site frame": (403, "GET", "/", LINK | {"Sec-Fetch-Dest": "iframe"}),
    "cross-site form to the front door": (403, "POST", "/", LINK),
    "same-site neighbour": (403, "GET", "/config", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}),
    # files of the disk
    "file of the system": (403, "GET", PICTURE + "/etc/passwd", {}),
    "file of the system, encoded": (403, "GET", PICTURE + "%2Fetc%2Fpasswd", {}),
    "file with an encoded separator": (403, "GET", "/gradio_api%2Ffile=/etc/passwd", {}),
    "file, encoded twice": (403, "GET", PICTURE + "%252Fetc%252Fpasswd", {}),
    "file out of the upload folder": (403, "GET", PICTURE + "{uploads}/../../../../../../../etc/passwd", {}),
    "file out of the upload folder, encoded": (403, "GET", PICTURE + "{uploads}/%2e%2e/studio.db", {}),
    "file of our own database": (403, "GET", PICTURE + "{uploads}/../studio.db", {}),
    "file with a zero byte": (403, "GET", PICTURE + "{uploads}/a.png%00.png", {}),
    "file that is the folder": (403, "GET", PICTURE + "{uploads}", {}),
    "file by a relative path": (403, "GET", PICTURE + "pyproject.toml", {}),
    "file of another machine": (403, "GET", PICTURE + "http://169.254.169.254/latest/meta-data", {}),
    "file of another machine, https": (403, "HEAD", PICTURE + "https://attacker.example/x.png", {}),
    "file of a network share": (403, "GET", PICTURE + "//attacker.example/share/x.png", {}),
    "file url": (403, "GET", PICTURE + "file:///etc/passwd", {}),
    "file by the old route": (404, "GET", "/gradio_api/file//etc/passwd", {}),
    # routes nobody asked for
    "icon of any size": (404, "GET", "/pwa_icon/20000", {}),
    "recording": (404, "POST", "/gradio_api/process_recording", FORM),
    "monitoring": (404, "GET", "/monitoring", {}),
    "monitoring summary": (404, "GET", "/monitoring/summary", {}),
    "starting again": (404, "GET", "/gradio_api/startup-events", {}),
    "proxy": (404, "GET", "/gradio_api/proxy=https://x.hf.space/", {}),
    "token of the session": (404, "GET", "/gradio_api/token", {}),
    "deep link": (404, "GET", "/gradio_api/deep_link?session_hash=x", {}),
    "component server": (404, "POST", "/gradio_api/component_server", JSON),
    "reload stream": (404, "GET", "/gradio_api/dev/reload", {}),
    "schema of the server": (404, "GET", "/openapi.json", {}),
    "no such route": (404, "GET", "/admin", {}),
    "upload by another spelling, which no limit knows": (404, "POST", UPLOAD + "%0A", FORM),
    "page by another spelling": (404, "GET", "/config%0A", {}),
    # other verbs
    "trace": (404, "TRACE", "/", {}),
    "put": (404, "PUT", UPLOAD, {}),
    "delete": (404, "DELETE", "/media/x", {}),
    "patch": (404, "PATCH", "/config", {}),
    "options": (404, "OPTIONS", "/config", {}),
    "a verb of one's own": (404, "GRAB", "/config", {}),
    "upload by get": (404, "GET", UPLOAD, {}),
    # too much
    "body that says it is too large": (413, "POST", CLICK, JSON | {"Content-Length": f"{LARGEST_BODY + 1}"}),
    "upload that says it is too large": (413, "POST", UPLOAD, FORM | {"Content-Length": f"{2 * LARGEST_UPLOAD}"}),
    "login that says it is too large": (413, "POST", "/login", {"Content-Length": "99999999999"}),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_in_one_plain_sentence(window: Window, name: str) -> None:
    status, method, path, headers = ATTACKS[name]
    blanks = {"port": window.port, "uploads": window.config.uploads}
    filled = {header: value.format(**blanks) for header, value in headers.items()}
    body = b"" if "Content-Length" in headers or method == "GET" else CONTENT.get(path, b"")
    answer = ask(window, method, path.format(**blanks), filled, body)
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert method == "HEAD" or (answer.text.endswith(".") and len(answer.text) < 120)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert list(window.config.uploads.rglob("a.png")) == []


MEDIA_TRICKS = ["..", "../studio.db", "..%2fstudio.db", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%00", "'%20OR%201=1--"]
MEDIA_TRICKS += ["", "x" * 22, "x" * 5000, "job", "job/1", "job/1/preview", "job/01/preview", "job/-1/preview"]
MEDIA_TRICKS += ["job/*/preview", "job/%EF%BC%91/preview", "job/..%2f..%2fstudio.db%00/preview"]
MEDIA_TRICKS += [f"job/{10**400}/preview"]


@pytest.mark.parametrize("trick", MEDIA_TRICKS)
def test_media_answers_a_trick_with_404(window: Window, trick: str) -> None:
    answer = ask(window, path=f"/media/{trick}")
    assert answer.status == 404
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_two_hosts_are_refused(window: Window) -> None:
    request = f"GET /config HTTP/1.1\r\nHost: 127.0.0.1:{window.port}\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert send_raw(window.port, request.encode()).status in (400, 403)


def test_two_hosts_are_refused_also_by_a_server_that_takes_both(tmp_path: Path) -> None:
    hosts = [(b"host", b"localhost:7860"), (b"host", b"attacker.example")]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": hosts, "query_string": b""}
    assert answered(Guard(unreachable, Hosts(7860), tmp_path), scope) == 403


def answered(guard: Guard, scope: dict[str, Any]) -> int:
    """The status with which it answers."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(guard(scope, unreachable, send))
    return int(sent[0]["status"])


def test_nothing_of_a_stranger_is_read_before_the_password(locked_window: Window) -> None:
    """Gradio keeps the beat of a session for whoever asks, and reads a body before it looks who sent it."""
    for path, methods in OPEN.items():
        for method in set(methods) - {"HEAD"}:
            if path not in PUBLIC and not path.startswith(PUBLIC_FOLDERS):
                answer = ask(locked_window, method, path.partition("{")[0] + "x" * ("{" in path))
                assert answer.status in (401, 404), path
                assert answer.headers["content-type"] == "text/plain; charset=utf-8", path


def test_a_whole_address_as_the_path_changes_nothing(window: Window) -> None:
    request = "GET http://attacker.example/config HTTP/1.1\r\nHost: attacker.example\r\nConnection: close\r\n\r\n"
    assert send_raw(window.port, request.encode()).status == 403


def test_a_web_socket_is_refused(tmp_path: Path) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Guard(unreachable, Hosts(7860), tmp_path)({"type": "websocket"}, unreachable, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def unreachable(*_: object) -> Any:
    raise AssertionError("the guard let it through")


@pytest.mark.parametrize("path", [CLICK, RUN])
def test_a_body_without_a_length_is_cut_off_at_the_limit(window: Window, path: str) -> None:
    answer = send_raw(window.port, chunked(window, path, JSON, b" " * (LARGEST_BODY + 1)))
    assert (answer.status, answer.text) == (413, "That is too large: send up to 1 MB.")


def test_an_upload_without_a_length_is_cut_off_at_the_limit(window: Window) -> None:
    part = CONTENT[UPLOAD].partition(b"x\r\n")[0]
    content = part + bytes(60 * MEGABYTE) + b"\r\n" + part
    content += bytes(LARGEST_UPLOAD + MEGABYTE + 1 - len(content))
    answer = send_raw(window.port, chunked(window, UPLOAD, FORM, content))
    assert (answer.status, answer.text) == (413, "That is too large: send up to 100 MB.")


def test_guests_hold_few_of_the_threads_and_the_owner_waits_for_none_of_them(tmp_path: Path) -> None:
    asked: list[str] = []
    waiting: list[Any] = []

    async def never(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["headers"][1][1].decode())
        await asyncio.Event().wait()

    async def ask_all() -> None:
        guard, gradio = Guard(never, Hosts(7860), tmp_path), SimpleNamespace(auth=1, cookie_id="1", tokens=TOKENS)
        scope = {"type": "http", "app": gradio, "method": "POST", "path": RUN, "query_string": b""}
        for word in ["g"] * (GUESTS_AT_ONCE + 5) + ["o"]:
            headers = [(b"host", b"localhost:7860"), (b"cookie", f"access-token-1={word}".encode())]
            waiting.append(asyncio.ensure_future(guard({**scope, "headers": headers}, unreachable, unreachable)))
        await asyncio.sleep(0.1)

    asyncio.run(ask_all())
    assert asked == ["access-token-1=g"] * GUESTS_AT_ONCE + ["access-token-1=o"]


TOKENS = {"g": GUEST, "o": OWNER}


@pytest.mark.parametrize(("client", "status"), [("192.168.1.9", 404), ("127.0.0.1", 200)])
def test_only_this_computer_starts_the_page(tmp_path: Path, client: str, status: int) -> None:
    """It does so once, and fails when somebody of the network was first."""

    async def page(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    scope = {"type": "http", "method": "GET", "path": "/gradio_api/startup-events", "query_string": b""}
    scope |= {"headers": [(b"host", b"localhost:7860")], "client": (client, 1), "server": ("127.0.0.1", 7860)}
    assert answered(Guard(page, Hosts(7860, listening=True), tmp_path), scope) == status


def test_a_body_without_a_length_is_read_up_to_the_limit(window: Window) -> None:
    request = chunked(window, CLICK, JSON, b" " * LARGEST_BODY) + b"\r\n0\r\n\r\n"
    assert send_raw(window.port, request).status == 422


def chunked(window: Window, path: str, kind: dict[str, str], content: bytes) -> bytes:
    """The beginning of a body that does not say how long it will be."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{window.port}\r\nContent-Type: {kind['Content-Type']}\r\n"
    head += "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    return head.encode() + f"{len(content):x}\r\n".encode() + content


# What must go on working


def test_an_upload_comes_back_and_can_do_nothing(window: Window) -> None:
    answer = upload(window, b"<script>alert(1)</script>", "page.html")
    stored = json.loads(answer.text)[0]
    shown = ask(window, path=f"{PICTURE}{stored}")
    assert shown.status == 200
    assert shown.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in shown.headers["content-security-policy"]


def test_an_upload_may_have_its_100_megabytes(window: Window) -> None:
    answer = upload(window, bytes(LARGEST_UPLOAD), "large.png")
    assert answer.status == 200
    next(window.config.uploads.rglob("large.png")).unlink()


def test_a_link_on_another_site_opens_the_page(window: Window) -> None:
    assert ask(window, path="/", headers=LINK).status == 200
    assert ask(window, path="/config", headers=LINK).status == 403


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_our_own_names_are_answered(window: Window, name: str) -> None:
    own = {"Host": f"{name}:{window.port}", "Origin": f"http://{name}:{window.port}", "Sec-Fetch-Site": "same-origin"}
    assert ask(window, path="/config", headers=own).status == 200


def test_nobody_else_says_what_our_address_is(window: Window) -> None:
    lies = {"X-Forwarded-Host": "attacker.example", "X-Gradio-Server": "https://attacker.example"}
    answer = ask(window, path="/config", headers=lies)
    assert answer.status == 200
    assert "attacker.example" not in answer.text


def test_the_tunnel_is_let_in_only_while_it_is_open(window: Window) -> None:
    theirs = {"Host": "abc123.gradio.live", "Origin": "https://abc123.gradio.live", "X-Forwarded-Proto": "https"}
    assert ask(window, path="/config", headers=theirs).status == 403
    window.share("https://abc123.gradio.live")
    try:
        answer = ask(window, path="/config", headers=theirs)
        assert json.loads(answer.text)["root"] == "https://abc123.gradio.live"
        assert ask(window, path="/config", headers={"Host": "other.gradio.live"}).status == 403
        assert ask(window, path="/config", headers={"Host": "x.abc123.gradio.live"}).status == 403
        assert ask(window, path="/config").status == 200
    finally:
        window.share()
    assert ask(window, path="/config", headers=theirs).status == 403


def test_the_network_may_come_in_only_when_asked_to() -> None:
    quiet, listening = Hosts(7860), Hosts(7860, listening=True)
    machine = socket.gethostname()
    for host, reached_at in [
        ("192.168.1.5:7860", "192.168.1.5"),
        ("[fd00::5]:7860", "fd00::5"),
        (f"{machine}:7860", "10.0.0.2"),
    ]:
        assert listening.know(host, reached_at)
        assert not quiet.know(host, reached_at)
    assert not listening.know("192.168.1.6:7860", "192.168.1.5")
    assert not listening.know("attacker.example:7860", "192.168.1.5")


def test_a_studio_on_port_80_needs_no_port_in_its_name() -> None:
    assert Hosts(80).know("localhost", "127.0.0.1")
    assert not Hosts(80).know("localhost:7860", "127.0.0.1")
