"""Finished clips as the page shows them: facts in words, the recipe to read, addresses to play and keep."""

import json
from typing import Any

from svd_studio.core.errors import Message
from svd_studio.core.infotext import as_infotext
from svd_studio.library.clips import Clip
from svd_studio.ui.texts import say

RECENT = 12


def clip_view(clip: Clip, language: str) -> dict[str, Any]:
    """Everything the page needs to play one clip and say how it was made."""
    made = clip.rendered
    width, height = made.size
    took_s = sum(made.seconds_by_stage.values())
    values: dict[str, str | int | float] = {
        "width": width,
        "height": height,
        "frames": made.frames,
        "seconds": f"{made.frames / made.fps:.1f}",
        "fps": f"{made.fps:g}",
    }
    return {
        "id": clip.id,
        "title": clip.title,
        "seed": made.settings.seed,
        "fps": made.fps,
        "frames": made.frames,
        "rating": clip.rating,
        "facts": say(Message("page.clip.facts", values), language),
        "took": say(Message("page.clip.took", {"time": spoken_seconds(took_s, language)}), language),
        "recipe": as_infotext(made.settings),
        "recipe_json": json.dumps(made.settings.as_json(), ensure_ascii=False, indent=2),
        "url": f"/media/{clip.id}",
        "poster": f"/media/{clip.id}/poster" if made.poster else None,
        "before": _before(clip, language),
        "download": f"/media/{clip.id}/download",
        "download_bare": f"/media/{clip.id}/download?recipe=no",
    }


def _before(clip: Clip, language: str) -> dict[str, Any] | None:
    """The clip without finishing as the page plays it against the clip, where that was kept."""
    made = clip.rendered
    if not made.before.is_file():
        return None
    frames = made.settings.frames_in_all
    return {"title": say("page.wipe.before", language), "url": f"/media/{clip.id}/before", "frames": frames}


def spoken_seconds(seconds: float, language: str) -> str:
    """A duration as people say it: 8 s, 2 min, 1 h 5 min."""
    if seconds < 99.5:
        return say(Message("page.time.seconds", {"n": max(1, round(seconds))}), language)
    minutes = round(seconds / 60)
    if minutes < 60:
        return say(Message("page.time.minutes", {"n": minutes}), language)
    return say(Message("page.time.hours", {"h": minutes // 60, "m": minutes % 60}), language)
