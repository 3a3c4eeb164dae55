"""What the page shows of variants: what a sweep would make and how long it takes, and its clips side by side."""

from collections.abc import Sequence
from heapq import heapify, heapreplace
from typing import Any

from svd_studio.core.clip import ResolvedSettings
from svd_studio.core.errors import Message
from svd_studio.core.job import Job, JobStatus
from svd_studio.core.sweep import MOST
from svd_studio.jobs.comparisons import Comparison
from svd_studio.jobs.forecast import forecast
from svd_studio.library.clips import Clip
from svd_studio.studio import Studio, seen_by
from svd_studio.ui.form_view import motion
from svd_studio.ui.progress_view import job_view
from svd_studio.ui.result import spoken_seconds
from svd_studio.ui.texts import say

Tile = dict[str, Any]

LEFT = {JobStatus.QUEUED: "waiting", JobStatus.RUNNING: "running", JobStatus.FAILED: "failed"}
"""What a job without a clip is called here; cancelled and done ones are gone."""

FEWEST_COLUMNS, MOST_COLUMNS = 2, 5
NARROWEST, WIDEST = 0.8, 16 / 9

LABEL = ("prompt", "motion_bucket", "speed", "seed")
"""What a label tells, what is looked for first."""


def promise_line(studio: Studio, recipes: Sequence[ResolvedSettings], language: str) -> str:
    """How many clips these are, how long they take and what is made before them."""
    ahead = studio.outlook().total_s
    takes = takes_s(studio, recipes)
    waiting = sum(studio.queue.count()[status] for status in (JobStatus.QUEUED, JobStatus.RUNNING))
    if takes is None:
        return say(Message("page.sweep.unknown", {"n": len(recipes)}), language)
    time = spoken_seconds(takes, language)
    if not waiting or ahead is None:
        return say(Message("page.sweep.takes", {"n": len(recipes), "time": time}), language)
    before = spoken_seconds(ahead, language)
    return say(Message("page.sweep.takes_after", {"n": len(recipes), "time": time, "before": before}), language)


def takes_s(studio: Studio, recipes: Sequence[ResolvedSettings]) -> float | None:
    """Seconds from the first of these to the last, each made by whoever is free first; None when nobody can know."""
    history = studio.clips.seconds_of(recipes[0].engine)
    free = [0.0] * min(len(studio.cards), len(recipes))
    heapify(free)
    for number, recipe in enumerate(recipes):
        told = forecast(recipe, history)
        if told is None:
            return None
        is_loaded = number >= len(free)
        heapreplace(free, free[0] + told.seconds - (told.by_stage.get("load", 0.0) if is_loaded else 0.0))
    return max(free)


def seen_comparison(studio: Studio, comparison_id: object, owner: str) -> Comparison | None:
    """The comparison of that id, if the asker may see it; what asks may be a stranger."""
    found = studio.comparisons.get(comparison_id[:40]) if isinstance(comparison_id, str) else None
    return found if found and seen_by(owner) in (None, found.owner) else None


def comparison_view(studio: Studio, found: Comparison, language: str) -> dict[str, Any]:
    """All clips of a comparison, finished or not, and how far it is."""
    clips, kept = studio.clips.of_jobs(found.jobs, found.owner), []
    for number in found.jobs:
        job, clip = studio.queue.get(number), clips.get(number)
        if job is not None or clip is not None:
            kept.append((number, job, clip))
    recipes = [_recipe(job, clip) for _, job, clip in kept]
    tiles = [_tile(studio, number, job, clip, found.fields, language) for number, job, clip in kept]
    standing = Message("page.job.paused") if studio.queue.is_paused() else studio.queue.standstill()
    return {
        "id": found.id,
        "title": found.title,
        "columns": _columns(recipes),
        "shape": _shape(recipes),
        "frames": max((tile["frames"] for tile in tiles if tile["state"] == "clip"), default=0),
        "summary": _summary(studio, tiles, language),
        "blocked": say(standing, language) if standing and _count(tiles, "waiting") else "",
        "waits": _count(tiles, "waiting", "running"),
        "tiles": tiles,
    }


def label(recipe: ResolvedSettings, fields: Sequence[str], language: str) -> str:
    """What sets a clip apart from the others."""
    return " · ".join(_part(recipe, name, language) for name in LABEL if name in fields)


def _part(recipe: ResolvedSettings, name: str, language: str) -> str:
    if name == "prompt":
        return recipe.prompt or say("page.compare.no_words", language)
    if name == "speed":
        return say(f"page.choice.speed.{recipe.speed}", language)
    if name == "seed":
        return say(Message("page.compare.seed", {"n": recipe.seed}), language)
    word = say(f"page.motion.{motion(recipe.motion_bucket)}", language)
    return say(Message("page.compare.motion", {"n": recipe.motion_bucket, "word": word}), language)


def _tile(
    studio: Studio, number: int, job: Job | None, clip: Clip | None, fields: Sequence[str], language: str
) -> Tile:
    recipe = _recipe(job, clip)
    tile = {"job": number, "label": label(recipe, fields, language), "clip": None}
    if clip is not None:
        return tile | _clip_part(clip, language)
    return tile | (_job_part(studio, job, language) if job is not None else {})


def _clip_part(clip: Clip, language: str) -> Tile:
    state = "trashed" if clip.trashed is not None else "clip" if clip.is_here else "gone"
    return {
        "state": state,
        "clip": clip.id,
        "url": f"/media/{clip.id}",
        "poster": f"/media/{clip.id}/poster" if clip.rendered.poster else None,
        "starred": clip.starred,
        "frames": clip.rendered.frames,
        "line": "" if state == "clip" else say(f"page.compare.{state}", language),
    }


def _job_part(studio: Studio, job: Job, language: str) -> Tile:
    state = LEFT.get(job.status, "gone")
    ahead = studio.queue.ahead_of(job.id) if state == "waiting" else 0
    shown = job_view(job, language, ahead)
    is_cancelled = job.status is JobStatus.CANCELLED
    return {
        "state": "failed" if is_cancelled else state,
        "line": say("page.compare.gone", language) if state == "gone" and not is_cancelled else shown["line"],
        "percent": shown["percent"],
        "poster": (shown["preview"] if state == "running" else None) or f"/media/job/{job.id}/picture",
    }


def _recipe(job: Job | None, clip: Clip | None) -> ResolvedSettings:
    """What is shown was made so; what waits may have been edited since."""
    if clip is not None:
        return clip.rendered.settings
    assert job is not None
    return job.request.settings


def _columns(recipes: Sequence[ResolvedSettings]) -> int:
    """How many stand in a row where there is room: the values of what changes fastest, so that columns mean one."""
    for name in reversed(list(MOST)):
        values = len({getattr(recipe, name) for recipe in recipes})
        if values > 1:
            return values if FEWEST_COLUMNS <= values <= MOST_COLUMNS else 3
    return FEWEST_COLUMNS


def _shape(recipes: Sequence[ResolvedSettings]) -> float:
    """Width by height of the tiles, which a tall clip leaves wide enough for its words."""
    ratio = max((recipe.width / recipe.height for recipe in recipes), default=WIDEST)
    return round(min(max(ratio, NARROWEST), WIDEST), 3)


def _summary(studio: Studio, tiles: Sequence[Tile], language: str) -> str:
    """How many are ready, and when the last one will be."""
    ready, left = _count(tiles, "clip"), [tile["job"] for tile in tiles if tile["state"] in ("waiting", "running")]
    values: dict[str, str | int | float] = {"n": ready, "all": ready + len(left)}
    if not left:
        return say(Message("page.compare.clips", values), language)
    told = {} if studio.queue.is_paused() else studio.outlook().ready_s
    if not all(number in told for number in left):
        return say(Message("page.compare.ready", values), language)
    values["time"] = spoken_seconds(max(told[number] for number in left), language)
    return say(Message("page.compare.ready_in", values), language)


def _count(tiles: Sequence[Tile], *states: str) -> int:
    return sum(tile["state"] in states for tile in tiles)
