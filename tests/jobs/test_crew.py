"""One worker a card, each shown its own; trouble is told only when none of them stays alive."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from svd_studio.gpu.cards import ANYWHERE, Card
from svd_studio.jobs.crew import Crew
from svd_studio.jobs.supervisor import Patience
from tests.waiting import until

TELL = (
    "import os, sys, time; card = sys.argv[-1]\n"
    "open(sys.argv[1] + card, 'a').write(os.environ.get('CUDA_VISIBLE_DEVICES', 'all') + '\\n')\n"
    "print('card', card, 'is broken', flush=True)\n"
    "time.sleep(0 if os.path.exists(sys.argv[1] + 'die' + card) else 60)"
)
TWO = (Card(0, "GPU-a"), Card(1, "GPU-b"))
QUICK = Patience(look_every_s=0.05, first_pause_s=0.02, longest_pause_s=0.05)


class Scene:
    """A crew of small programs that write down which card they are shown."""

    def __init__(self, folder: Path, cards: tuple[Card, ...] = TWO) -> None:
        self.folder, self.answering = folder, {card.index for card in cards}
        command = [sys.executable, "-c", TELL, f"{folder}/card"]
        self.crew = Crew(command, folder / "logs", cards, lambda: self.answering, QUICK)

    def shown(self, card: int) -> list[str]:
        path = self.folder / f"card{card}"
        return path.read_text().split() if path.exists() else []

    def deadly(self, card: int) -> None:
        (self.folder / f"carddie{card}").touch()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.crew.stop()


def test_each_worker_is_shown_its_own_card_and_writes_its_own_log(scene: Scene, tmp_path: Path) -> None:
    scene.crew.start()
    until(lambda: scene.shown(0) and scene.shown(1))
    assert (scene.shown(0), scene.shown(1)) == (["GPU-a"], ["GPU-b"])
    assert len(scene.crew.pids()) == 2
    logs = {path.name: path for path in (tmp_path / "logs").iterdir()}
    assert set(logs) == {"worker.log", "worker-1.log"}
    until(lambda: "card 1" in logs["worker-1.log"].read_text())
    scene.crew.stop()
    assert scene.crew.pids() == []


def test_a_single_worker_is_started_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    scene = Scene(tmp_path, ANYWHERE)
    scene.answering = set()
    scene.crew.start()
    until(lambda: scene.shown(0))
    scene.crew.stop()
    assert scene.shown(0) == ["all"]


def test_trouble_is_told_when_no_worker_stays_alive(scene: Scene) -> None:
    scene.deadly(0)
    scene.crew.start()
    until(lambda: len(scene.shown(0)) > 3 and scene.shown(1))
    assert scene.crew.trouble() is None, "the other one makes the clips"
    scene.deadly(1)
    os.kill(scene.crew.supervisors[1].worker_pid() or 0, signal.SIGKILL)
    until(lambda: scene.crew.trouble() is not None)
    told = scene.crew.trouble()
    assert told is not None
    assert told.values["said"] == "card 0 is broken"


def test_a_lost_card_gets_no_worker_until_it_answers_and_the_last_resort_is_the_first(scene: Scene) -> None:
    scene.crew.start()
    until(lambda: scene.shown(0) and scene.shown(1))
    scene.answering = set()
    for supervisor in scene.crew.supervisors:
        os.kill(supervisor.worker_pid() or 0, signal.SIGKILL)
    until(lambda: len(scene.shown(0)) == 2)
    until(lambda: scene.crew.supervisors[1].is_waiting)
    time.sleep(0.3)  # it could be started six times
    assert len(scene.shown(1)) == 1
    scene.answering = {0, 1}
    until(lambda: len(scene.shown(1)) == 2)
