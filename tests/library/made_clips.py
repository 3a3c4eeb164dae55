"""Clips for tests: rows by the thousand without a file, and real files from the scripted engine."""

import importlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from svd_studio.core.clip import ClipRequest, ClipSettings, RenderedClip
from svd_studio.core.progress import Progress
from svd_studio.engines.catalog import ENGINES
from svd_studio.library.clips import Clip
from svd_studio.rendering.loaded import LoadedEngine
from svd_studio.rendering.parts import PartStore
from svd_studio.rendering.render import Bench, render
from svd_studio.studio import Studio
from tests.fakes import FakeEngine

SMALL = {"frames": 2, "steps": 1, "width": 64, "height": 64}


def row(studio: Studio, number: int, title: str = "", owner: str = "owner", **asked: Any) -> Clip:
    """A clip as a row holds it, made `number` seconds after the epoch; nothing is written."""
    values = {"seed": number, "engine": "svd-nano", **asked}
    settings = ClipSettings.from_person(values).resolve(ENGINES[values["engine"]]).settings
    path = studio.config.clips / f"clip {number}.mp4"
    made = RenderedClip(path, settings, "0" * 64, 14, 7.0, (256, 144), {"denoise": 2.5, "encode": 0.5}, 1.5)
    return Clip(f"id{number:020}", number, title or f"title {number}", owner, float(number), made, bytes=1000)


def copies(studio: Studio, clip: Clip, number: int, **asked: Any) -> list[Clip]:
    """As many clips again as real files, each an hour older than the one before."""
    made = []
    for one in range(1, number + 1):
        path = clip.rendered.path.with_name(f"copy {one}.mp4")
        shutil.copyfile(clip.rendered.path, path)
        rendered = replace(clip.rendered, path=path, poster=None, settings=clip.rendered.settings.changed(**asked))
        aged = {"id": f"copy{one:018}", "title": f"copy {one}", "created": clip.created - 3600 * one}
        made.append(replace(clip, rendered=rendered, job_id=None, **aged))  # type: ignore[arg-type]
    return studio.clips.write(made)


class Maker:
    """Make real clips in a studio's folder, as its worker does but for the engine."""

    def __init__(self, studio: Studio, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importlib.import_module("svd_studio.engines.svd"), "SvdEngine", FakeEngine)
        self.studio, self.picture, self.made = studio, picture, 0
        parts = PartStore(studio.config.parts)
        self.bench = Bench(LoadedEngine("cpu", "fp32"), parts, lambda info: picture.parent, lambda: 64.0, lambda: 1.0)

    def clip(self, title: str, owner: str = "owner", **asked: Any) -> Clip:
        self.made += 1
        values = {**SMALL, "seed": self.made, **asked}
        settings = ClipSettings.from_person(values).resolve(ENGINES["svd-nano"]).settings
        folder = self.studio.config.clips
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{title} #{self.made}.mp4"
        request = ClipRequest(settings, self.picture)
        rendered = render(request, target, self.bench, Progress(), title, self.made, owner)
        return self.studio.clips.add(rendered, title, owner, self.made)
