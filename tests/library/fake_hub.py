"""A small model hub on 127.0.0.1 that can misbehave: real HTTP, real files, every request remembered."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

REVISION = "c0ffee" + "0" * 34


@dataclass
class Request:
    path: str
    token: str | None
    start: int
    sent: int = 0


@dataclass
class FakeHub:
    """Serve the files of a folder as one repository, and the wheels in it as a package index.

    `faults` holds, for a path of the repository or "listing", what to do instead of answering well; a list is
    used up one request after the other. Big files are redirected to `cdn` when there is one.
    """

    folder: Path
    url: str = ""
    cdn: str | None = None
    repo: str = "someone/tiny-svd"
    faults: dict[str, list[str] | str] = field(default_factory=dict)
    needs_token: str | None = None
    lfs_from: int = 20_000
    bytes_per_second: float | None = None
    stated_sizes: dict[str, int] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def fault(self, name: str) -> str:
        planned = self.faults.get(name, "")
        if isinstance(planned, list):
            return planned.pop(0) if planned else ""
        return planned

    def asked_for(self, name: str) -> list[Request]:
        return [request for request in self.requests if request.path.endswith(name)]

    def listing(self) -> dict[str, Any]:
        files = [path for path in sorted(self.folder.rglob("*")) if path.is_file()]
        return {"id": self.repo, "sha": REVISION, "siblings": [self._sibling(path) for path in files]}

    def index_page(self) -> str:
        """The folder's files as a package index lists them; its links are relative, as mirrors like them."""
        names = [path.name for path in sorted(self.folder.glob("*.whl"))]
        return "<html>" + "".join(f'<a href="../../packages/{name}#sha256=0">{name}</a><br/>' for name in names)

    def _sibling(self, path: Path) -> dict[str, Any]:
        name, content = path.relative_to(self.folder).as_posix(), path.read_bytes()
        size = self.stated_sizes.get(name, len(content))
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        entry: dict[str, Any] = {"rfilename": name, "size": size, "blobId": blob}
        if len(content) >= self.lfs_from:
            entry["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": size, "pointerSize": 134}
        return entry


class Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        request = Request(path, self.headers.get("Authorization"), start)
        self.hub.requests.append(request)
        if path == f"/api/models/{self.hub.repo}/revision/main":
            self._answer("listing", json.dumps(self.hub.listing()).encode(), request)
            return
        if path.startswith("/simple/"):
            self._answer("index", self.hub.index_page().encode(), request)
            return
        name = path.removeprefix(f"/{self.hub.repo}/resolve/{REVISION}/").removeprefix("/packages/")
        file = self.hub.folder / name
        if name == path or not file.is_file():
            self.send_error(404)
        elif self.hub.cdn and file.stat().st_size >= self.hub.lfs_from:
            self.send_response(302)
            self.send_header("Location", self.hub.cdn + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._answer(name, file.read_bytes(), request)

    def _answer(self, name: str, content: bytes, request: Request) -> None:
        fault = self.hub.fault(name)
        if fault.isdigit():
            self.send_response(int(fault))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.hub.needs_token and request.token != f"Bearer {self.hub.needs_token}" and name != "listing":
            self.send_response(403 if request.token else 401)
            self.send_header("X-Error-Code", "GatedRepo")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if fault == "silent":
            self.hub.closing.wait(30)
            return
        if fault == "corrupt":
            content = content[:-1] + bytes([content[-1] ^ 1])
        if fault == "html":
            content = b"<html>Sign in to the hotel's network</html>"
        self._send(content, request, fault)

    def _send(self, content: bytes, request: Request, fault: str) -> None:
        start = request.start if fault != "no ranges" else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = {"half": len(content) // 2, "half then silent": len(content) // 2}.get(fault, len(content))
        for position in range(start, end, 4096):
            block = content[position : min(end, position + 4096)]
            try:
                self.wfile.write(block)
            except OSError:  # the client was killed
                return
            request.sent += len(block)
            if self.hub.bytes_per_second:
                time.sleep(len(block) / self.hub.bytes_per_second)
        if fault == "half then silent":
            self.wfile.flush()
            self.hub.closing.wait(30)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is what many tests want."""


@contextmanager
def fake_hub(folder: Path, **behaviour: Any) -> Iterator[FakeHub]:
    hub = FakeHub(folder, **behaviour)
    server = Server(("127.0.0.1", 0), type("OneHandler", (Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
