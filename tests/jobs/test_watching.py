"""What makes a worker leave by itself: silence and growth; and what its claim says meanwhile."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from svd_studio.core.errors import Message
from svd_studio.core.progress import Progress
from svd_studio.host import used_memory_gb
from svd_studio.jobs.memory import MemoryWatch
from svd_studio.jobs.progress import RENEW_EVERY_S, JobProgress
from svd_studio.jobs.queue import LEASE_S, JobQueue
from svd_studio.jobs.supervisor import FRESH_WORKER
from svd_studio.jobs.watchdog import SILENT_S
from svd_studio.jobs.worker import Worker
from tests.jobs.test_worker import add, worker  # noqa: F401

GUARDED = """
import sys, time
from svd_studio.jobs.watchdog import Watchdog
watchdog = Watchdog(silent_s=1)
for _ in range(int(sys.argv[1])):
    watchdog.alive()
    time.sleep(0.3)
{then}
print("still here", flush=True)
"""


def guarded(signs: int, then: str) -> subprocess.CompletedProcess[str]:
    script = GUARDED.format(then=then)
    return subprocess.run([sys.executable, "-c", script, str(signs)], capture_output=True, text=True, timeout=60)


def test_signs_of_life_hold_the_watchdog_off() -> None:
    ended = guarded(10, "watchdog.off(); time.sleep(1.5)")
    assert (ended.returncode, ended.stdout.strip()) == (0, "still here")


def test_silence_ends_the_process_and_says_where_it_was() -> None:
    ended = guarded(1, "def waiting_for_ever(): time.sleep(60)\nwaiting_for_ever()")
    assert ended.returncode == 1
    assert "waiting_for_ever" in ended.stderr


def test_a_claim_outlasts_the_longest_silence() -> None:
    assert LEASE_S > SILENT_S + RENEW_EVERY_S


def test_a_running_job_says_where_it_runs_and_keeps_its_claim(worker: Worker, picture_file: Path) -> None:  # noqa: F811
    clock = [1000.0]
    queue = JobQueue(worker.queue.database, lambda: clock[0], card=1)
    add(worker, picture_file)
    job = queue.claim("here:1")
    assert job is not None
    assert (job.card, job.lease) == (1, 1000 + LEASE_S)
    assert job.host
    progress = JobProgress(queue, job, worker.config.previews, Progress(), now=lambda: clock[0])
    clock[0] += 1
    progress.check()
    assert queue.get(1).lease == 1000 + LEASE_S, "not at every check"  # type: ignore[union-attr]
    clock[0] += RENEW_EVERY_S
    progress.check()
    assert queue.get(1).lease == clock[0] + LEASE_S  # type: ignore[union-attr]
    queue.fail(1, Message("memory.ran_out"))
    assert queue.get(1).lease is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("used", "too_much"),
    [
        ([5, 5.5, 6, 6.9], False),
        ([5, 5.5, 7.6], True),
        ([1, 2.9], False),
        ([1, 3.1], True),
        ([26, 26.5], False),  # large, but not grown: a fresh worker would be no smaller
        ([24.5, 25.8], True),
        ([None, None], False),
    ],
)
def test_what_has_grown_is_told_from_what_is_large(used: list[float | None], too_much: bool) -> None:
    values = iter(used)
    watch = MemoryWatch(lambda: next(values), total_gb=32)
    assert [watch.is_too_much("svd-nano") for _ in used] == [*[False] * (len(used) - 1), too_much]


def test_each_engine_is_compared_with_itself() -> None:
    values = iter([1.0, 12.0, 1.5])
    watch = MemoryWatch(lambda: next(values), total_gb=None)
    assert not any(watch.is_too_much(engine) for engine in ("svd-nano", "svd-xt", "svd-nano"))


def test_a_worker_that_has_grown_asks_for_a_fresh_one_between_jobs(worker: Worker, picture_file: Path) -> None:  # noqa: F811
    values = iter([1.0, 9.0])
    grown = Worker(
        worker.config, worker.queue, worker.clips, worker.bench, memory=MemoryWatch(lambda: next(values), None)
    )
    for seed in (1, 2, 3):
        add(worker, picture_file, seed=seed)
    assert grown.work(threading.Event()) == FRESH_WORKER
    assert [str(worker.queue.get(number).status) for number in (1, 2, 3)] == ["done", "done", "queued"]  # type: ignore[union-attr]


def test_memory_is_measured_as_it_comes_and_goes() -> None:
    before = used_memory_gb()
    if before is None:
        pytest.skip("this system does not tell")
    block = np.ones(2**27, np.uint8)
    during = used_memory_gb()
    del block
    after = used_memory_gb()
    assert during is not None
    assert after is not None
    assert 0.1 < during - before < 0.2
    assert after < during - 0.1
