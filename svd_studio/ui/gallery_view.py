"""What the Gallery page shows of the library: cards by the page, one clip in detail, how much there is."""

import math
from collections.abc import Sequence
from typing import Any

from svd_studio.core.errors import Message
from svd_studio.core.infotext import as_infotext
from svd_studio.core.progress import STAGES
from svd_studio.engines.catalog import ENGINES
from svd_studio.library.clip_search import ClipFilter, Cursor
from svd_studio.library.clips import MOST_STARS, Clip, Holdings
from svd_studio.library.trash import KEPT_DAYS
from svd_studio.studio import Studio
from svd_studio.ui.compare_view import label
from svd_studio.ui.result import clip_view, spoken_seconds
from svd_studio.ui.texts import say, spoken_bytes

PAGE = 60
LONGEST_SEARCH, LONGEST_NAME, MOST_SHOWN = 200, 40, 300

Card = dict[str, Any]

APART = ("seed", "speed", "motion_bucket")
"""What a card tells of its sweep: the shortest first, because narrow cards cut the end; words stand there anyway."""


def asked_filter(sent: dict[str, Any], seen: str | None) -> ClipFilter:
    """The filter that a page sent, as far as it makes sense; `seen` is whose clips the asker may see."""
    words, engine, stars = sent.get("words"), sent.get("engine"), sent.get("rated")
    return ClipFilter(
        words=words[:LONGEST_SEARCH] if isinstance(words, str) else "",
        engine=engine[:LONGEST_NAME] if isinstance(engine, str) and engine else None,
        starred=sent.get("starred") is True,
        owner=seen,
        in_trash=sent.get("trash") is True,
        rated=stars if type(stars) is int and 0 <= stars <= MOST_STARS else 0,
        best_first=sent.get("best") is True,
    )


def asked_cursor(sent: dict[str, Any]) -> Cursor | None:
    """Where the page before ended; None for the first one."""
    match sent.get("after"):
        case [int() | float() as moment, str() as clip_id] if math.isfinite(moment) and abs(moment) < 1e12:
            return float(moment), clip_id[:LONGEST_NAME]
    return None


def asked_marks(studio: Studio, sent: dict[str, Any], seen: str | None) -> dict[str, tuple[int, bool]]:
    """Rating and star of the clips that a page shows: another window may have changed them."""
    shown = sent.get("shown")
    ids = shown[:MOST_SHOWN] if isinstance(shown, list) else []
    return studio.clips.marks([name[:LONGEST_NAME] for name in ids if isinstance(name, str)], seen)


def card(clip: Clip, wanted: ClipFilter) -> Card:
    """A clip as it stands in the grid of a list."""
    made = clip.rendered
    return {
        "id": clip.id,
        "title": clip.title,
        "prompt": made.settings.prompt[:120],
        "created": clip.created,
        "frames": made.frames,
        "seconds": round(made.frames / made.fps, 1),
        "portrait": made.size[1] > made.size[0],
        "url": f"/media/{clip.id}",
        "poster": f"/media/{clip.id}/poster" if made.poster else None,
        "starred": clip.starred,
        "here": clip.is_here,
        "rating": clip.rating,
        "cursor": list(clip.cursor(wanted)),
    }


def cards(studio: Studio, clips: Sequence[Clip], wanted: ClipFilter, language: str) -> list[Card]:
    """Clips as they stand in the grid; those of a sweep look alike and say what sets them apart."""
    told = studio.comparisons.fields_of([clip.job_id for clip in clips], wanted.owner)
    return [card(clip, wanted) | {"differs": _apart(clip, told.get(clip.job_id or 0, ()), language)} for clip in clips]


def _apart(clip: Clip, fields: Sequence[str], language: str) -> str:
    return " · ".join(label(clip.rendered.settings, [name], language) for name in APART if name in fields)


def look(studio: Studio, wanted: ClipFilter, after: Cursor | None, language: str) -> dict[str, Any]:
    """One page of cards, and with the first one all that stands around them."""
    clips = studio.clips.page(wanted, after, PAGE + 1)
    page: dict[str, Any] = {"clips": cards(studio, clips[:PAGE], wanted, language), "more": len(clips) > PAGE}
    if after is None:
        page |= {"mark": studio.clips.mark(wanted.owner), "engines": _engines(studio, wanted.owner, language)}
    return page | surroundings(studio, wanted.owner, language)


def surroundings(studio: Studio, seen: str | None, language: str) -> dict[str, Any]:
    """How much is kept and how much lies in the trash."""
    kept, thrown = (studio.clips.holdings(ClipFilter(owner=seen, in_trash=trash)) for trash in (False, True))
    return {
        "kept": kept.count,
        "thrown": thrown.count,
        "summary": _amount("page.gallery.summary", kept, language),
        "trash_summary": _amount("page.gallery.trash_summary", thrown, language),
        "empty_question": _amount("page.gallery.empty_question", thrown, language),
    }


def details(clip: Clip, language: str, is_own: bool) -> dict[str, Any]:
    """Everything that is known of one clip, in words."""
    made, settings = clip.rendered, clip.rendered.settings
    return clip_view(clip, language) | {
        "prompt": settings.prompt,
        "negative": settings.negative_prompt,
        "engine": engine_name(settings.engine, language),
        "owner": "" if is_own else clip.owner,
        "created": clip.created,
        "starred": clip.starred,
        "trashed": clip.trashed is not None,
        "recipe": as_infotext(settings),
        "stages": _stages(made.seconds_by_stage, language),
        "memory": f"{made.peak_memory_gb:.1f} GB" if made.peak_memory_gb else "",
        "size": spoken_bytes(clip.bytes),
        "missing": "" if clip.is_here else _missing(clip, language),
    }


def engine_name(engine: str, language: str) -> str:
    """An engine as the form calls it; one that we do not know by its own name."""
    return say(f"page.engine.{engine}", language) if engine in ENGINES else engine


def _engines(studio: Studio, seen: str | None, language: str) -> list[dict[str, str]]:
    return [{"name": name, "title": engine_name(name, language)} for name in studio.clips.engines(seen)]


def _amount(code: str, held: Holdings, language: str) -> str:
    values: dict[str, str | int | float] = {"n": held.count, "size": spoken_bytes(held.bytes), "days": KEPT_DAYS}
    return say(Message(code, values), language)


def _stages(seconds: Any, language: str) -> list[dict[str, Any]]:
    """How long each stage took, in the order of the work, with its share of the whole."""
    whole = sum(seconds.values()) or 1.0
    return [
        {
            "name": say(f"stage.{stage}", language),
            "seconds": _briefly(seconds[stage], language),
            "percent": round(100 * seconds[stage] / whole, 1),
        }
        for stage in STAGES
        if seconds.get(stage)
    ]


def _briefly(seconds: float, language: str) -> str:
    """A stage's time: 0.3 s, 19 s, 4 min."""
    if seconds >= 10:
        return spoken_seconds(seconds, language)
    return say(Message("page.time.seconds", {"n": f"{max(seconds, 0.1):.1f}"}), language)


def _missing(clip: Clip, language: str) -> str:
    return say(Message("page.gallery.missing", {"name": clip.rendered.path.name}), language)
