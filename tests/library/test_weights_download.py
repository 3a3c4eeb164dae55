import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from svd_studio.core.errors import BadInput, DiskFull
from svd_studio.engines.catalog import SVD_FILES
from svd_studio.host import is_alive
from svd_studio.library import hub as wire
from svd_studio.library.weights import WeightsLibrary, verify_before_load
from tests.library.fake_checkpoint import (
    GATED,
    TINY,
    TOKEN,
    UNET,
    UNET_BYTES,
    library_for,
    nothing,
    refusal,
)
from tests.library.fake_hub import REVISION, FakeHub, fake_hub

ROOT = Path(__file__).parents[2]


def download_processes(parent: int | None = None) -> list[int]:
    """The processes that talk to a hub, started by this test or another parent."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_ours = f"\nPPid:\t{parent or os.getpid()}\n" in (entry / "status").read_text()
            if is_ours and b"library/hub.py" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


# Getting


def test_what_was_asked_for_arrives_and_nothing_else(library: WeightsLibrary, hub: FakeHub, there: Path) -> None:
    heard: list[tuple[int, int, str]] = []
    command_lines: list[bytes] = []

    def listen(done: int, total: int, file: str) -> None:
        heard.append((done, total, file))
        command_lines.extend(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in download_processes())

    library.save_token(TOKEN)
    folder = library.get(TINY, listen)
    assert library.installed(TINY) == folder == library.folder_for(TINY)
    assert all((folder / name).read_bytes() == (there / name).read_bytes() for name in SVD_FILES)
    verify_before_load(folder)
    assert library.check(TINY) == []

    assert heard[-1][0] == heard[-1][1] == sum((there / name).stat().st_size for name in SVD_FILES)
    assert [done for done, *_ in heard] == sorted(done for done, *_ in heard)
    asked = {request.path.partition(REVISION + "/")[2] for request in hub.requests} - {""}
    assert asked == set(SVD_FILES)
    kept = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert kept == {*SVD_FILES, "installed.json"}
    assert command_lines or sys.platform != "linux"
    assert not any(TOKEN.encode() in line for line in command_lines)  # everybody can read those

    record = json.loads((folder / "installed.json").read_text())
    assert (record["revision"], record["licence"], record["repo"]) == (REVISION, "A licence", "someone/tiny-svd")
    assert record["files"][UNET]["size"] > UNET_BYTES
    assert re.fullmatch("[0-9a-f]{64}", record["files"]["vae/config.json"]["sha256"])

    hub.requests.clear()
    assert library.get(TINY, nothing) == folder
    assert hub.requests == []


def test_the_offer_is_known_before_anything_is_asked(library: WeightsLibrary, hub: FakeHub) -> None:
    offer = library.describe(GATED)
    assert (offer.size_gb, offer.licence, offer.licence_url) == (0.001, "A licence", "https://example.org/the-licence")
    assert (offer.folder, offer.installed, offer.has_token) == (library.folder / "tiny-svd", None, False)
    assert offer.free_gb == pytest.approx(shutil.disk_usage(library.folder.parent).free / 1e9, rel=0.1)
    assert offer.has_room
    assert hub.requests == []
    assert not library.folder.exists()


# Interrupted


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_a_killed_download_process_is_replaced_and_goes_on(there: Path, tmp_path: Path) -> None:
    killed: list[int] = []

    def kill_half_way(done: int, total: int, file: str) -> None:
        if file == UNET and done > total / 2 and not killed:
            killed.extend(download_processes())
            os.kill(killed[0], signal.SIGKILL)

    with fake_hub(there, bytes_per_second=800_000) as hub:
        library = library_for(hub, tmp_path)
        library.get(TINY, kill_half_way)
        first, second = hub.asked_for(UNET)
    assert len(killed) == 1
    assert first.start == 0
    assert 100_000 < second.start <= first.sent
    assert second.sent == (there / UNET).stat().st_size - second.start
    assert library.check(TINY) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_a_killed_studio_takes_its_download_along_and_the_next_one_goes_on(
    library: WeightsLibrary, hub: FakeHub, there: Path
) -> None:
    part = library.folder_for(TINY) / f"{UNET}.part"
    half = (there / UNET).stat().st_size // 2
    hub.faults[UNET] = ["half then silent"]
    script = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from tests.library.fake_checkpoint import *
WeightsLibrary(Path({str(library.folder)!r}), {hub.url!r}, official={hub.url!r}).get(TINY, nothing)
"""
    studio = subprocess.Popen([sys.executable, "-c", script])
    wait_until(lambda: part.exists() and part.stat().st_size == half)
    (download,) = download_processes(studio.pid)
    studio.kill()
    studio.wait()
    wait_until(lambda: not is_alive(download), within_s=1)
    assert library.installed(TINY) is None
    library.get(TINY, nothing)
    assert [request.start for request in hub.asked_for(UNET)] == [0, half]
    assert library.check(TINY) == []


def test_stopping_leaves_a_download_that_goes_on(there: Path, tmp_path: Path) -> None:
    def stop_half_way(done: int, total: int, file: str) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with fake_hub(there, bytes_per_second=2_000_000) as hub:
        library = library_for(hub, tmp_path)
        with pytest.raises(KeyboardInterrupt):
            library.get(TINY, stop_half_way)
        assert download_processes() == []
        assert library.installed(TINY) is None
        library.get(TINY, nothing)
    assert hub.asked_for(UNET)[-1].start > 0 or len(hub.asked_for(UNET)) == 1
    assert sum(request.sent for request in hub.requests) < 2 * UNET_BYTES


def test_a_server_without_ranges_starts_the_file_again(library: WeightsLibrary, hub: FakeHub, there: Path) -> None:
    hub.faults[UNET] = ["half", "no ranges"]
    folder = library.get(TINY, nothing)
    assert (folder / UNET).read_bytes() == (there / UNET).read_bytes()


def test_a_file_cut_short_is_completed(library: WeightsLibrary, hub: FakeHub, there: Path) -> None:
    hub.faults[UNET] = ["half"]
    folder = library.get(TINY, nothing)
    assert (folder / UNET).read_bytes() == (there / UNET).read_bytes()
    assert [request.start for request in hub.asked_for(UNET)] == [0, (there / UNET).stat().st_size // 2]


def test_a_file_that_is_always_cut_short_ends_in_words_and_keeps_its_half(
    library: WeightsLibrary, hub: FakeHub
) -> None:
    hub.faults[UNET] = "half"
    assert refusal(library).message.code == "weights.cut"
    assert (library.folder_for(TINY) / f"{UNET}.part").stat().st_size > UNET_BYTES // 2
    assert len(hub.asked_for(UNET)) == 5


def test_a_damaged_file_of_the_right_size_is_fetched_once_more(library: WeightsLibrary, hub: FakeHub) -> None:
    hub.faults[UNET] = ["corrupt"]
    library.get(TINY, nothing)
    assert [request.start for request in hub.asked_for(UNET)] == [0, 0]
    assert library.check(TINY) == []


@pytest.mark.parametrize("file", [UNET, "unet/config.json"])
def test_a_file_that_stays_damaged_is_refused_and_deleted(library: WeightsLibrary, hub: FakeHub, file: str) -> None:
    hub.faults[file] = "corrupt"
    message = refusal(library).message
    assert (message.code, message.values["file"]) == ("weights.corrupt", file)
    assert len(hub.asked_for(file)) == 2
    assert not list(library.folder.rglob(Path(file).name + "*")) or file == "unet/config.json"
    assert not (library.folder_for(TINY) / file).exists()
    assert not (library.folder_for(TINY) / f"{file}.part").exists()


# Silent, refused, broken


def test_a_silent_hub_ends_in_words(library: WeightsLibrary, hub: FakeHub) -> None:
    hub.faults["listing"] = "silent"
    begun = time.monotonic()
    assert refusal(library).message.code == "weights.silent"
    assert time.monotonic() - begun < 4
    assert len(hub.requests) == 2
    assert download_processes() == []


def test_a_hub_that_falls_silent_half_way_ends_in_words(library: WeightsLibrary, hub: FakeHub) -> None:
    hub.faults[UNET] = "half then silent"
    assert refusal(library).message.code == "weights.silent"
    assert (library.folder_for(TINY) / f"{UNET}.part").stat().st_size > UNET_BYTES // 2


def test_a_hub_that_falls_silent_once_is_asked_again(library: WeightsLibrary, hub: FakeHub) -> None:
    hub.faults[UNET] = ["half then silent"]
    library.get(TINY, nothing)
    assert [request.start > 0 for request in hub.asked_for(UNET)] == [False, True]


@pytest.mark.slow
def test_silence_and_absence_end_within_fifteen_seconds_as_delivered(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults["listing"] = "silent"
    for url in (hub.url, closed_port()):
        begun = time.monotonic()
        refusal(WeightsLibrary(tmp_path, url))
        assert time.monotonic() - begun < 15


def test_no_network_ends_in_words(tmp_path: Path) -> None:
    library = WeightsLibrary(tmp_path, closed_port(), pause_s=0.02)
    message = refusal(library).message
    assert message.code == "weights.offline"
    assert str(message.values["host"]).startswith("127.0.0.1:")


def test_an_overloaded_hub_is_asked_again(library: WeightsLibrary, hub: FakeHub) -> None:
    hub.faults |= {"listing": ["503", "503"], UNET: ["503"]}
    assert library.get(TINY, nothing)


def test_a_hub_that_stays_overloaded_ends_in_words(library: WeightsLibrary, hub: FakeHub) -> None:
    hub.faults["listing"] = "503"
    message = refusal(library).message
    assert (message.code, message.values["status"]) == ("weights.overloaded", 503)
    assert len(hub.requests) == 4


def test_a_repository_that_is_gone_ends_in_words_at_once(library: WeightsLibrary, hub: FakeHub) -> None:
    gone = replace(TINY, repo="someone/gone")
    assert refusal(library, gone).message.code == "weights.not_found"
    assert len(hub.requests) == 1


def test_a_repository_without_one_of_the_files_is_refused_before_the_download(
    library: WeightsLibrary, hub: FakeHub
) -> None:
    wanting = replace(TINY, files=(*SVD_FILES, "unet/new.safetensors"))
    message = refusal(library, wanting).message
    assert (message.code, message.values["file"]) == ("weights.lacks_file", "unet/new.safetensors")
    assert len(hub.requests) == 1


def test_a_hotel_network_that_answers_for_the_hub_is_recognised(library: WeightsLibrary, hub: FakeHub) -> None:
    hub.faults["listing"] = "html"
    assert refusal(library).message.code == "weights.nonsense"


@pytest.mark.parametrize("name", ["../evil.json", "/etc/evil.json", "unet/../../evil.json", "C:\\evil.json", ".git/x"])
def test_a_hub_cannot_write_outside_the_folder(hub: FakeHub, name: str) -> None:
    listing = {**hub.listing(), "siblings": [{"rfilename": name, "size": 2, "blobId": "0" * 40}]}
    hub.listing = lambda: listing  # type: ignore[method-assign]
    with pytest.raises(wire.Fault, match="nonsense"):
        wire.Hub(hub.url, hub.url, None).commit(hub.repo, ["*"])


def test_an_endpoint_that_is_no_web_address_is_refused(tmp_path: Path) -> None:
    for endpoint in ("file:///etc", "huggingface.co", "ftp://x"):
        with pytest.raises(BadInput, match=r"weights\.bad_endpoint"):
            WeightsLibrary(tmp_path, endpoint).get(TINY, nothing)


# Room


def test_a_disk_without_room_is_refused_before_anything_is_asked(library: WeightsLibrary, hub: FakeHub) -> None:
    huge = replace(TINY, size_gb=1e6)
    assert not library.describe(huge).has_room
    error = refusal(library, huge)
    assert isinstance(error, DiskFull)
    assert error.message.code == "weights.no_room"
    assert hub.requests == []


def test_a_commit_larger_than_the_disk_is_refused_before_its_files(library: WeightsLibrary, hub: FakeHub) -> None:
    hub.stated_sizes[UNET] = 10**15
    assert refusal(library).message.code == "weights.no_room"
    assert len(hub.requests) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_ends_in_words(library: WeightsLibrary) -> None:
    (library.folder_for(TINY) / "unet").mkdir(parents=True)
    (library.folder_for(TINY) / f"{UNET}.part").symlink_to("/dev/full")
    error = refusal(library)
    assert isinstance(error, DiskFull)
    assert error.message.code == "weights.disk_filled"


@pytest.mark.skipif(sys.platform == "win32", reason="permissions differ")
def test_a_folder_that_takes_no_files_ends_in_words(library: WeightsLibrary) -> None:
    library.folder_for(TINY).mkdir(parents=True)
    (library.folder_for(TINY) / "unet").write_text("a file where a folder must be")
    assert refusal(library).message.code == "weights.disk_refuses"


def wait_until(condition: Callable[[], bool], within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def closed_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"
