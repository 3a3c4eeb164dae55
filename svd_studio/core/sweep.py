"""One recipe, and what to try in it, become many recipes: arithmetic only, refused beside the field that is wrong."""

import itertools
import math
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from svd_studio.core.clip import MAX_SEED, ClipSettings, choices
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import BadInput, BadSetting

MOST: Mapping[str, int] = {"prompt": 6, "speed": 3, "seed": 4, "motion_bucket": 5}
"""What can be tried, and how many values of it at once; the last one changes fastest."""

MOST_CLIPS = 24

Sweep = Mapping[str, Sequence[Any]]
"""Values to try, by field; a field without any stays as it is in the recipe."""


def expand(settings: ClipSettings, sweep: Sweep, info: EngineInfo) -> list[ClipSettings]:
    """Make every combination, all with one seed unless seeds are tried.

    Raises BadSetting for a field's values, BadInput when they make fewer than two clips or too many.
    """
    tried = {name: _checked(name, sweep[name], info) for name in MOST if sweep.get(name)}
    count = math.prod(len(values) for values in tried.values())
    if count < 2:
        raise BadInput("sweep.nothing")
    if count > MOST_CLIPS:
        raise BadInput("sweep.too_many", n=count, most=MOST_CLIPS)
    base = settings if settings.seed is not None else settings.changed(seed=secrets.randbelow(MAX_SEED + 1))
    if "speed" in tried and _has_usual_steps(settings, info):
        base = base.changed(steps=None, scheduler=None)  # each speed has its own
    return [base.changed(**dict(zip(tried, values, strict=True))) for values in itertools.product(*tried.values())]


def differing(recipes: Sequence[ClipSettings]) -> tuple[str, ...]:
    """The fields in which recipes differ, of those that can be tried."""
    return tuple(name for name in MOST if len({getattr(recipe, name) for recipe in recipes}) > 1)


def seeds(first: int | None, count: int) -> list[int]:
    """So many seeds: those from a chosen one on, or drawn ones."""
    if first is None:
        return [secrets.randbelow(MAX_SEED + 1) for _ in range(count)]
    return [(first + number) % (MAX_SEED + 1) for number in range(count)]


def numbers(text: str) -> list[int | str]:
    """The numbers in a text, however they are set apart; what is none stays as it was typed, to be refused by name."""
    words = re.split(r"[\s,;，、；]+", text.strip())
    return [int(word) if re.fullmatch(r"[0-9]{1,12}", word) else word for word in words if word]


def around(bucket: int) -> list[int]:
    """Three motion buckets to begin with, the one that stands in the form among them."""
    if bucket < 20:
        return [bucket, 60, 127]
    if bucket > 170:
        return [bucket // 3, bucket * 2 // 3, bucket]
    return [bucket // 2, bucket, bucket * 3 // 2]


def _checked(name: str, values: Sequence[Any], info: EngineInfo) -> list[Any]:
    """Each value once, and possible."""
    distinct = list(dict.fromkeys(values))
    if len(distinct) > MOST[name]:
        raise BadSetting("sweep.too_many_of", name, most=MOST[name], n=len(distinct))
    for value in distinct:
        ClipSettings.from_person({name: value})
    if name in info.locked and distinct != [info.locked[name]]:
        raise BadSetting("sweep.locked", name, engine=info.name, value=info.locked[name])
    return distinct


def _has_usual_steps(settings: ClipSettings, info: EngineInfo) -> bool:
    """Whether steps and sampler are what some speed brings, and nobody's own choice."""
    usual = (ClipSettings(speed=speed).resolve(info).settings for speed in choices("speed"))
    stands = (settings.steps, settings.scheduler)
    return stands == (None, None) or stands in {(one.steps, one.scheduler) for one in usual}
