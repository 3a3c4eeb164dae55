"""The studio's processes: served first, worker after; whatever is killed, the job is done and nobody is left over."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.job import JobStatus
from svd_studio.host import is_alive
from svd_studio.library.clip_search import ClipFilter
from svd_studio.library.trash import KEPT_DAYS
from svd_studio.studio import Studio
from tests.journeys.window import ROOT, Window
from tests.library.made_clips import row
from tests.waiting import until

SMALL = {"engine": "svd-nano", "width": 64, "height": 64, "frames": 2, "steps": 2}


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    data = tmp_path_factory.mktemp("studio 工作室")
    thrown_away_long_ago(Studio(StudioConfig(data)))
    with Window(data) as opened:
        until(opened.worker_pid, 30)
        yield opened


def thrown_away_long_ago(studio: Studio) -> None:
    studio.clips.write([replace(row(studio, 1), trashed=time.time() - (KEPT_DAYS + 1) * 86_400)])


def open_again(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "app.py"), "--data", str(data), "--no-browser", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)


def test_what_lay_in_the_trash_for_long_enough_is_deleted(window: Window) -> None:
    until(lambda: window.studio.clips.holdings(ClipFilter(in_trash=True)).count == 0)


def test_a_second_studio_on_the_folder_says_where_the_first_is(window: Window) -> None:
    second = open_again(window.data)
    assert second.returncode == 0
    assert window.url in second.stdout


def test_a_second_studio_waits_for_the_first_ones_address(tmp_path: Path) -> None:
    first = Window(tmp_path / "data")
    until(
        lambda: first.studio.config.studio_lock.exists() and first.studio.config.studio_lock.read_bytes().strip(b"\0")
    )
    second = open_again(first.data)
    first.__exit__()
    assert (second.returncode, second.stderr) == (0, "")
    assert first.url in second.stdout


def test_a_taken_port_that_was_asked_for_gets_a_sentence(window: Window, tmp_path: Path) -> None:
    other = open_again(tmp_path, "--port", str(window.port))
    assert (other.returncode, other.stderr.count("\n")) == (2, 1)
    assert str(window.port) in other.stderr


def test_a_taken_default_port_gives_the_next_free_one(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT))
    import app

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        app_first = app.FIRST_PORT
        try:
            app.FIRST_PORT = taken.getsockname()[1]
            assert app.free_port(None, "127.0.0.1") > app.FIRST_PORT
        finally:
            app.FIRST_PORT = app_first


def test_a_job_is_rendered_by_the_worker(window: Window, picture_file: Path) -> None:
    job_id = window.studio.submit(ClipSettings.from_person({**SMALL, "seed": 1}), picture_file).job_id
    until(lambda: window.studio.queue.get(job_id).status is JobStatus.DONE, 60)  # type: ignore[union-attr]


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_its_job_is_done(window: Window, picture_file: Path) -> None:
    job_id = window.studio.submit(ClipSettings.from_person({**SMALL, "steps": 40, "seed": 2}), picture_file).job_id
    until(lambda: window.studio.queue.get(job_id).stage == "denoise", 60)  # type: ignore[union-attr]
    killed = window.worker_pid()
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    until(lambda: window.studio.queue.get(job_id).status is JobStatus.DONE, 90)  # type: ignore[union-attr]
    job = window.studio.queue.get(job_id)
    assert job is not None
    assert job.attempts == 2
    assert window.worker_pid() != killed


def test_a_second_job_loads_nothing(window: Window, picture_file: Path) -> None:
    for seed in (3, 4):
        job_id = window.studio.submit(ClipSettings.from_person({**SMALL, "seed": seed}), picture_file).job_id
        until(lambda: window.studio.queue.get(job_id).status is JobStatus.DONE, 60)  # type: ignore[union-attr]  # noqa: B023
    assert window.studio.clips.newest(1)[0].rendered.seconds_by_stage["load"] < 0.05


def test_the_window_process_holds_no_torch(window: Window) -> None:
    maps = Path(f"/proc/{window.process.pid}/maps")
    if not maps.exists():
        pytest.skip("needs /proc")
    assert "libtorch" not in maps.read_text()


def test_a_killed_window_takes_its_worker_along(tmp_path: Path) -> None:
    window = Window(tmp_path / "data")
    window.__enter__()
    until(window.worker_pid, 30)
    worker = window.worker_pid()
    assert worker is not None
    window.process.kill()
    window.process.wait()
    until(lambda: not is_alive(worker), 15)


@pytest.mark.parametrize("given", ["0", "-1", "nan", "inf", "-0.5", "many", "1e300", "十"])
@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--guest-gb", "Guests can be given 0.1 to 100000 GB: give --guest-gb such a number.\n"),
        ("--share-hours", "A link can be shared for 0.1 to 72.0 hours: give --share-hours such a number.\n"),
    ],
)
def test_a_limit_that_is_none_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str, told: str, given: str
) -> None:
    import app

    assert app.main([flag, given, "--data", str(tmp_path / "data"), "--no-browser"]) == 2
    assert capsys.readouterr() == ("", told)
    assert not (tmp_path / "data").exists()
