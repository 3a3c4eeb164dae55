"""A worker that dies is replaced, and the job it held is done by the next one; none outlives its window."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from svd_studio.host import is_alive
from svd_studio.jobs.housekeeping import LOG_BYTES
from svd_studio.jobs.supervisor import FRESH_WORKER, Patience, Supervisor
from tests.waiting import until

COUNTING = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(60)"


@pytest.fixture
def pids(tmp_path: Path) -> Callable[[], list[int]]:
    """The workers that were started so far."""
    (tmp_path / "pids").touch()
    return lambda: [int(line) for line in (tmp_path / "pids").read_text().split()]


def supervisor(tmp_path: Path) -> Supervisor:
    return Supervisor([sys.executable, "-c", COUNTING, str(tmp_path / "pids")], tmp_path / "worker.log")


def test_a_killed_worker_is_noticed_and_replaced(tmp_path: Path, pids: Callable[[], list[int]]) -> None:
    watched = supervisor(tmp_path)
    watched.start()
    until(lambda: len(pids()) == 1)
    assert watched.worker_pid() == pids()[0]
    os.kill(pids()[0], signal.SIGKILL)
    until(lambda: len(pids()) == 2)
    watched.stop()
    assert watched.worker_pid() is None
    assert not any(is_alive(pid) for pid in pids())


def test_a_worker_that_dies_at_once_is_not_started_without_end(tmp_path: Path) -> None:
    watched = Supervisor([sys.executable, "-c", "print('started')"], tmp_path / "worker.log")
    watched.start()
    time.sleep(2.5)
    watched.stop()
    assert 1 <= (tmp_path / "worker.log").read_text().count("started") <= 3


def test_the_worker_goes_when_its_window_is_killed(tmp_path: Path, pids: Callable[[], list[int]]) -> None:
    window = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from svd_studio.jobs.supervisor import Supervisor\n"
            "script = 'from svd_studio.host import exit_when_parent_dies; exit_when_parent_dies();' + sys.argv[2]\n"
            "Supervisor([sys.executable, '-c', script, sys.argv[1]], Path(sys.argv[1] + '.log')).start()\n"
            "time.sleep(60)",
            str(tmp_path / "pids"),
            COUNTING,
        ],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    until(lambda: len(pids()) == 1)
    window.kill()
    window.wait()
    until(lambda: not is_alive(pids()[0]))


def test_a_fresh_worker_takes_the_place_of_a_living_one(tmp_path: Path, pids: Callable[[], list[int]]) -> None:
    listening = COUNTING.replace("time.sleep(60)", "sys.stdin.read()")
    watched = Supervisor([sys.executable, "-c", listening, str(tmp_path / "pids")], tmp_path / "worker.log")
    watched.start()
    until(lambda: len(pids()) == 1)
    watched.renew()
    until(lambda: len(pids()) == 2)
    until(lambda: watched.worker_pid() == pids()[1])
    assert watched.deaths == 0
    watched.stop()
    assert not any(is_alive(pid) for pid in pids())


@pytest.mark.slow
def test_a_worker_that_cannot_be_spawned_is_tried_again(tmp_path: Path, pids: Callable[[], list[int]]) -> None:
    program = tmp_path / "python"
    watched = Supervisor([str(program), "-c", COUNTING, str(tmp_path / "pids")], tmp_path / "logs" / "worker.log")
    watched.start()
    time.sleep(0.3)
    program.symlink_to(sys.executable)
    until(lambda: len(pids()) == 1, 20)
    watched.stop()


def test_a_death_is_noticed_within_a_second_and_its_last_words_are_kept(
    tmp_path: Path, pids: Callable[[], list[int]]
) -> None:
    watched = supervisor(tmp_path)
    watched.start()
    until(lambda: len(pids()) == 1)
    assert (watched.deaths, watched.last_words) == (0, None)
    with (tmp_path / "worker.log").open("a") as log:
        log.write("out of luck\n\n")
    os.kill(pids()[0], signal.SIGKILL)
    until(lambda: watched.deaths == 1)  # a busy machine may look late
    assert Patience().look_every_s <= 0.5
    assert watched.last_words == "out of luck"
    watched.stop()


@pytest.mark.slow
def test_deaths_in_a_row_are_counted_until_a_worker_lives_long(tmp_path: Path) -> None:
    program = "import sys, time, pathlib; time.sleep(60 * pathlib.Path(sys.argv[1]).exists())"
    patience = Patience(look_every_s=0.05, long_enough_s=1, first_pause_s=0.05, longest_pause_s=0.1)
    watched = Supervisor([sys.executable, "-c", program, str(tmp_path / "live")], tmp_path / "worker.log", patience)
    watched.start()
    until(lambda: watched.deaths >= 2)
    (tmp_path / "live").touch()
    until(lambda: watched.deaths == 0)
    watched.stop()


def test_a_worker_that_asks_for_a_fresh_one_has_not_died(tmp_path: Path) -> None:
    program = f"print('started', flush=True); raise SystemExit({FRESH_WORKER})"
    watched = Supervisor([sys.executable, "-c", program], tmp_path / "worker.log", Patience(first_pause_s=60))
    watched.start()
    until(lambda: (tmp_path / "worker.log").exists() and (tmp_path / "worker.log").read_text().count("started") >= 3)
    watched.stop()
    assert watched.deaths == 0


@pytest.mark.slow
def test_a_long_log_makes_way_when_a_worker_starts(tmp_path: Path, pids: Callable[[], list[int]]) -> None:
    (tmp_path / "worker.log").write_bytes(b"old" * LOG_BYTES)
    watched = supervisor(tmp_path)
    watched.start()
    until(lambda: len(pids()) == 1)
    watched.stop()
    assert (tmp_path / "worker.log").stat().st_size < LOG_BYTES
    assert (tmp_path / "worker.log.1").stat().st_size == 3 * LOG_BYTES
