"""The animate verb: one picture, one clip, in this terminal or by the worker that is already running."""

import argparse
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput, Message
from svd_studio.core.job import Job, JobStatus
from svd_studio.core.progress import Progress
from svd_studio.core.sweep import MOST, expand, numbers
from svd_studio.engines.catalog import engine_info
from svd_studio.gpu.cards import Card
from svd_studio.host import private_folder
from svd_studio.jobs.worker import worker_name
from svd_studio.library.clips import Clip, copy_out
from svd_studio.studio import Studio
from svd_studio.terminal import Stoppable, shown_progress
from svd_studio.ui.texts import say
from svd_studio.video.files import check_writable

CANCELLED = 130
ASK_EVERY_S = 0.3


def animate(studio: Studio, arguments: argparse.Namespace, flags: Mapping[str, type]) -> int:
    """Make the clip that the arguments ask for; returns the exit code."""
    settings = asked_settings(studio, arguments, flags)
    if arguments.sweep:
        return animate_all(studio, settings, arguments)
    if arguments.output:
        check_output(arguments.output)
    submitted = studio.submit(settings, arguments.picture)
    for note in submitted.resolved.notes:
        print(say(note), file=sys.stderr)
    keep_log(studio.config)
    return finish(studio, submitted.job_id, arguments)


def animate_all(studio: Studio, settings: ClipSettings, arguments: argparse.Namespace) -> int:
    """Make a clip of every combination that --sweep asks for; the exit code is the first that is not 0."""
    if arguments.output:
        raise BadInput("cli.sweep_output")
    info = engine_info(settings.engine) if settings.engine else studio.default_engine()
    recipes = expand(settings.changed(engine=info.name), read_sweep(arguments.sweep), info)
    made = studio.compare(recipes, arguments.picture)
    keep_log(studio.config)
    first = 0
    for number in made.jobs:
        code = finish(studio, number, arguments)
        if code == CANCELLED:  # Ctrl-C means all of them
            for later in made.jobs:
                studio.cancel(later)
            return code
        first = first or code
    return first


def read_sweep(typed: Sequence[str]) -> dict[str, list[Any]]:
    """Read FIELD=A,B; a prompt may hold commas, so each takes a --sweep of its own. Raises BadInput."""
    sweep: dict[str, list[Any]] = {}
    for text in typed:
        name, equals, values = text.partition("=")
        field = {"bucket": "motion_bucket"}.get(name.strip(), name.strip().replace("-", "_"))
        if not equals or field not in MOST:
            raise BadInput("cli.sweep", given=text[:40], fields=", ".join(["bucket", *MOST][:-1]))
        sweep.setdefault(field, []).extend([values.strip()] if field == "prompt" else numbers(values))
    return sweep


def finish(studio: Studio, job_id: int, arguments: argparse.Namespace) -> int:
    """Wait for a job and say where its clip is, or why there is none; returns the exit code."""
    job = wait_for(studio, job_id)
    if job is None or job.status is JobStatus.CANCELLED:
        print(say("job.cancelled"), file=sys.stderr)
        return CANCELLED
    clip = studio.clips.get(job.clip_id) if job.clip_id else None
    if clip is None:
        print(say(job.message or "job.clip_gone"), file=sys.stderr)
        return 1
    path = clip.rendered.path
    if arguments.output:
        copy_out(path, arguments.output)
        path = arguments.output
    print(json.dumps(as_report(clip, path), ensure_ascii=False, indent=2) if arguments.json else path)
    return 0


def asked_settings(studio: Studio, arguments: argparse.Namespace, flags: Mapping[str, type]) -> ClipSettings:
    """The recipe that was typed: a recalled one, then a preset's fields, then the flags."""
    settings = studio.recall(arguments.recipe).settings if arguments.recipe else ClipSettings()
    look = studio.presets.get(arguments.preset) if arguments.preset else None
    if arguments.shape or (look and "shape" in look.settings):
        settings = settings.changed(width=None, height=None)  # a recalled size must not win over a new shape
    named = getattr(arguments, "engine", None) or settings.engine
    if look:
        settings = look.onto(settings, engine_info(named) if named else studio.default_engine())
    values = settings.model_dump()
    for name in flags:
        typed = getattr(arguments, name)
        if typed is not None:
            *parents, leaf = name.split(".")
            (values[parents[0]] if parents else values)[leaf] = as_number(typed, flags[name])
    if arguments.guidance:
        values["guidance_first"], values["guidance_last"] = read_guidance(arguments.guidance)
    return ClipSettings.from_person(values)


def as_number(text: str, kind: type) -> Any:
    """The text as the number it should be, or unchanged, so that the recipe refuses it in its own words."""
    try:
        return kind(text)
    except ValueError:
        return text


def read_guidance(text: str) -> tuple[float, float]:
    """Read A:B, or A for both."""
    first, colon, last = text.partition(":")
    try:
        return float(first), float(last if colon else first)
    except ValueError:
        raise BadInput("cli.guidance", given=text[:20]) from None


def check_output(path: Path) -> None:
    """Refuse a place for the clip now and not after the render."""
    if path.suffix.lower() != ".mp4":
        raise BadInput("cli.not_mp4", name=path.name[:80])
    check_writable(path)


def keep_log(config: StudioConfig) -> None:
    """Write what went wrong in detail to a file; the terminal gets sentences."""
    private_folder(config.logs)
    logging.basicConfig(
        handlers=[
            RotatingFileHandler(config.logs / "animate.log", maxBytes=1_000_000, backupCount=2, encoding="utf-8")
        ],
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
    )


def wait_for(studio: Studio, job_id: int) -> Job | None:
    """Render the job here, or watch the worker that holds the lock do it; None when somebody removed it.

    The first Ctrl-C cancels the job, a second one leaves at once.
    """
    with shown_progress() as bars, _cancel_on_ctrl_c(studio, job_id, bars) as progress:
        told, here = set[str](), Here(studio)
        while True:
            job = studio.queue.get(job_id)
            if job is None or job.status.is_final:
                return job
            if job.status is JobStatus.RUNNING:
                studio.take_over()  # its worker may be gone
            elif here.run(job_id, progress):
                continue
            if job.stage:
                bars.report(job.stage, job.done, job.total)
            elif (reason := why_it_waits(studio, job)) and reason.code not in told:
                told.add(reason.code)
                bars.note(reason)
            time.sleep(ASK_EVERY_S)


def why_it_waits(studio: Studio, job: Job) -> Message | None:
    """What keeps the worker that renders from a job; None when it comes next."""
    if job.status is not JobStatus.QUEUED:
        return None
    if studio.queue.is_paused():
        return Message("jobs.are_paused")
    if blocked := studio.queue.standstill():
        return blocked
    ahead = studio.queue.ahead_of(job.id)
    return Message("job.ahead", {"n": ahead}) if ahead else None


class Here:
    """This process as a place to render: on the first card that is free, and on that one from then on.

    Torch is shown one card when it is loaded, and cannot be shown another.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._cards = studio.cards

    def run(self, job_id: int, progress: Progress) -> bool:
        """Render the job; False while others render on every card."""
        for card in self._cards:
            lock = self._studio.render_lock(card.index)
            if lock.try_acquire():
                try:
                    self._cards = (card,)
                    self._render(card, job_id, progress)
                finally:
                    lock.release()
                return True
        return False

    def _render(self, card: Card, job_id: int, progress: Progress) -> None:
        os.environ.update(card.environment())
        worker = self._studio.worker(card.index)
        worker.take_over()
        job = worker.queue.claim(worker_name(), job_id)
        if job is not None:
            worker.run(job, progress)


@contextmanager
def _cancel_on_ctrl_c(studio: Studio, job_id: int, bars: Progress) -> Iterator[Stoppable]:
    """Turn the first Ctrl-C into a cancelled job; a second one ends the program at once."""
    progress = Stoppable(bars)

    def stop(*_: Any) -> None:
        signal.signal(signal.SIGINT, before)
        progress.stopped = True
        studio.cancel(job_id)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield progress
    finally:
        signal.signal(signal.SIGINT, before)


def as_report(clip: Clip, path: Path) -> dict[str, Any]:
    """What --json prints."""
    made = clip.rendered
    return {
        "path": str(path),
        "settings": made.settings.as_json(),
        "frames": made.frames,
        "fps": made.fps,
        "size": list(made.size),
        "plan": dict(made.plan),
        "seconds": {stage: round(seconds, 3) for stage, seconds in made.seconds_by_stage.items()},
        "peak_memory_gb": round(made.peak_memory_gb, 3),
        "clip": clip.id,
    }
