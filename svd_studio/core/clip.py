"""The recipe of a clip: one object that the form makes, the queue keeps and the MP4 carries."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

import annotated_types
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from svd_studio.core.errors import BadInput, BadSetting, Value
from svd_studio.core.speed import LEVELS, Level, Speed

if TYPE_CHECKING:
    from svd_studio.core.engine import EngineInfo, Resolved

Shape = Literal["landscape", "portrait", "square", "4:5"]
Fit = Literal["crop", "pad", "exact"]
SchedulerName = Literal["euler", "dpm"]
Scale = Literal["720p", "1080p"]
Between = Literal["flow", "rife"]
Enlarge = Literal[2, 4]

RECIPE_VERSION = 1
MAX_SEED = 2**32 - 1


def _plain_text(text: str) -> str:
    """Refuse what no keyboard types: controls, surrogates, unassigned code points."""
    for letter in text:
        if letter not in "\n\t" and unicodedata.category(letter) in ("Cc", "Cs", "Cn"):
            raise ValueError("unprintable")
    return unicodedata.normalize("NFC", text).strip()


def _not_a_bool(value: object) -> object:
    """Refuse True where Python would take it for 1."""
    if isinstance(value, bool):
        raise PydanticCustomError("literal_error", "bool")
    return value


Words = Annotated[str, Field(max_length=2000), AfterValidator(_plain_text)]


class Recipe(BaseModel):
    """Share the strictness of every part of a recipe: frozen, no unknown keys, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class FinishSettings(Recipe):
    """What happens to the frames after the engine made them."""

    smooth: Annotated[
        Literal[1, 2, 4],
        BeforeValidator(_not_a_bool),
        Field(description="In-between frames: 2 or 4 times as many, for fluid playback."),
    ] = 1
    between: Annotated[
        Between,
        Field(
            description="Flow is quick; RIFE (Models page) follows large moves and passing things better,"
            " and is slow without a card."
        ),
    ] = "flow"
    enlarge: Annotated[
        Literal[1, 2, 4],
        BeforeValidator(_not_a_bool),
        Field(description="Draw every frame 2 or 4 times as large, with finer detail; slow without a graphics card."),
    ] = 1
    scale: Annotated[
        Scale | None, Field(description="Enlarge to 720p or 1080p (the shorter side), keeping the shape.")
    ] = None
    deflicker: Annotated[
        float, Field(ge=0, le=1, description="Take flicker out of the light: 0 not at all, 1 wholly.")
    ] = 0.0
    contrast: Annotated[float, Field(ge=0, le=1, description="Bring out what is pale or dark; 0.3 is plenty.")] = 0.0
    colour: Annotated[float, Field(ge=0, le=2, description="Stronger colours above 1, paler ones below.")] = 1.0
    sharpen: Annotated[float, Field(ge=0, le=1, description="Crisper edges; 0.5 is usual, 1 is much.")] = 0.0

    @property
    def by_rife(self) -> bool:
        """Whether RIFE is asked to draw frames."""
        return self.smooth > 1 and self.between == "rife"


class ExportSettings(Recipe):
    """How the finished frames become a file."""

    fps: Annotated[int | None, Field(ge=1, le=60, description="Playback speed; empty is the model's own.")] = None


class ClipSettings(Recipe):
    """Hold every choice that makes a clip; None means the engine's native value.

    Bounds, defaults and help stand here once; form, command line and messages read them.
    """

    version: Literal[1] = 1
    engine: Annotated[
        str | None, Field(max_length=40, description="Which model makes the frames; without one, the best here.")
    ] = None
    prompt: Annotated[Words, Field(description="What should happen, in words.")] = ""
    negative_prompt: Annotated[Words, Field(description="What should not happen, in words.")] = ""
    prompt_strength: Annotated[
        float, Field(ge=0, le=1, description="How hard the words push; 0 ignores them, 0.2 is usual.")
    ] = 0.2
    shape: Annotated[Shape | None, Field(description="Shape of the clip; Auto is the one nearest to the picture.")] = (
        None
    )
    width: Annotated[int | None, Field(ge=64, le=2048, description="Exact width in pixels, with height.")] = None
    height: Annotated[int | None, Field(ge=64, le=2048, description="Exact height in pixels, with width.")] = None
    fit: Annotated[Fit, Field(description="Crop cuts edges off, pad adds blurred ones, exact stretches.")] = "crop"
    focus_x: Annotated[float, Field(ge=0, le=1, description="What a crop keeps: 0 is left, 1 right.")] = 0.5
    focus_y: Annotated[float, Field(ge=0, le=1, description="What a crop keeps: 0 is the top, 1 the bottom.")] = 0.5
    crop_zoom: Annotated[float, Field(ge=1, le=4, description="How far a crop goes in: 1 keeps all it can.")] = 1.0
    frames: Annotated[int | None, Field(ge=2, le=121, description="How many frames the model makes.")] = None
    parts: Annotated[
        int, Field(ge=1, le=100, description="A long film: how many parts, each going on from the one before.")
    ] = 1
    go_on_from: Annotated[
        int | None,
        Field(ge=1, le=120, description="After how many frames of a part the next one goes on; empty is its end."),
    ] = None
    steps: Annotated[
        int | None, Field(ge=1, le=100, description="Denoising steps: more are finer and slower; 20 to 30 is usual.")
    ] = None
    scheduler: Annotated[
        SchedulerName | None,
        Field(description="How noise is taken away: Euler is the original, DPM-Solver++ (dpm) needs fewer steps."),
    ] = None
    speed: Annotated[
        Speed, Field(description="What may be given up for time: best nothing, good a little, draft more.")
    ] = "best"
    guidance_first: Annotated[
        float | None, Field(ge=1, le=10, description="Guidance scale at the first frame; 1 is off and twice as fast.")
    ] = None
    guidance_last: Annotated[
        float | None, Field(ge=1, le=10, description="Guidance scale at the last frame; higher holds on to it.")
    ] = None
    motion_bucket: Annotated[
        int | None, Field(ge=1, le=255, description="How much moves: 30 is calm, 127 usual, 200 wild.")
    ] = None
    motion_fps: Annotated[
        int | None, Field(ge=1, le=30, description="The frame rate the model is told; lower means larger moves.")
    ] = None
    image_noise: Annotated[
        float | None, Field(ge=0, le=1, description="Noise added to the picture: more motion, less likeness.")
    ] = None
    seed: Annotated[
        int | None, Field(ge=0, le=MAX_SEED, description="The same seed gives the same clip; empty draws one.")
    ] = None
    finish: FinishSettings = FinishSettings()
    export: ExportSettings = ExportSettings()

    @classmethod
    def from_person(cls, values: Mapping[str, Any]) -> Self:
        """Read what somebody typed, strictly. Raises BadSetting with one sentence about one field."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise _as_bad_setting(error) from None

    @classmethod
    def from_file(cls, values: Mapping[str, Any]) -> tuple[Self, tuple[str, ...]]:
        """Read a recipe of any age: unknown keys are dropped and returned by name.

        Raises BadSetting when a known field holds something impossible.
        """
        unknown: list[str] = []
        known = _known_only(cls, values, unknown, "")
        known["version"] = RECIPE_VERSION
        return cls.from_person(known), tuple(unknown)

    def resolve(self, info: EngineInfo, picture_size: tuple[int, int] | None = None) -> Resolved:
        """Fill every None with the engine's value and round to what it can do, saying so.

        `picture_size` is (width, height) of the start picture, for the nearest shape. A seed is not drawn
        here: None becomes 0.
        Raises BadSetting when the engine cannot do what was asked.
        """
        return info.resolve(self, picture_size)

    def as_json(self) -> dict[str, Any]:
        """The recipe as plain JSON values, empty fields left out."""
        return self.model_dump(mode="json", exclude_none=True)

    def changed(self, **values: Any) -> Self:
        """The same recipe with some fields replaced; validated again."""
        return type(self).from_person({**self.model_dump(), **values})


class ResolvedSettings(ClipSettings):
    """A recipe without gaps, as an engine wants it; EngineInfo.resolve makes them."""

    engine: str
    shape: Shape
    width: int
    height: int
    frames: int
    steps: int
    scheduler: SchedulerName
    guidance_first: float
    guidance_last: float
    motion_bucket: int
    motion_fps: int
    image_noise: float
    seed: int

    @property
    def part_frames(self) -> int:
        """How many frames of a part are shown before the next one goes on."""
        return self.frames if self.go_on_from is None else min(self.go_on_from + 1, self.frames)

    @property
    def frames_in_all(self) -> int:
        """Frames of the film: a part's first is the last one of the part before."""
        return (self.parts - 1) * (self.part_frames - 1) + self.frames

    def one_part(self) -> Self:
        """The recipe of one part alone."""
        return self.model_copy(update={"parts": 1, "go_on_from": None})

    @property
    def has_words(self) -> bool:
        """Whether there is something to steer by."""
        return bool(self.prompt or self.negative_prompt) and self.prompt_strength > 0

    @property
    def is_guided(self) -> bool:
        """Whether steps need their second, unconditional pass."""
        return max(self.guidance_first, self.guidance_last) > 1

    @property
    def level(self) -> Level:
        """What its speed gives up."""
        return LEVELS[self.speed]


@dataclass(frozen=True)
class ClipRequest:
    """Ask for one clip: a recipe, and the pictures by their files in the library."""

    settings: ResolvedSettings
    start_image: Path
    end_image: Path | None = None


@dataclass(frozen=True)
class RenderedClip:
    """One finished file and how it was made."""

    path: Path
    settings: ResolvedSettings
    source_sha256: str
    frames: int
    fps: float
    size: tuple[int, int]
    seconds_by_stage: Mapping[str, float] = field(default_factory=dict)
    peak_memory_gb: float = 0.0
    plan: Mapping[str, Any] = field(default_factory=dict)
    poster: Path | None = None

    @property
    def before(self) -> Path:
        """Where the same clip without finishing lies, if it was kept: a video beside it."""
        return self.path.with_suffix(".before")


def field_info(name: str) -> FieldInfo:
    """The declaration of a field, also of `finish.` and `export.` fields, for forms and help."""
    model: type[Recipe] = ClipSettings
    *parents, leaf = name.split(".")
    for parent in parents:
        model = FinishSettings if parent == "finish" else ExportSettings
    return model.model_fields[leaf]


def bounds(name: str) -> tuple[float, float]:
    """Lowest and highest value of a numeric field."""
    marks = field_info(name).metadata
    low = next(mark.ge for mark in marks if isinstance(mark, annotated_types.Ge))
    high = next(mark.le for mark in marks if isinstance(mark, annotated_types.Le))
    return low, high  # type: ignore[return-value]  # Ge and Le hold any comparable


def choices(name: str) -> tuple[Any, ...]:
    """What a field with fixed choices accepts, without None."""
    annotation = field_info(name).annotation
    for option in (annotation, *get_args(annotation)):
        values = get_args(option)
        if values and not any(isinstance(value, type) for value in values):
            return tuple(value for value in values if value is not None)
    return ()


def _known_only(model: type[BaseModel], values: Mapping[str, Any], unknown: list[str], prefix: str) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise BadInput("recipe.not_a_recipe")
    known: dict[str, Any] = {}
    for key, value in values.items():
        if key not in model.model_fields:
            unknown.append(f"{prefix}{key}"[:80])
        elif key in ("finish", "export") and not isinstance(value, BaseModel):
            part = FinishSettings if key == "finish" else ExportSettings
            known[key] = _known_only(part, value, unknown, f"{key}.")
        else:
            known[key] = value
    return known


def _as_bad_setting(error: ValidationError) -> BadSetting:
    """Turn pydantic's first complaint into one sentence about one field."""
    first = error.errors(include_url=False)[0]
    name = ".".join(str(step) for step in first["loc"] if str(step) in _FIELD_NAMES) or "recipe"
    kind, given = first["type"], _shown(first.get("input"))
    if kind == "extra_forbidden":
        return BadSetting("setting.unknown", ".".join(str(step) for step in first["loc"])[:80])
    if kind in ("greater_than_equal", "less_than_equal"):
        low, high = bounds(name)
        return BadSetting("setting.out_of_range", name, low=_tidy(low), high=_tidy(high), given=given)
    if kind == "literal_error":
        return BadSetting("setting.unknown_choice", name, given=given, choices=", ".join(map(str, choices(name))))
    if kind == "string_too_long":
        return BadSetting("setting.too_long", name, limit=first["ctx"]["max_length"])
    if kind in ("value_error", "string_unicode"):
        return BadSetting("setting.unprintable", name)
    code = "setting.not_text" if kind == "string_type" else "setting.not_a_number"
    return BadSetting(code, name, given=given)


def _shown(value: Any) -> Value:
    """A value as a message may repeat it: short and printable."""
    if isinstance(value, int) and abs(value) > 10**12:
        return "a huge number"
    text = str(value) if isinstance(value, str | int | float) else type(value).__name__
    return "".join(letter if letter.isprintable() else "?" for letter in text[:40])


def _tidy(number: float) -> Value:
    return int(number) if number == int(number) else number


_FIELD_NAMES = {*ClipSettings.model_fields, *FinishSettings.model_fields, *ExportSettings.model_fields}
