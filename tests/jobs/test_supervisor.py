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
from svd_studio.jobs.supervisor import Supervisor
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
    until(lambda: len(pids()) == 2, 5)
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
    until(lambda: not is_alive(pids()[0]), 2)


def test_a_worker_that_cannot_be_spawned_is_tried_again(tmp_path: Path, pids: Callable[[], list[int]]) -> None:
    program = tmp_path / "python"
    watched = Supervisor([str(program), "-c", COUNTING, str(tmp_path / "pids")], tmp_path / "logs" / "worker.log")
    watched.start()
    time.sleep(0.3)
    program.symlink_to(sys.executable)
    until(lambda: len(pids()) == 1, 8)
    watched.stop()
