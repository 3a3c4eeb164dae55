"""The jobs verb as somebody types it: the Queue page's buttons, one sentence for what cannot be done."""

import json
from pathlib import Path
from typing import Any

import pytest

from svd_studio.cli import main
from svd_studio.core.clip import ClipRequest, ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import Message
from svd_studio.core.job import JobStatus
from svd_studio.engines.catalog import ENGINES
from svd_studio.studio import OWNER, Studio

SETTINGS = ClipSettings(seed=3).resolve(ENGINES["svd-nano"]).settings


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """Jobs 1 to 3 wait, 4 has failed, 5 is done, 6 runs."""
    studio = Studio(StudioConfig(tmp_path))
    for title in "abcdef":
        studio.queue.add(ClipRequest(SETTINGS, tmp_path / "a.png"), title, OWNER)
    for number in (4, 5, 6):
        studio.queue.claim("me", number)
    studio.queue.fail(4, Message("memory.ran_out"))
    studio.queue.finish(5, "clip")
    return studio


@pytest.fixture
def run(studio: Studio, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> tuple[int, str, str]:
        code = main(["jobs", *words, "--data", str(studio.config.data)])
        done = capsys.readouterr()
        return code, done.out, done.err

    return run


def listed(run: Any, *words: str) -> list[int]:
    code, out, _ = run(*words, "--json")
    assert code == 0
    return [job["id"] for job in json.loads(out)]


def state(studio: Studio, number: int) -> JobStatus:
    job = studio.queue.get(number)
    assert job is not None
    return job.status


def test_the_list_runs_from_what_runs_to_what_has_ended(run: Any) -> None:
    assert listed(run) == [6, 1, 2, 3, 5, 4]
    code, out, said = run("--limit", "2")
    assert (code, out.count("\n")) == (0, 2)
    assert "4 more" in said
    assert "choose fewer frames" in run()[1], "the reason stands beside what failed"


def test_an_empty_queue_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "--data", str(tmp_path / "new")]) == 0
    assert "animate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "order"),
    [
        (("3", "top"), [3, 1, 2]),
        (("2", "up"), [2, 1, 3]),
        (("1", "down"), [2, 1, 3]),
        (("1", "end"), [2, 3, 1]),
        (("3", "before", "2"), [1, 3, 2]),
        (("1", "behind", "2"), [2, 1, 3]),
    ],
)
def test_a_waiting_job_is_moved(run: Any, words: tuple[str, ...], order: list[int]) -> None:
    assert listed(run, "move", *words) == order


def test_cancel_retry_and_remove(run: Any, studio: Studio) -> None:
    assert listed(run, "cancel", "1", "6") == [1, 6]
    assert state(studio, 1) is JobStatus.CANCELLED
    assert studio.queue.should_stop(6)
    assert listed(run, "retry", "1", "4") == [1, 4]
    assert state(studio, 4) is JobStatus.QUEUED
    assert listed(run, "remove", "2") == [2]
    assert studio.queue.get(2) is None


def test_everything_that_failed_waits_again(run: Any, studio: Studio) -> None:
    assert json.loads(run("retry", "failed", "--json")[1]) == {"retried": 1}
    assert state(studio, 4) is JobStatus.QUEUED


def test_a_duplicate_has_the_seed_that_was_asked_for_or_another(run: Any, studio: Studio) -> None:
    code, out, _ = run("duplicate", "5", "--seed", "9", "--json")
    assert (code, json.loads(out)[0]["settings"]["seed"]) == (0, 9)
    assert json.loads(run("duplicate", "5", "--json")[1])[0]["settings"]["seed"] != SETTINGS.seed
    assert [job.title for job in studio.queue.find([JobStatus.QUEUED])] == ["a", "b", "c", "e", "e"]


def test_what_has_ended_is_cleared(run: Any, studio: Studio) -> None:
    assert json.loads(run("clear", "done", "--json")[1]) == {"removed": 1}
    assert studio.queue.get(4) is not None
    assert run("clear", "done", "failed")[0] == 0
    assert listed(run) == [6, 1, 2, 3]


def test_a_pause_is_said_until_it_ends(run: Any, studio: Studio) -> None:
    assert run("pause")[0] == 0
    assert studio.queue.is_paused()
    assert "jobs resume" in run()[2]
    assert json.loads(run("resume", "--json")[1]) == {"paused": False}
    assert run()[2] == ""


@pytest.mark.parametrize(
    "words",
    [
        ("cancel",),
        ("cancel", "5"),
        ("cancel", "77"),
        ("cancel", "one"),
        ("cancel", "9" * 30),
        ("retry", "1"),
        ("remove", "6"),
        ("move", "1"),
        ("move", "1", "left"),
        ("move", "1", "before"),
        ("move", "1", "before", "5"),
        ("move", "6", "top"),
        ("duplicate", "1", "--seed", "-1"),
        ("clear",),
        ("clear", "waiting"),
        ("juggle",),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_changes_nothing(
    run: Any, studio: Studio, words: tuple[str, ...]
) -> None:
    before = listed(run)
    code, out, said = run(*words)
    assert (code, out, said.count("\n")) == (2, "", 1)
    assert "Traceback" not in said
    assert listed(run) == before


def test_of_several_jobs_all_are_changed_or_none(run: Any, studio: Studio) -> None:
    assert run("cancel", "1", "5")[0] == 2
    assert state(studio, 1) is JobStatus.QUEUED
