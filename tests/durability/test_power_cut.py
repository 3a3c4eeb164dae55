"""Cut the power under our schema and statements, hundreds of times: what was acknowledged is there afterwards."""

import hashlib
import itertools
import random
from pathlib import Path

from svd_studio.core.clip import ClipRequest, ClipSettings, RenderedClip
from svd_studio.core.errors import Message
from svd_studio.database import Database
from svd_studio.engines.catalog import ENGINES
from svd_studio.jobs.adoption import keep
from svd_studio.jobs.queue import JobQueue
from svd_studio.library.clips import ClipLibrary
from tests.durability.power_cut import Event, ForgetfulDisk, cut

SESSIONS, CUTS_A_SESSION, STEPS = 27, 20, 24
SETTINGS = ClipSettings(seed=3, prompt="waves " * 40).resolve(ENGINES["svd-nano"]).settings
names = itertools.count()


class Session:
    """One run of the studio on a forgetful disk: a window and a worker, each with its own connection.

    `synchronous` is set in place of what ships.
    """

    def __init__(self, folder: Path, synchronous: str | None) -> None:
        self.folder = folder
        self.disk = ForgetfulDisk(f"forgetful{next(names)}")
        self.window, self.worker = (self._queue(synchronous) for _ in range(2))
        self.clips = ClipLibrary(folder / "clips", self.worker.database)
        self.states: list[str] = [state_of(self.window.database)]

    def _queue(self, synchronous: str | None) -> JobQueue:
        database = Database(self.folder / "studio.db", self.disk.name)
        if synchronous is not None:
            database.connection.execute(f"PRAGMA synchronous={synchronous}")
        database.connection.pragma("wal_autocheckpoint", 30)  # so that checkpoints, too, are cut
        return JobQueue(database)

    def run(self, chance: random.Random, steps: int) -> None:
        """Do what a studio does, at random."""
        for _ in range(steps):
            chance.choice((self.submit, self.submit, self.arrange, self.work, self.work))(chance)
            self.told()

    def told(self) -> None:
        """Remember what is promised from now on: a call has returned."""
        self.states.append(state_of(self.window.database))
        self.disk.acknowledge(str(len(self.states) - 1))

    def submit(self, chance: random.Random) -> None:
        self.window.add(ClipRequest(SETTINGS, Path("inputs/a.png")), "title " * chance.randrange(30), "owner")

    def arrange(self, chance: random.Random) -> None:
        waiting = self.window.find()
        if waiting and chance.random() < 0.5:
            self.window.cancel(chance.choice(waiting).id)
        else:
            self.window.set_paused(chance.random() < 0.2)

    def work(self, chance: random.Random) -> None:
        job = self.worker.claim("here:1")
        if job is None:
            self.worker.recover()
            return
        self.told()
        self.worker.report(job.id, "denoise", 1, 4, 0.3, 9.0, 1)
        if chance.random() < 0.7:
            clip = RenderedClip(self.clips.folder / f"{job.id}.mp4", SETTINGS, "a" * 64, 14, 7.0, (256, 144))
            keep(clip, job, self.worker, self.clips)
        elif chance.random() < 0.5:
            self.worker.fail(job.id, Message("memory.ran_out"))

    def close(self) -> None:
        for queue in (self.window, self.worker):
            queue.database.connection.close()
        self.disk.unregister()


def state_of(database: Database) -> str:
    """All rows that matter, as one short text; a job's progress may be lost."""
    rows = [
        database.connection.execute(query).fetchall()
        for query in (
            "SELECT id, position, settings, title, owner, status, stop, attempts, message_code, clip_id FROM jobs"
            " ORDER BY id",
            "SELECT id, job_id, file, title FROM clips ORDER BY id",
            "SELECT * FROM state ORDER BY name",
        )
    ]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def reopened(files: dict[str, bytes], folder: Path) -> str:
    """The state that a studio finds after the cut. Fails when the database is damaged."""
    folder.mkdir()
    for name, content in files.items():
        if not name.endswith("-shm"):
            (folder / name).write_bytes(content)
    database = Database(folder / "studio.db")
    assert database.connection.pragma("integrity_check") == "ok"
    state = state_of(database)
    database.connection.close()
    return state


def acknowledged(events: list[Event]) -> int:
    """The number of the last state that the application was told of."""
    return max((int(event.name) for event in events if event.kind == "ack"), default=0)


def losses(folder: Path, seed: int, synchronous: str | None, cuts: int) -> int:
    """Run one session, cut it at random moments; how many cuts lost something acknowledged."""
    chance = random.Random(seed)
    (folder / "run").mkdir(parents=True)
    session = Session(folder / "run", synchronous)
    session.run(chance, STEPS)
    lost = 0
    for number in range(cuts):
        events = session.disk.events[: chance.randrange(len(session.disk.events) + 1)]
        found = reopened(cut(events, chance), folder / f"cut{number}")
        last = acknowledged(events)
        later = session.states[last : last + 2]  # a call that was under way may be there or not
        assert found in session.states, "a state that never was"
        lost += found not in later
    session.close()
    return lost


def test_five_hundred_power_cuts_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    assert SESSIONS * CUTS_A_SESSION >= 500
    for seed in range(SESSIONS):
        assert losses(tmp_path / str(seed), seed, None, CUTS_A_SESSION) == 0


def test_the_same_cuts_lose_something_when_commits_do_not_wait_for_the_disk(tmp_path: Path) -> None:
    assert sum(losses(tmp_path / str(seed), seed, "NORMAL", CUTS_A_SESSION) for seed in range(2)) > 0
