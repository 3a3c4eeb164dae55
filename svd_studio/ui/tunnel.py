"""The way in from outside: Gradio's tunnel, opened by us, so that it is checked, ends in time and can be shut."""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import httpx
from gradio import networking, tunneling
from gradio.exceptions import ChecksumMismatchError

from svd_studio.core.errors import StudioError


class Tunnel(Protocol):
    """What Gradio's tunnel does."""

    def start_tunnel(self) -> str:
        """Connect, and return the address under which the page can be reached."""
        ...

    def kill(self) -> None:
        """End it."""
        ...


Opener = Callable[[int, Path], Tunnel]
"""Prepares a tunnel to a port of this machine; the share server's certificate is kept in that file."""


class SharedLink:
    """A link to our page for some hours; `let_in` is told its address, and None when it ends."""

    def __init__(
        self, let_in: Callable[[str | None], None], hours: float, certificate: Path, opener: Opener | None = None
    ) -> None:
        self.let_in, self.hours, self.certificate = let_in, hours, certificate
        self.url: str | None = None
        self.ends = 0.0
        self._opener = opener or through_gradio
        self._tunnel: Tunnel | None = None
        self._lock = threading.Lock()

    def open(self, port: int) -> str:
        """Connect and return the address. Raises StudioError."""
        tunnel = self._opener(port, self.certificate)
        try:
            url = tunnel.start_tunnel()
        except Exception as error:  # frpc's own: no connection, no room, killed by a virus scanner
            tunnel.kill()
            raise StudioError("share.failed") from error
        with self._lock:
            self._tunnel, self.url, self.ends = tunnel, url, time.time() + self.hours * 3600
            self.let_in(url)
        return url

    def end_in_time(self) -> None:
        """Close the link when its hours are over; asked often, because no timer counts while a computer sleeps."""
        if self.url is not None and time.time() >= self.ends:
            self.close()

    def close(self) -> None:
        """Shut the door first, then end the tunnel; harmless when it is shut."""
        with self._lock:
            self.let_in(None)
            tunnel, self._tunnel, self.url = self._tunnel, None, None
        if tunnel is not None:
            tunnel.kill()


def through_gradio(port: int, certificate: Path) -> Tunnel:
    """Prepare a tunnel through Gradio's share server. Raises StudioError without it, or when frpc is not its own."""
    fetch_sound_binary(Path(tunneling.BINARY_PATH), tunneling.Tunnel.download_binary)
    try:
        answer = httpx.get(networking.GRADIO_API_SERVER, timeout=30).json()[0]
        host, remote_port = str(answer["host"]), int(answer["port"])
        certificate.write_text(str(answer["root_ca"]))
    except (httpx.HTTPError, ValueError, KeyError, IndexError, OSError) as error:
        raise StudioError("share.failed") from error
    tunnel: Tunnel = tunneling.Tunnel(host, remote_port, "127.0.0.1", port, secrets.token_urlsafe(32), str(certificate))
    return tunnel


def fetch_sound_binary(binary: Path, download: Callable[[], None]) -> None:
    """Have frpc here with the checksum that Gradio records, looked at each time; what has another one is deleted.

    Raises StudioError.
    """
    expected = tunneling.CHECKSUMS.get(tunneling.BINARY_URL)
    if binary.exists() and _sha256(binary) != expected:
        binary.unlink()  # somebody's own, or half a download: Gradio itself would start it
    try:
        download()
    except ChecksumMismatchError:
        pass  # it stays on the disk then
    except (httpx.HTTPError, OSError) as error:
        raise StudioError("share.failed") from error
    if expected is None or _sha256(binary) != expected:
        binary.unlink(missing_ok=True)
        raise StudioError("share.not_genuine")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
