"""Fills a studio for the guide's pictures: real clips by SVD-Nano, with titles in the guide's language."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from svd_studio.core.clip import ClipSettings
from svd_studio.core.job import JobStatus
from svd_studio.studio import OWNER, Studio
from svd_studio.ui.texts import say

SAMPLES = Path(__file__).resolve().parent.parent / "presets" / "pictures"
SMALL = {"engine": "svd-nano", "frames": 6, "steps": 4, "seed": 7}
BETTER = {"finish": {"deflicker": 1, "contrast": 0.4, "colour": 1.3, "sharpen": 0.6}}
STARS = {"mountains": 5, "pagoda": 4, "sunset": 3}
BUCKETS = (30, 127, 220)
PATIENCE_S = 300


@dataclass(frozen=True)
class Made:
    """What the scenes find: clips by the name of their sample, the comparison, and a sample's title."""

    clips: dict[str, str]
    comparison: str
    titles: dict[str, str]


def make_clips(studio: Studio, language: str) -> Made:
    """Begin with an empty Gallery and make the same clips under this language's titles."""
    throw_all_away(studio)
    titles = {name: say(f"page.sample.{name}", language) for name in ("coffee", *STARS)}
    recipe, better = ClipSettings.from_person(SMALL), ClipSettings.from_person({**SMALL, **BETTER})
    picture = studio.keep_picture(SAMPLES / "mountains.jpg")
    recipes = [recipe.changed(motion_bucket=bucket) for bucket in BUCKETS]
    compared = studio.compare(recipes, picture, titles["mountains"])
    jobs = {
        name: studio.submit(asked.changed(motion_bucket=160), SAMPLES / f"{name}.jpg", titles[name]).job_id
        for name, asked in (("sunset", recipe), ("pagoda", better))
    }
    jobs["mountains"] = compared.jobs[-1]
    wait_until(lambda: all(status_of(studio, job) is JobStatus.DONE for job in {*compared.jobs, *jobs.values()}))
    clips = {name: str(clip_of(studio, job)) for name, job in jobs.items()}
    for name, stars in STARS.items():
        studio.clips.rate(clips[name], stars)
    return Made(clips, compared.id, titles)


def add_to_queue(studio: Studio, made: Made, names: Iterable[str], steps: int) -> list[int]:
    """Ask for clips that take long enough to be looked at while they run or wait."""
    recipe = ClipSettings.from_person({**SMALL, "frames": 14, "steps": steps})
    return [studio.submit(recipe, SAMPLES / f"{name}.jpg", made.titles[name]).job_id for name in names]


def rest(studio: Studio) -> None:
    """Let nothing run or wait any more, and forget what was cancelled."""
    for job in studio.queue.find():
        studio.cancel(job.id)
    studio.queue.set_paused(False)
    wait_until(lambda: all(job.status.is_final for job in studio.queue.find()))
    studio.arrangement.clear((JobStatus.CANCELLED,))


def throw_all_away(studio: Studio) -> None:
    """Empty the queue, the Gallery and the trash."""
    studio.arrangement.clear(tuple(JobStatus))
    for clip in studio.clips.newest(100):
        studio.trash.put(clip)
    studio.trash.empty(OWNER)


def status_of(studio: Studio, job: int) -> JobStatus | None:
    """Where a job stands. Raises SystemExit when it failed."""
    found = studio.queue.get(job)
    if found is None or found.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        raise SystemExit(f"Job {job} made no clip: {found and found.message}")
    return found.status


def clip_of(studio: Studio, job: int) -> str | None:
    """The clip that a job made."""
    found = studio.queue.get(job)
    return found.clip_id if found else None


def wait_until(holds: Callable[[], bool]) -> None:
    """Look again and again. Raises SystemExit when it never comes."""
    for _ in range(PATIENCE_S * 5):
        if holds():
            return
        time.sleep(0.2)
    raise SystemExit("The clips were not made in time: is the machine busy?")
