"""When each waiting clip is ready: what runs, then what waits before it, each as long as such clips took."""

from pathlib import Path

import pytest

from svd_studio.core.clip import ClipRequest, ClipSettings, RenderedClip, ResolvedSettings
from svd_studio.database import Database
from svd_studio.engines.catalog import ENGINES
from svd_studio.jobs.arrange import Arrangement
from svd_studio.jobs.outlook import outlook
from svd_studio.jobs.queue import JobQueue
from svd_studio.library.clips import ClipLibrary

SECONDS = {"load": 3.0, "denoise": 10.0, "decode": 5.0}


def recipe(engine: str = "svd-nano", **values: object) -> ResolvedSettings:
    asked = {"seed": 1, "frames": 14, "steps": 10, **values}
    return ClipSettings.from_person(asked).resolve(ENGINES[engine]).settings.changed(engine=engine)


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    return JobQueue(Database(tmp_path / "studio.db"))


@pytest.fixture
def clips(queue: JobQueue, tmp_path: Path) -> ClipLibrary:
    clips = ClipLibrary(tmp_path / "clips", queue.database)
    clip = RenderedClip(clips.folder / "a.mp4", recipe(), "0" * 64, 14, 7.0, (256, 144), SECONDS)
    clips.add(clip, "a", "owner")
    return clips


def add(queue: JobQueue, **values: object) -> int:
    return queue.add(ClipRequest(recipe(**values), Path("a.png")), "a", "owner")  # type: ignore[arg-type]


def test_each_clip_waits_for_those_before_it_and_a_model_is_loaded_once(queue: JobQueue, clips: ClipLibrary) -> None:
    for seed in (1, 2):
        add(queue, seed=seed, prompt=f"words {seed}")
    add(queue, steps=20)
    assert outlook(queue, clips).ready_s == pytest.approx({1: 18.0, 2: 33.0, 3: 58.0})
    Arrangement(queue).shift(3, "top")
    assert outlook(queue, clips).ready_s == pytest.approx({3: 28.0, 1: 43.0, 2: 58.0})
    assert outlook(queue, clips).total_s == pytest.approx(58.0)


def test_what_runs_comes_first_with_what_it_says_itself(queue: JobQueue, clips: ClipLibrary) -> None:
    add(queue)
    add(queue)
    queue.claim("me")
    assert outlook(queue, clips).ready_s == pytest.approx({1: 18.0, 2: 33.0})
    queue.report(1, "denoise", 5, 10, 0.5, 7.0, 0)
    assert outlook(queue, clips).ready_s == pytest.approx({1: 7.0, 2: 22.0})


def test_two_workers_share_what_waits(queue: JobQueue, clips: ClipLibrary) -> None:
    for _ in range(4):
        add(queue)
    queue.claim("me")
    queue.report(1, "denoise", 5, 10, 0.5, 7.0, 0)
    told = outlook(queue, clips, workers=2)
    assert told.ready_s == pytest.approx({1: 7.0, 2: 18.0, 3: 22.0, 4: 33.0})
    assert told.total_s == pytest.approx(33.0)
    queue.on(1).claim("another")
    queue.on(2).claim("a terminal")
    assert outlook(queue, clips).ready_s == pytest.approx({1: 7.0, 2: 18.0, 3: 18.0, 4: 22.0})


def test_nothing_is_said_of_what_cannot_be_known_nor_of_what_comes_behind_it(
    queue: JobQueue, clips: ClipLibrary
) -> None:
    add(queue)
    add(queue, engine="svd")
    add(queue)
    told = outlook(queue, clips)
    assert set(told.ready_s) == {1}
    assert told.total_s is None


def test_an_empty_queue_is_ready_now(queue: JobQueue, clips: ClipLibrary) -> None:
    assert outlook(queue, clips).total_s == 0
