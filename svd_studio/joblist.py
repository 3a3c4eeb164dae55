"""The jobs verb: what waits, runs and has ended, and everything that the Queue page can do with it."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from svd_studio.core.errors import BadInput, Message
from svd_studio.core.job import Job, JobStatus
from svd_studio.studio import Studio
from svd_studio.ui.texts import say

ACTIONS = ("list", "cancel", "retry", "remove", "move", "duplicate", "clear", "pause", "resume")
SHOWN = 100

ENDED = {"done": (JobStatus.DONE,), "failed": (JobStatus.FAILED, JobStatus.CANCELLED)}
"""What can be cleared, as the page groups it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be done with jobs, and with which."""
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list", help=say("cli.help.jobs_action"))
    parser.add_argument("words", nargs="*", metavar="JOB|WORD", help=say("cli.help.jobs_words"))
    parser.add_argument("--seed", type=int, metavar="N", help=say("cli.help.jobs_seed"))
    parser.add_argument("--limit", type=int, default=SHOWN, metavar="N", help=say("cli.help.limit"))


def run(studio: Studio, arguments: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    action, words = arguments.action, list(arguments.words)
    if action == "list":
        return show(studio, max(1, arguments.limit), arguments.json)
    if action in ("pause", "resume"):
        studio.queue.set_paused(action == "pause")
        return _tell(
            {"paused": action == "pause"}, say("jobs.paused" if action == "pause" else "jobs.resumed"), arguments.json
        )
    if not words:
        raise BadInput("jobs.which", action=action)
    if action == "clear":
        return clear(studio, words, arguments.json)
    if action == "retry" and words == ["failed"]:
        number = studio.arrangement.retry_failed()
        return _tell({"retried": number}, say(Message("jobs.retried", {"n": number})), arguments.json)
    _print(move(studio, words) if action == "move" else each(studio, action, words, arguments.seed), arguments.json)
    return 0


def show(studio: Studio, limit: int, as_json: bool) -> int:
    """Print what runs, what waits in its order, and what has ended, the newest first."""
    jobs = studio.queue.find(limit=limit)
    _print(jobs, as_json)
    for note in notes(studio, len(jobs)):
        print(say(note), file=sys.stderr)
    return 0


def notes(studio: Studio, shown: int) -> Iterator[Message]:
    """What else there is to say of the queue, where so many jobs are shown."""
    total = sum(studio.queue.count().values())
    if not total:
        yield Message("jobs.none")
    if total > shown:
        yield Message("jobs.more", {"n": total - shown})
    if studio.queue.is_paused():
        yield Message("jobs.are_paused")
    if blocked := studio.queue.standstill():
        yield blocked


def each(studio: Studio, action: str, words: Sequence[str], seed: int | None) -> list[Job]:
    """Do one thing to all these jobs, or to none; returns them as they are then, or were when they are gone."""
    with studio.database.transaction():
        jobs = {job.id: job for job in (find(studio, word) for word in words)}
        numbers = [_do(studio, action, number, seed) for number in jobs]
        return [studio.queue.get(number) or jobs[number] for number in numbers]


def _do(studio: Studio, action: str, job_id: int, seed: int | None) -> int:
    """Do one thing to one job; returns which job to tell about."""
    if action == "duplicate":
        return studio.duplicate(job_id, seed)
    if action == "cancel" and not studio.cancel(job_id):
        raise BadInput("job.has_ended", id=job_id)
    if action == "retry":
        studio.arrangement.retry(job_id)
    if action == "remove":
        studio.arrangement.remove(job_id)
    return job_id


def move(studio: Studio, words: Sequence[str]) -> list[Job]:
    """Put a waiting job elsewhere in the line: `7 top`, `7 before 3`. Raises BadInput."""
    job, arrangement = find(studio, words[0]), studio.arrangement
    match words[1:]:
        case ["top" | "up" | "down" | "end" as way]:
            arrangement.shift(job.id, way)
        case ["before", other]:
            arrangement.move(job.id, find(studio, other).id)
        case ["behind", other]:
            arrangement.move_behind(job.id, find(studio, other).id)
        case _:
            raise BadInput("jobs.where", id=job.id)
    return studio.queue.find([JobStatus.QUEUED])


def clear(studio: Studio, words: Sequence[str], as_json: bool) -> int:
    """Take what has ended off the list; clips stay. Raises BadInput."""
    if not set(words) <= set(ENDED):
        raise BadInput("jobs.which", action="clear")
    number = len(studio.arrangement.clear([status for word in words for status in ENDED[word]]))
    return _tell({"removed": number}, say(Message("page.queue.removed", {"n": number})), as_json)


def find(studio: Studio, word: str) -> Job:
    """The job of that number. Raises BadInput."""
    is_number = word.isascii() and word.isdigit() and len(word) < 19
    job = studio.queue.get(int(word)) if is_number else None
    if job is None:
        raise BadInput("job.unknown", id=word[:20])
    return job


def _print(jobs: Sequence[Job], as_json: bool) -> None:
    if as_json:
        print(json.dumps([_as_json(job) for job in jobs], ensure_ascii=False, indent=2))
        return
    for job in jobs:
        reason = f"  {say(job.message)}" if job.message else ""
        engine = job.request.settings.engine
        print(f"{job.id:>5}  {job.status:<9}  {job.fraction:>4.0%}  {engine:<10}  {job.title}{reason}")


def _as_json(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "title": job.title,
        "owner": job.owner,
        "status": job.status,
        "fraction": round(job.fraction, 3),
        "eta_s": job.eta_s,
        "message": say(job.message) if job.message else None,
        "attempts": job.attempts,
        "created": job.created,
        "clip": job.clip_id,
        "settings": job.request.settings.as_json(),
    }


def _tell(facts: dict[str, Any], sentence: str, as_json: bool) -> int:
    print(json.dumps(facts, ensure_ascii=False, indent=2) if as_json else sentence)
    return 0
