"""What the data folder holds is known and bounded, and leftovers go while work in progress stays."""

import os
import time
from pathlib import Path

import pytest

from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput, DiskFull
from svd_studio.database import Database
from svd_studio.jobs import housekeeping, room
from svd_studio.jobs.housekeeping import COMPILED_BYTES, LOG_BYTES, LOGS_KEPT, holdings, rotate, sweep
from svd_studio.jobs.queue import JobQueue
from svd_studio.jobs.room import Room
from svd_studio.library.exports import EXPORTS_BYTES
from svd_studio.library.uploads import UPLOADS_BYTES
from svd_studio.rendering.parts import PARTS_BYTES, PartStore
from svd_studio.studio import Studio
from svd_studio.ui.texts import say
from svd_studio.video.files import PART_SUFFIX, check_room


@pytest.fixture
def config(tmp_path: Path) -> StudioConfig:
    made = StudioConfig(tmp_path / "data")
    for folder in (made.clips, made.parts, made.inputs, made.previews, made.logs, made.uploads):
        folder.mkdir(parents=True)
    return made


def test_what_is_held_is_counted_by_kind(config: StudioConfig) -> None:
    for path, size in (
        (config.previews / "1.webp", 10),
        (config.uploads / "a" / "b.png", 5),
        (config.exports / "id-gif.gif", 20),
        (config.compiled / "x" / "kernel.py", 3),
        (config.parts / "x.npy", 100),
        (config.data / "trash" / "id" / "c.mp4", 1000),
        (config.logs / "worker.log", 7),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    found = {holding.kind: (holding.bytes, holding.limit_bytes) for holding in holdings(config)}
    assert found["temp"] == (38, UPLOADS_BYTES + EXPORTS_BYTES + COMPILED_BYTES)
    assert found["parts"] == (100, PARTS_BYTES)
    assert found["trash"][0] == 1000
    assert found["logs"] == (7, 2 * (LOGS_KEPT + 1) * LOG_BYTES)


def test_an_empty_studio_holds_nothing(tmp_path: Path) -> None:
    assert sum(holding.bytes for holding in holdings(StudioConfig(tmp_path / "none"))) == 0


def test_leftovers_go_and_what_another_process_writes_stays(config: StudioConfig) -> None:
    old = time.time() - 3600
    gone = [folder / f".a{PART_SUFFIX}" for folder in (config.clips, config.parts, config.inputs)]
    gone += [config.previews / "7.webp", config.previews / "7.part"]
    stay = [config.clips / "a.mp4", config.parts / "a.npy", config.inputs / "a.png", config.inputs / f".b{PART_SUFFIX}"]
    for path in (*gone, *stay):
        path.touch()
    os.utime(gone[2], (old, old))
    sweep(config)
    assert [path.exists() for path in gone] == [False] * len(gone)
    assert [path.exists() for path in stay] == [True] * len(stay)


def test_a_log_keeps_two_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "LOG_BYTES", 10)
    log = tmp_path / "worker.log"
    for letter in "abcd":
        log.write_text(letter * 10)
        rotate(log)
    assert {path.name: path.read_text()[0] for path in tmp_path.iterdir()} == {"worker.log.1": "d", "worker.log.2": "c"}
    log.write_text("short")
    rotate(log)
    assert log.read_text() == "short"


def test_the_queue_waits_for_room_and_goes_on_by_itself(config: StudioConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    queue, parts = JobQueue(Database(config.database)), PartStore(config.parts)
    clock = [0.0]
    waiting = Room(queue, config.data, 10**18, parts, lambda: clock[0])
    assert not waiting.is_there()
    reason = queue.blocked()
    assert reason is not None
    assert str(config.data) in say(reason, "zh-CN")
    assert "by itself" in say(reason)
    waiting.needed_bytes = 1
    assert waiting.is_there()
    assert queue.blocked() is None
    waiting.wait_for_it()
    assert not waiting.is_there(), "the disk is not asked all the time"
    clock[0] += room.LOOK_EVERY_S
    assert waiting.is_there()


def test_room_that_only_seems_to_be_there_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def over_quota(*_: object) -> None:
        raise OSError(122, "Disk quota exceeded")

    check_room(tmp_path, 1_000_000)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(os, "posix_fallocate", over_quota, raising=False)
    with pytest.raises(DiskFull):
        check_room(tmp_path, 1_000_000)


def test_a_data_folder_on_a_network_drive_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("svd_studio.studio.network_drive", lambda folder: "nfs4")
    with pytest.raises(BadInput) as refused:
        Studio(StudioConfig(tmp_path / "data")).queue  # noqa: B018
    for language in ("en", "zh-CN"):
        assert "--data" in say(refused.value.message, language)
    assert not (tmp_path / "data").exists()


def test_compiled_kernels_go_when_they_have_become_too_many(
    config: StudioConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = config.compiled / "x" / "kernel.py"
    kernel.parent.mkdir(parents=True)
    kernel.write_bytes(bytes(100))
    sweep(config)
    assert kernel.exists()
    monkeypatch.setattr("svd_studio.jobs.housekeeping.COMPILED_BYTES", 99)
    sweep(config)
    assert not kernel.exists()
