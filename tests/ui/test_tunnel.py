"""A share link ends in time and by hand, and frpc is never started unless it is Gradio's own."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from gradio import tunneling
from gradio.exceptions import ChecksumMismatchError

from svd_studio.core.errors import StudioError
from svd_studio.ui.tunnel import SharedLink, fetch_sound_binary

URL = "https://abc123.gradio.live"


class FakeTunnel:
    """Gradio's server cannot be here."""

    def __init__(self, works: bool = True) -> None:
        self.works, self.killed = works, 0

    def start_tunnel(self) -> str:
        if not self.works:
            raise ValueError("frpc said no")
        return URL

    def kill(self) -> None:
        self.killed += 1


def test_a_link_opens_the_door_and_shuts_it_by_hand(tmp_path: Path) -> None:
    told, tunnel = [], FakeTunnel()
    link = SharedLink(told.append, 8, tmp_path / "c.pem", lambda port, file: tunnel)
    assert link.open(7860) == link.url == URL
    link.close()
    link.close()
    assert (told, tunnel.killed, link.url) == ([URL, None, None], 1, None)


def test_a_link_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, tunnel = [], FakeTunnel()
    link = SharedLink(told.append, 8, tmp_path / "c.pem", lambda port, file: tunnel)
    link.open(7860)
    link.end_in_time()
    assert told == [URL]
    now = time.time() + 8 * 3600
    monkeypatch.setattr("svd_studio.ui.tunnel.time.time", lambda: now)
    link.end_in_time()
    link.end_in_time()
    assert (told, tunnel.killed) == ([URL, None], 1)


def test_a_link_that_does_not_open_leaves_the_door_shut(tmp_path: Path) -> None:
    told, tunnel = [], FakeTunnel(works=False)
    with pytest.raises(StudioError, match=r"share\.failed"):
        SharedLink(told.append, 8, tmp_path / "c.pem", lambda port, file: tunnel).open(7860)
    assert (told, tunnel.killed) == ([], 1)


GENUINE = b"#!/bin/sh\nexit 0\n"


@pytest.fixture
def binary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tunneling, "CHECKSUMS", {tunneling.BINARY_URL: hashlib.sha256(GENUINE).hexdigest()})
    return tmp_path / "frpc"


def gradios(binary: Path, content: bytes) -> Callable[[], None]:
    """What Gradio's download does: nothing when there is a file, and a wrong one stays on the disk."""

    def download() -> None:
        if not binary.exists():
            binary.write_bytes(content)
            if content != GENUINE:
                raise ChecksumMismatchError

    return download


def test_the_genuine_binary_is_kept(binary: Path) -> None:
    for _ in range(2):
        fetch_sound_binary(binary, gradios(binary, GENUINE))
        assert binary.read_bytes() == GENUINE


def test_a_binary_that_somebody_changed_is_fetched_anew(binary: Path) -> None:
    binary.write_bytes(b"#!/bin/sh\nrm -rf ~\n")
    fetch_sound_binary(binary, gradios(binary, GENUINE))
    assert binary.read_bytes() == GENUINE


def test_a_download_that_is_not_genuine_is_deleted(binary: Path) -> None:
    with pytest.raises(StudioError, match=r"share\.not_genuine"):
        fetch_sound_binary(binary, gradios(binary, b"something else"))
    assert not binary.exists()


def test_a_system_without_a_recorded_checksum_shares_nothing(binary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunneling, "CHECKSUMS", {})
    with pytest.raises(StudioError, match=r"share\.not_genuine"):
        fetch_sound_binary(binary, gradios(binary, GENUINE))
    assert not binary.exists()
