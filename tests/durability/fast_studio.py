"""The studio's real processes around a fast engine: `python -m tests.durability.fast_studio window|work --data DIR`.

Only the engine is a double: queue, worker, supervisor, locks, ffmpeg and SQLite are what ships.
"""

import itertools
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Iterator
from pathlib import Path

from svd_studio import cli
from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.job import JobStatus
from svd_studio.core.progress import Progress
from svd_studio.core.vram import VramPlan
from svd_studio.engines.base import Frame, Latents, Scene
from svd_studio.gpu.cards import ANYWHERE, Card
from svd_studio.host import FileLock
from svd_studio.jobs.crew import Crew
from svd_studio.jobs.queue import JobQueue
from svd_studio.jobs.supervisor import Patience
from svd_studio.jobs.watchdog import Watchdog
from svd_studio.jobs.worker import Worker
from svd_studio.rendering.loaded import LoadedEngine
from svd_studio.rendering.parts import PartStore
from svd_studio.rendering.render import Bench
from svd_studio.studio import Studio
from tests.fakes import FakeEngine

SMALL = {"engine": "svd-nano", "width": 64, "height": 64, "frames": 2, "steps": 2}
QUICK = Patience(look_every_s=0.05, first_pause_s=0.02, longest_pause_s=0.05)
MODULE = "tests.durability.fast_studio"


class ScriptedEngine(FakeEngine):
    """Write down what is asked of it in calls.txt, and do what kill.txt says: die or hang once at a stage."""

    data: Path

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.note("load")

    def denoise(self, scene: Scene, plan: VramPlan, progress: Progress) -> Latents:
        self.note("denoise")
        time.sleep(float(os.environ.get("STEP_S", "0.02")))
        return super().denoise(scene, plan, progress)

    def decode(self, latents: Latents, plan: VramPlan, progress: Progress) -> Iterator[Frame]:
        self.note("decode")
        for frame in super().decode(latents, plan, progress):
            yield frame
            time.sleep(0.01)
            obey(self.data, "decode")

    def note(self, call: str) -> None:
        with (self.data / "calls.txt").open("a") as calls:
            calls.write(f"{call}\n")


def obey(data: Path, stage: str) -> None:
    """Die, or hang with or without the interpreter, when kill.txt says so for this stage; once."""
    order = data / "kill.txt"
    if not order.exists() or not order.read_text().startswith(f"{stage} "):
        return
    how = order.read_text().split()[1]
    order.unlink()
    if how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "hang":
        time.sleep(600)
    elif how == "hang-natively":
        import ctypes

        ctypes.PyDLL(None).sleep(600)  # keeps the interpreter to itself: no thread can run


def worker_of(studio: Studio, card: int = 0) -> Worker:
    """Everything that renders, with the scripted engine behind the seam."""
    svd = types.ModuleType("svd_studio.engines.svd")
    svd.SvdEngine = ScriptedEngine  # type: ignore[attr-defined]
    sys.modules["svd_studio.engines.svd"] = svd
    data = ScriptedEngine.data = studio.config.data
    (data / "weights").mkdir(exist_ok=True)
    bench = Bench(
        LoadedEngine("cpu", "fp32"),
        PartStore(studio.config.parts),
        lambda info: data / "weights",
        lambda: 64,
        lambda: 1,
    )
    watchdog = Watchdog(silent_s=float(os.environ.get("SILENT_S", "600")))
    return Worker(studio.config, JobQueue(studio.database, card=card), studio.clips, bench, watchdog)


def work(data: Path, *card: str) -> int:
    """The real `work` verb."""
    _obey_while_encoding(data)
    Studio.worker = worker_of  # type: ignore[method-assign]
    return cli.main(["work", "--data", str(data), *card])


def cards_here() -> tuple[Card, ...]:
    """As many cards as a test asks for; on a processor they are only names."""
    count = int(os.environ.get("CARDS", "1"))
    return ANYWHERE if count == 1 else tuple(Card(index, f"GPU-{index}") for index in range(count))


def answering(data: Path) -> set[int]:
    """The cards that a driver would reach: all but those named in lost.txt."""
    lost = data / "lost.txt"
    return {card.index for card in cards_here()} - set(map(int, lost.read_text().split() if lost.exists() else []))


def window(data: Path) -> int:
    """What app.py does around its page: hold the lock, keep workers, and accept jobs for as long as more.txt asks."""
    studio = Studio(StudioConfig(data))
    lock = FileLock(studio.config.studio_lock)
    while not lock.try_acquire():
        time.sleep(0.01)
    command = [sys.executable, "-P", "-m", MODULE, "work", "--data", str(data)]
    crew = Crew(command, data / "logs", cards_here(), lambda: answering(data), QUICK)
    crew.start()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    seeds = itertools.count(int(time.time() * 1000) % 10**9)
    while not ended.wait(0.05):
        if (data / "more.txt").exists() and len(studio.queue.find([JobStatus.QUEUED])) < 3:
            accept(studio, next(seeds))
    crew.stop()
    studio.let_go()
    return 0


def accept(studio: Studio, seed: int) -> None:
    """Accept a job, and only then say so."""
    settings = ClipSettings.from_person({**SMALL, "seed": seed})
    number = studio.submit(settings, studio.config.data / "picture.png").job_id
    with (studio.config.data / "accepted.txt").open("a") as accepted:
        accepted.write(f"{number}\n")


def _obey_while_encoding(data: Path) -> None:
    from svd_studio.video.ffmpeg import Ffmpeg

    write = Ffmpeg.write

    def write_and_obey(self: Ffmpeg, frame: memoryview | bytes) -> None:
        write(self, frame)
        obey(data, "encode")

    Ffmpeg.write = write_and_obey  # type: ignore[method-assign]


if __name__ == "__main__":
    verb, _, folder, *rest = sys.argv[1:]
    sys.exit({"work": work, "window": window}[verb](Path(folder), *rest))
