"""The durable queue on real SQLite."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import apsw
import pytest

from svd_studio.core.clip import ClipRequest, ClipSettings
from svd_studio.core.errors import BadInput, Message
from svd_studio.core.job import JobStatus
from svd_studio.database import MIGRATIONS, Database
from svd_studio.engines.catalog import ENGINES
from svd_studio.jobs.queue import MAX_ATTEMPTS, JobQueue, finding


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    return JobQueue(Database(tmp_path / "studio.db"))


def add(queue: JobQueue, prompt: str = "") -> int:
    settings = ClipSettings(prompt=prompt, seed=3).resolve(ENGINES["svd-nano"]).settings
    return queue.add(ClipRequest(settings, Path("inputs/abc.png")), "a picture", "owner")


def test_a_job_comes_back_as_it_went_in(queue: JobQueue) -> None:
    job = queue.get(add(queue, '海 & "words"\n'))
    assert job is not None
    assert job.request.settings.prompt == '海 & "words"'
    assert job.request.start_image == Path("inputs/abc.png")
    assert (job.title, job.owner, job.status) == ("a picture", "owner", JobStatus.QUEUED)


def test_jobs_are_claimed_in_order_and_once(queue: JobQueue) -> None:
    first, second = add(queue), add(queue)
    assert [queue.claim("a").id, queue.claim("b").id] == [first, second]  # type: ignore[union-attr]
    assert queue.claim("c") is None


def test_many_threads_never_claim_the_same_job(queue: JobQueue) -> None:
    ids = {add(queue) for _ in range(20)}
    claimed: list[int] = []

    def work() -> None:
        while job := queue.claim(threading.current_thread().name):
            claimed.append(job.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(ids)


def test_a_named_job_can_be_claimed_past_others(queue: JobQueue) -> None:
    add(queue)
    second = add(queue)
    assert queue.claim("a", second).id == second  # type: ignore[union-attr]
    assert queue.claim("a", second) is None


def test_progress_is_written_only_while_running(queue: JobQueue) -> None:
    number = add(queue)
    queue.report(number, "denoise", 1, 4, 0.3, 9.0, 1)
    assert queue.get(number).stage is None  # type: ignore[union-attr]
    queue.claim("a")
    queue.report(number, "denoise", 2, 4, 0.4, 8.0, 2)
    job = queue.get(number)
    assert job is not None
    assert (job.stage, job.done, job.total, job.fraction, job.eta_s, job.preview_version) == (
        "denoise",
        2,
        4,
        0.4,
        8.0,
        2,
    )


def test_cancelling_ends_a_waiting_job_and_asks_a_running_one(queue: JobQueue) -> None:
    running, waiting = add(queue), add(queue)
    queue.claim("a")
    assert queue.cancel(waiting)
    assert queue.cancel(running)
    assert queue.get(waiting).status is JobStatus.CANCELLED  # type: ignore[union-attr]
    assert queue.should_stop(running)
    queue.mark_cancelled(running)
    assert not queue.cancel(running)


def test_a_lost_job_waits_again_and_is_given_up_after_three_tries(queue: JobQueue) -> None:
    number = add(queue)
    for _ in range(MAX_ATTEMPTS - 1):
        queue.claim("a")
        assert queue.recover() == [number]
        assert queue.get(number).status is JobStatus.QUEUED  # type: ignore[union-attr]
    queue.claim("a")
    queue.recover()
    job = queue.get(number)
    assert job is not None
    assert job.status is JobStatus.FAILED
    assert job.message == Message("job.worker_died", {"attempts": 3})


@pytest.mark.parametrize("how", ["recover", "release"])
def test_a_job_that_waits_again_tells_nothing_of_its_first_try(queue: JobQueue, how: str) -> None:
    number = add(queue)
    queue.claim("a")
    queue.report(number, "denoise", 2, 4, 0.4, 8.0, 2)
    getattr(queue, how)()
    job = queue.get(number)
    assert job is not None
    assert (job.status, job.stage, job.fraction, job.eta_s) == (JobStatus.QUEUED, None, 0, None)
    assert job.attempts == (1 if how == "recover" else 0)


@pytest.mark.parametrize("how", ["recover", "release"])
def test_a_job_that_was_to_stop_is_cancelled_when_its_worker_is_gone(queue: JobQueue, how: str) -> None:
    number = add(queue)
    queue.claim("a")
    queue.cancel(number)
    getattr(queue, how)()
    assert queue.get(number).status is JobStatus.CANCELLED  # type: ignore[union-attr]


def test_running_and_waiting_jobs_come_first_then_the_newest_ended(queue: JobQueue) -> None:
    first, second, third, fourth = (add(queue) for _ in range(4))
    queue.claim("a")
    queue.finish(first, "clip1")
    queue.claim("a")
    queue.fail(second, Message("memory.ran_out"))
    queue.claim("a")
    assert [job.id for job in queue.find()] == [third, fourth, second, first]
    assert [job.id for job in queue.find([JobStatus.DONE])] == [first]


def test_an_acknowledged_row_survives_a_kill(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from svd_studio.database import Database; from svd_studio.jobs.queue import JobQueue\n"
        "from tests.jobs.test_queue import add\n"
        "queue = JobQueue(Database(Path(sys.argv[1])))\n"
        "print(add(queue), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", script, tmp_path / "studio.db"], capture_output=True, text=True)
    queue = JobQueue(Database(tmp_path / "studio.db"))
    assert [job.id for job in queue.find()] == [int(killed.stdout)]


def test_the_database_is_wal_and_full(queue: JobQueue) -> None:
    connection = queue.database.connection
    assert connection.pragma("journal_mode") == "wal"
    assert connection.pragma("synchronous") == 3  # EXTRA: FULL, and the folder is synced while the file is made
    assert tuple(map(int, apsw.sqlite_lib_version().split("."))) >= (3, 51, 3)


def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "studio.db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(BadInput, match="newer"):
        Database(path)
    assert path.read_bytes()[:100][60:64] == before[:100][60:64]


def test_what_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "studio.db").write_text("not a database, but long enough to be read as a header" * 20)
    with pytest.raises(BadInput, match="not_ours"):
        Database(tmp_path / "studio.db")
    with pytest.raises(BadInput, match="cannot_open"):
        Database(tmp_path / "missing" / "studio.db")


@pytest.mark.parametrize("owner", [None, "owner"])
def test_what_pages_ask_each_second_is_read_off_an_index_and_never_sorted(queue: JobQueue, owner: str | None) -> None:
    asked, values = finding(tuple(JobStatus), 30, owner)
    plan = [row[3] for row in queue.database.connection.execute(f"EXPLAIN QUERY PLAN {asked}", values)]
    assert not [step for step in plan if "TEMP B-TREE" in step or step.startswith("SCAN jobs")], plan


def test_jobs_are_found_running_first_then_in_line_then_the_newest_ended(queue: JobQueue) -> None:
    numbers = [add(queue) for _ in range(6)]
    queue.finish(queue.claim("worker").id, "clip")  # type: ignore[union-attr]
    queue.fail(queue.claim("worker").id, Message("memory.ran_out"))  # type: ignore[union-attr]
    queue.claim("worker")
    a, b, c, d, e, f = numbers
    assert [job.id for job in queue.find()] == [c, d, e, f, b, a]
    assert [job.id for job in queue.find(limit=2)] == [c, d]
    assert [job.id for job in queue.find((JobStatus.DONE, JobStatus.FAILED), 1)] == [b]
    assert queue.find((), 5) == []
    assert queue.find(owner="guest") == []
