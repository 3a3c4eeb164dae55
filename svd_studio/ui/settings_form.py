"""The form of a recipe: one component a field; bounds, choices and native values come from the field and the engine."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr
from gradio.components import Component

from svd_studio.core.clip import ClipSettings, bounds, choices
from svd_studio.core.engine import EngineInfo
from svd_studio.engines.catalog import ENGINES
from svd_studio.library.preset_file import LOOK_FIELDS, Preset
from svd_studio.ui.texts import say

Kind = Literal["words", "slider", "number", "pick", "list", "unseen"]
Values = Mapping[Component, Any]
Updates = dict[Component, Any]

EMPTY = ""
"""What a group of choices holds where the recipe holds None."""


@dataclass(frozen=True)
class Row:
    """One field as the form shows it; `step` is the slider's, `backwards` puts the last choice first.

    What is unseen is written by a script of the page: assets/crop.js.
    """

    name: str
    kind: Kind
    step: float = 1
    may_be_empty: bool = False
    backwards: bool = False

    @property
    def options(self) -> tuple[Any, ...]:
        """What a group of choices offers, in the order in which it stands there."""
        offered = tuple(reversed(choices(self.name))) if self.backwards else choices(self.name)
        return (EMPTY, *offered) if self.may_be_empty else offered


WORDS = (Row("prompt", "words"), Row("negative_prompt", "words"))
MAIN = (Row("frames", "slider"), Row("motion_bucket", "slider"), Row("steps", "slider"))
SHAPE = (Row("shape", "pick", may_be_empty=True), Row("fit", "pick"))
CROP = (Row("focus_x", "unseen"), Row("focus_y", "unseen"), Row("crop_zoom", "unseen"))
SPEED = (Row("speed", "pick", backwards=True),)
SEED = (Row("seed", "number", may_be_empty=True),)
MORE = (
    Row("engine", "list"),
    Row("prompt_strength", "slider", step=0.05),
    Row("guidance_first", "slider", step=0.1),
    Row("guidance_last", "slider", step=0.1),
    Row("motion_fps", "slider"),
    Row("image_noise", "slider", step=0.01),
    Row("scheduler", "pick"),
    Row("width", "number", may_be_empty=True),
    Row("height", "number", may_be_empty=True),
    Row("parts", "slider"),
    Row("go_on_from", "number", may_be_empty=True),
    Row("finish.smooth", "pick"),
    Row("finish.between", "pick"),
    Row("finish.enlarge", "pick"),
    Row("finish.scale", "pick", may_be_empty=True),
    *(Row(f"finish.{name}", "slider", step=0.05) for name in ("deflicker", "contrast", "colour", "sharpen")),
    Row("export.fps", "number", may_be_empty=True),
)
ROWS = {row.name: row for row in (*WORDS, *MAIN, *SHAPE, *CROP, *SPEED, *SEED, *MORE)}
WHOLE_PICTURE = {"focus_x": 0.5, "focus_y": 0.5, "crop_zoom": 1.0}
"""The crop with which a new picture begins."""


def element_id(name: str) -> str:
    """The id of a field on the page; errors are shown below it."""
    return "field-" + name.replace(".", "-").replace("_", "-")


class SettingsForm:
    """Hold the components by field name; the page says where each one stands by calling `draw`."""

    def __init__(self, info: EngineInfo) -> None:
        self.info = info
        self.fields: dict[str, Component] = {}

    def draw(self, *rows: Row) -> None:
        """Put these fields here."""
        for row in rows:
            self.fields[row.name] = _component(row, self.info)

    def read(self, values: Values) -> dict[str, Any]:
        """What stands in the form, by field name, as the recipe wants it."""
        return {name: _as_recipe(ROWS[name], values[field]) for name, field in self.fields.items()}

    def settings(self, values: Values, **replaced: Any) -> ClipSettings:
        """The form as a recipe. Raises BadSetting."""
        return ClipSettings.from_person(_nested({**self.read(values), **replaced}))

    def show(self, named: Mapping[str, Any]) -> Updates:
        """Put values into the form; names that it does not have are left out."""
        return {
            self.fields[name]: gr.update(value=_as_shown(ROWS[name], value))
            for name, value in named.items()
            if name in self.fields
        }

    def show_recipe(self, settings: ClipSettings, info: EngineInfo) -> Updates:
        """Put a whole recipe into the form, with the limits of the engine that it is for."""
        return self.limited(self.show(as_typed(settings)), info)

    def limited(self, updates: Updates, info: EngineInfo) -> Updates:
        """The same updates, with the number of frames going as far as the engine does."""
        low, high, _ = info.frames
        frames = self.fields["frames"]
        return {**updates, frames: {**updates.get(frames, gr.update()), "minimum": low, "maximum": high}}

    def show_look(self, preset: Preset, info: EngineInfo) -> Updates:
        """Put a look's fields into the form and everything else that looks set back to the engine's own.

        A look of one's own may hold more, also a model: then `info` is that model's.
        """
        chosen = flat(preset.onto(ClipSettings(), info))
        names = {*LOOK_FIELDS, *(name for name in chosen if name in preset.settings)}
        native = flat(ClipSettings()) | dict(info.native)
        named = {name: native[name] if chosen[name] is None else chosen[name] for name in names}
        if "engine" in named:
            named |= {"engine": info.name, "frames": chosen["frames"] or native["frames"]}
        if "frames" in named:
            named["frames"] = min(max(named["frames"], info.frames[0]), info.frames[1])
        return self.limited(self.show(named | dict(info.locked)), info)

    def change_engine(self, old: EngineInfo, new: EngineInfo, values: Values, look: Preset | None = None) -> Updates:
        """Follow another engine: its limits, and its native value or the look's wherever the old one's stood."""
        typed = self.read(values)
        was, now = ({**info.native, **(look.on(info) if look else {})} for info in (old, new))
        moved = {name: now[name] for name in new.native if typed.get(name) == was[name]}
        low, high, _ = new.frames
        asked = typed["frames"] if isinstance(typed["frames"], int) else high
        frames = moved.pop("frames", min(max(asked, low), high))
        return self.limited(self.show(moved | dict(new.locked) | {"frames": frames}), new)

    def show_native(self, info: EngineInfo) -> Updates:
        """Put everything back to the engine's own values but words, seed and the model itself."""
        native = flat(ClipSettings()) | dict(info.native) | dict(info.locked)
        kept = ("prompt", "negative_prompt", "seed", "engine")
        return self.limited(self.show({name: native[name] for name in ROWS if name not in kept}), info)

    def change_speed(self, info: EngineInfo, values: Values) -> Updates:
        """Follow another speed: its usual steps and sampler, unless a person or a look had set other ones."""
        typed, usual = self.read(values), {speed: _usual_steps(info, speed) for speed in choices("speed")}
        stands = {name: typed[name] for name in ("steps", "scheduler")}
        return self.show(usual.get(typed["speed"], {})) if stands in usual.values() else {}

    def list_engines(self, language: str, installed: frozenset[str]) -> Updates:
        """Say again which engines are here."""
        return {self.fields["engine"]: _spoken(ROWS["engine"], language, installed)}

    def speak(self, language: str, installed: frozenset[str]) -> Updates:
        """Put labels, help and choices into a language."""
        return {field: _spoken(ROWS[name], language, installed) for name, field in self.fields.items()}


def as_typed(settings: ClipSettings) -> dict[str, Any]:
    """A recipe by field name as a person would have typed it: a shape, and a size only where it is not that shape's."""
    values, info = flat(settings), ENGINES.get(str(settings.engine))
    is_unknown = settings.engine is not None and info is None
    if settings.shape and (is_unknown or (info and info.sizes[settings.shape] == (settings.width, settings.height))):
        values |= {"width": None, "height": None}
    return values


def flat(settings: ClipSettings) -> dict[str, Any]:
    """A recipe by field name, with finish.smooth as one name."""
    values = settings.model_dump()
    for part in ("finish", "export"):
        values |= {f"{part}.{name}": value for name, value in values.pop(part).items()}
    return values


def _nested(named: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in named.items():
        part, dot, leaf = name.partition(".")
        if dot:
            nested.setdefault(part, {})[leaf] = value
        else:
            nested[name] = value
    return nested


def _usual_steps(info: EngineInfo, speed: Any) -> dict[str, Any]:
    usual = ClipSettings(speed=speed).resolve(info).settings
    return {"steps": usual.steps, "scheduler": usual.scheduler}


def _component(row: Row, info: EngineInfo) -> Component:
    shared = {"elem_id": element_id(row.name), "elem_classes": ["field", f"field-{row.kind}"], "label": row.name}
    native = info.native.get(row.name, flat(ClipSettings())[row.name])
    if row.kind == "words":
        return gr.Textbox(lines=2 if row.name == "prompt" else 1, max_lines=6, container=True, **shared)
    if row.kind == "number":  # gr.Number turns an empty field into 0
        return gr.Textbox(max_lines=1, html_attributes=gr.InputHTMLAttributes(autocomplete="off"), **shared)
    if row.kind == "slider":
        low, high = info.frames[:2] if row.name == "frames" else bounds(row.name)
        return gr.Slider(low, high, value=native, step=row.step, buttons=[], **shared)
    if row.kind == "list":
        return gr.Dropdown([(engine.title, name) for name, engine in ENGINES.items()], value=info.name, **shared)
    if row.kind == "unseen":
        return gr.Number(native, **shared)
    options = [(str(value), value) for value in row.options]
    return gr.Radio(options, value=EMPTY if native is None else native, **shared)


def _as_recipe(row: Row, value: Any) -> Any:
    """A component's value for the recipe, which says what is wrong with it in its own words."""
    if row.kind == "words":
        return value or ""
    if row.may_be_empty and value == EMPTY:
        return None
    if row.kind == "number" and isinstance(value, str):
        text = value.strip()
        return (int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else value) if text else None
    return value


def _as_shown(row: Row, value: Any) -> Any:
    if value is None and row.may_be_empty:
        return EMPTY
    return str(value) if row.kind == "number" else value


def _spoken(row: Row, language: str, installed: frozenset[str]) -> Any:
    said: dict[str, Any] = {"label": say(f"page.field.{row.name}", language)}
    if row.kind in ("words", "number"):
        said["placeholder"] = say(f"page.hint.{row.name}", language)
    if row.kind not in ("words", "unseen") and row.name != "speed":  # what each speed gives up stands below it
        said["info"] = say(f"page.help.{row.name}", language)
    if row.kind == "pick":
        named = ((say(f"page.choice.{row.name}.{option or 'none'}", language), option) for option in row.options)
        said["choices"] = list(named)
    if row.kind == "list":
        said["choices"] = [(_engine_title(engine, language, installed), name) for name, engine in ENGINES.items()]
    return gr.update(**said)


def _engine_title(engine: EngineInfo, language: str, installed: frozenset[str]) -> str:
    title = say(f"page.engine.{engine.name}", language)
    return title if engine.name in installed else title + say("page.engine.not_here", language)
