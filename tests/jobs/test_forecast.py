"""Forecasts scale what earlier clips took; progress turns them into a fraction that never falls."""

from pathlib import Path

import numpy as np
import pytest

from svd_studio.core.clip import ClipRequest, ClipSettings, ResolvedSettings
from svd_studio.core.errors import Cancelled
from svd_studio.core.progress import Progress
from svd_studio.database import Database
from svd_studio.engines.catalog import ENGINES
from svd_studio.jobs.forecast import Forecast, forecast
from svd_studio.jobs.progress import JobProgress
from svd_studio.jobs.queue import JobQueue


def recipe(**values: object) -> ResolvedSettings:
    return ClipSettings.from_person({"seed": 1, **values}).resolve(ENGINES["svd-nano"]).settings


def test_without_history_there_is_no_forecast() -> None:
    assert forecast(recipe(), []) is None
    assert forecast(recipe(), [(recipe(), {"encode": 1.0})]) is None, (
        "a clip from kept parts tells nothing of denoising"
    )


@pytest.mark.parametrize(
    ("change", "stage", "factor"),
    [
        ({"steps": 20}, "denoise", 2.0),
        ({"frames": 7}, "denoise", 0.5),
        ({"guidance_last": 1.0}, "denoise", 0.5),
        ({"frames": 7}, "decode", 0.5),
        ({"finish": {"smooth": 4}}, "encode", 4.0),
        ({"steps": 20}, "load", 1.0),
    ],
)
def test_a_bigger_clip_takes_longer_in_proportion(change: dict[str, object], stage: str, factor: float) -> None:
    seconds = {"load": 3.0, "denoise": 10.0, "decode": 4.0, "encode": 1.0}
    told = forecast(recipe(**change), [(recipe(), seconds)])
    assert told is not None
    assert told.by_stage[stage] == pytest.approx(seconds[stage] * factor)  # type: ignore[index]


def test_enlarging_is_in_the_forecast_once_it_was_measured() -> None:
    plain = (recipe(), {"denoise": 10.0, "encode": 1.0})
    asked = recipe(frames=7, finish={"enlarge": 4})
    unknown = forecast(asked, [plain])
    assert unknown is not None
    assert unknown.leaves_out == "enlarge"
    measured = (recipe(finish={"enlarge": 2}), {"denoise": 10.0, "enlarge": 60.0, "encode": 4.0})
    known = forecast(asked, [plain, measured])
    assert known is not None
    assert known.leaves_out is None
    assert known.by_stage["enlarge"] == pytest.approx(30.0)
    assert "enlarge" not in forecast(recipe(), [plain, measured]).by_stage  # type: ignore[union-attr]


def test_neither_rife_nor_the_flow_tells_how_long_the_other_takes() -> None:
    flow = (recipe(finish={"smooth": 2}), {"denoise": 10.0, "finish": 1.0})
    rife = (recipe(finish={"smooth": 2, "between": "rife"}), {"denoise": 10.0, "finish": 20.0})
    asked = recipe(finish={"smooth": 4, "between": "rife"})
    unknown, known = forecast(asked, [flow]), forecast(asked, [flow, rife, flow])
    assert unknown is not None
    assert known is not None
    assert unknown.leaves_out == "finish"
    assert (known.leaves_out, known.by_stage["finish"]) == (None, pytest.approx(40.0))
    usual = forecast(recipe(finish={"smooth": 2}), [rife, flow, rife])
    assert usual is not None
    assert usual.by_stage["finish"] == pytest.approx(1.0)


def test_what_takes_long_is_told_while_frames_are_encoded_beside_it(tmp_path: Path) -> None:
    queue = JobQueue(Database(tmp_path / "studio.db"))
    queue.add(ClipRequest(recipe(finish={"enlarge": 2}), Path("a.png")), "a", "owner")
    job, clock = queue.claim("me"), Clock()
    expected = Forecast({"denoise": 10.0, "enlarge": 40.0, "encode": 2.0})
    progress = JobProgress(queue, job, tmp_path, Progress(), expected, clock)  # type: ignore[arg-type]
    progress.report("encode", 0, 4)
    assert queue.get(1).eta_s == pytest.approx(42.0)  # type: ignore[union-attr]
    for tile in range(1, 5):
        clock.now += 5.0
        progress.report("enlarge", tile, 8)
    progress.report("encode", 2, 4)
    told = queue.get(1)
    assert told is not None
    assert (told.stage, told.done, told.total) == ("enlarge", 4, 8)
    assert told.eta_s == pytest.approx(20.0)


def test_one_odd_clip_does_not_spoil_the_forecast() -> None:
    history = [(recipe(), {"denoise": seconds}) for seconds in (10.0, 11.0, 400.0)]
    assert forecast(recipe(), history).seconds == pytest.approx(11.0)  # type: ignore[union-attr]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def running(tmp_path: Path):  # type: ignore[no-untyped-def]
    queue = JobQueue(Database(tmp_path / "studio.db"))
    queue.add(ClipRequest(recipe(), Path("a.png")), "a", "owner")
    job, clock = queue.claim("me"), Clock()
    expected = Forecast({"load": 2.0, "denoise": 10.0, "decode": 5.0, "encode": 1.0})
    return queue, clock, JobProgress(queue, job, tmp_path / "previews", Progress(), expected, clock)


def test_time_to_go_follows_the_pace_of_the_running_stage(running) -> None:  # type: ignore[no-untyped-def]
    queue, clock, progress = running
    progress.report("denoise", 0, 10)
    assert queue.get(1).eta_s == pytest.approx(16.0)
    clock.now += 4.0
    progress.report("denoise", 2, 10)
    job = queue.get(1)
    assert job.eta_s == pytest.approx(4.0 / 2 * 8 + 6.0)
    assert job.fraction == pytest.approx(4.0 / (4.0 + 22.0))


def test_the_fraction_never_falls(running) -> None:  # type: ignore[no-untyped-def]
    queue, clock, progress = running
    fractions = []
    for done, seconds in ((0, 1.0), (1, 1.0), (2, 30.0), (3, 1.0), (4, 60.0)):
        clock.now += seconds
        progress.report("denoise", done, 10)
        fractions.append(queue.get(1).fraction)
    assert fractions == sorted(fractions)


def test_the_preview_is_replaced_whole_and_counted(running, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from PIL import Image

    queue, clock, progress = running
    colours = np.stack([np.full((8, 16, 3), 40 * frame, np.uint8) for frame in range(3)])
    for done in (1, 2):
        clock.now += 2
        progress.report("denoise", done, 10, preview=colours * done)
    assert queue.get(1).preview_version == 2
    with Image.open(tmp_path / "previews" / "1.webp") as preview:
        assert (preview.n_frames, preview.size) == (3, (16, 8))
    assert [path.name for path in (tmp_path / "previews").iterdir()] == ["1.webp"]


def test_a_stop_is_heard_through_the_row(running) -> None:  # type: ignore[no-untyped-def]
    queue, clock, progress = running
    progress.report("denoise", 1, 10)
    queue.cancel(1)
    clock.now += 1
    with pytest.raises(Cancelled):
        progress.check()


def test_a_released_job_waits_again_without_a_try_lost(running) -> None:  # type: ignore[no-untyped-def]
    queue, *_ = running
    queue.release()
    job = queue.get(1)
    assert (job.status, job.attempts) == ("queued", 0)
