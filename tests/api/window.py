"""A real, small Gradio page behind our doors, and requests as raw as an attacker's."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from svd_studio.core.clip import ClipSettings, RenderedClip
from svd_studio.core.config import StudioConfig
from svd_studio.engines.catalog import engine_info
from svd_studio.host import private_folder
from svd_studio.library.clips import Clip
from svd_studio.studio import Studio

ROOT = Path(__file__).parents[2]


@dataclass
class Window:
    """One served page and what is behind it."""

    port: int
    studio: Studio
    clip: Clip
    routes: set[tuple[str, str]]
    page: "subprocess.Popen[str]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def share(self, url: str = "") -> None:
        """Open the tunnel's door, or shut it."""
        assert self.page.stdin
        assert self.page.stdout
        self.page.stdin.write(f"share {url}\n")
        self.page.stdin.flush()
        assert self.page.stdout.readline() == "done\n"

    @property
    def config(self) -> StudioConfig:
        return self.studio.config


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


@contextmanager
def served(data: Path, clip_file: Path, password: str = "") -> Iterator[Window]:
    """Serve a page over a new data folder that holds one clip."""
    studio = Studio(StudioConfig(data))
    private_folder(studio.config.uploads)
    clip, port = keep_clip(studio, clip_file), free_port()
    command = [sys.executable, "-m", "tests.api.small_page", str(data), str(port), clip.id]
    page = subprocess.Popen(
        command + [password] * bool(password), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    with page:
        assert page.stdin
        assert page.stdout
        routes = json.loads(page.stdout.readline())
        yield Window(port, studio, clip, {(method, path) for method, path in routes}, page)
        page.stdin.close()


def keep_clip(studio: Studio, file: Path, name: str = "Möwe 海鸥.mp4") -> Clip:
    """Put a file into the library as a finished clip."""
    folder = studio.config.clips
    folder.mkdir(parents=True, exist_ok=True)
    path, poster = folder / name, folder / f"{name}.webp"
    path.write_bytes(file.read_bytes())
    poster.write_bytes(b"RIFFposter")
    settings = ClipSettings(seed=1).resolve(engine_info("svd-nano")).settings
    made = RenderedClip(path, settings, "0" * 64, 14, 7.0, (256, 144), {"denoise": 2.5, "decode": 1.5}, poster=poster)
    return studio.clips.add(made, "Möwe", "owner")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(
    window: Window, method: str = "GET", path: str = "/", headers: dict[str, str] | None = None, body: bytes = b""
) -> Answer:
    """One request exactly as spelt; nothing is tidied on the way, as a browser or library would."""
    sent = {"Host": f"127.0.0.1:{window.port}", "Connection": "close"}
    if body:
        sent["Content-Length"] = str(len(body))
    sent |= headers or {}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    return send_raw(window.port, "\r\n".join(lines).encode() + body)


def send_raw(port: int, request: bytes) -> Answer:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with suppress(ConnectionError):  # it may hang up in the middle, and still have answered
            connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(first.split()[1]), headers, body)


def upload(window: Window, content: bytes, name: str = "picture.png", headers: dict[str, str] | None = None) -> Answer:
    """Send a file as the page does."""
    body = (
        (
            f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: image/png\r\n\r\n'
        ).encode()
        + content
        + b"\r\n--b--\r\n"
    )
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    return ask(window, "POST", "/gradio_api/upload", form | (headers or {}), body)


@contextmanager
def foreign_site(pages: dict[str, str]) -> Iterator[str]:
    """A page on another origin, as a browser sees it."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(pages.get(self.path, "").encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
