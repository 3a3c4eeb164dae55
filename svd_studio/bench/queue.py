"""Measure the queue and the library when they are large: 10,000 jobs wait and 10,000 clips are kept."""

import json
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from svd_studio.core.clip import ClipRequest, ClipSettings, RenderedClip, ResolvedSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput
from svd_studio.engines.catalog import ENGINES
from svd_studio.host import private_folder
from svd_studio.jobs.adoption import adopt
from svd_studio.jobs.housekeeping import sweep
from svd_studio.library.clip_search import ClipFilter
from svd_studio.library.clips import Clip
from svd_studio.library.presets import SHIPPED
from svd_studio.studio import OWNER, Studio

MANY, SUBMITS, PAGE = 10_000, 300, 60
PICTURE = SHIPPED / "pictures" / "coffee.jpg"
BARS = {"submit_p99_ms": 50, "page_ms": 300, "last_page_ms": 300, "search_ms": 300, "start_s": 5}
"""What each figure must stay below."""


def bench_queue(as_json: bool, many: int = MANY, submits: int = SUBMITS) -> int:
    """Print how long a submit, a gallery page and a start take; 1 when one of them takes too long."""
    if many < PAGE or submits < 2:
        raise BadInput("bench.too_few", given=min(many, submits))
    with tempfile.TemporaryDirectory(prefix="svd-studio-") as folder:
        config = StudioConfig(Path(folder) / "data")
        studio = Studio(config)
        fill(studio, many)
        report = {"jobs": many, "clips": many, **submitting(studio, submits), **paging(studio)}
        studio.database.connection.close()
        report["start_s"] = round(_seconds(lambda: start(Studio(config))), 3)
    slow = [name for name, bar in BARS.items() if report[name] >= bar]
    print(json.dumps(report | {"too_slow": slow}, indent=2) if as_json else "\n".join(_lines(report)))
    return 1 if slow else 0


def fill(studio: Studio, many: int) -> None:
    """Let jobs wait and clips be kept; their files are empty, but there."""
    keep(studio, many)
    with studio.database.transaction():
        for number, recipe in enumerate(_recipes(many)):
            studio.queue.add(ClipRequest(recipe, PICTURE), f"picture {number}", OWNER)


def keep(studio: Studio, many: int, film: bytes = b"", poster: bytes = b"") -> None:
    """Keep so many clips, whose files all hold the same."""
    private_folder(studio.config.data)
    private_folder(studio.config.clips)
    clips = [_clip(studio, number, recipe) for number, recipe in enumerate(_recipes(many))]
    for clip in clips:
        clip.rendered.path.write_bytes(film)
        clip.rendered.path.with_suffix(".webp").write_bytes(poster)
    with studio.database.transaction():
        studio.clips.write(clips)


def _recipes(many: int) -> list[ResolvedSettings]:
    info = ENGINES["svd-nano"]
    return [ClipSettings(seed=seed, prompt=f"waves and wind {seed}").resolve(info).settings for seed in range(many)]


def _clip(studio: Studio, number: int, settings: ResolvedSettings) -> Clip:
    path = studio.config.clips / f"picture {number}.mp4"
    poster = path.with_suffix(".webp")
    seconds = {"denoise": 12.5, "decode": 10.3, "encode": 0.1}
    made = RenderedClip(path, settings, "a" * 64, 14, 7.0, (256, 144), seconds, 2.6, {"decode_window": 14}, poster)
    return Clip(secrets.token_urlsafe(16), None, f"picture {number}", OWNER, 1.7e9 + number, made)


def submitting(studio: Studio, submits: int) -> dict[str, Any]:
    """The verb as the page calls it: look at the picture, keep it, check the disk, write the row."""
    asked = ClipSettings(engine="svd-nano")
    taken = [_seconds(lambda: studio.submit(asked, PICTURE)) * 1000 for _ in range(submits)]
    return {
        "submit_median_ms": round(statistics.median(taken), 1),
        "submit_p99_ms": round(statistics.quantiles(taken, n=100)[98], 1),
    }


def paging(studio: Studio) -> dict[str, Any]:
    """The first page of the gallery, one near the end, and the rarest word there is."""
    near_the_end = (1.7e9 + PAGE, "")
    asked = {
        "page_ms": lambda: studio.clips.page(ClipFilter(), None, PAGE),
        "last_page_ms": lambda: studio.clips.page(ClipFilter(), near_the_end, PAGE),
        "search_ms": lambda: studio.clips.page(ClipFilter(words="wind no-such-word"), None, PAGE),
    }
    return {name: round(max(_seconds(ask) for _ in range(5)) * 1000, 1) for name, ask in asked.items()}


def start(studio: Studio) -> None:
    """What window and worker do before the first clip, on this folder: look for damage, take over, claim."""
    studio.mend()
    adopt(studio.queue, studio.clips)
    studio.queue.recover()
    sweep(studio.config)
    if studio.queue.claim("bench") is None:
        raise BadInput("bench.no_job")


def _seconds(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _lines(report: dict[str, Any]) -> list[str]:
    return [
        f"{name:<18} {figure:>8}" + (f"   (must be under {BARS[name]})" if name in BARS else "")
        for name, figure in report.items()
    ]
