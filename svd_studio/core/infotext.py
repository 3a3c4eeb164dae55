"""A recipe as text to copy and paste, in the manner of A1111's infotext, and back without loss.

    waves roll in
    Negative prompt: people
    Steps: 25, Seed: 7, Engine: svd-xt, Size: 1024x576, Motion bucket: 127, Recipe: 1

Fields at their declared defaults are left out; a text that a plain reading would take apart stands in quotes, as JSON.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from svd_studio.core.clip import RECIPE_VERSION, ClipSettings, ExportSettings, FinishSettings
from svd_studio.core.errors import BadInput, Message

LONGEST = 32_768
"""Characters; both prompts at their longest, quoted, are a quarter of it."""

NEGATIVE = "negative prompt:"
MARK = "Recipe"
CFG = "CFG scale"
FIRST = ("steps", "seed", "engine")
NAMED = 12

_PAIR = re.compile(r'([^:,"\s][^:,"]{0,59}):\s*("(?:[^"\\]|\\.)*"(?=\s*(?:,|$))|[^,]*)(?:,|$)')
_SIZE = re.compile(r"(\d{1,5})\s*[x×]\s*(\d{1,5})")
_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)
_NUMBER = re.compile(r"-?\d+\.\d*(e-?\d{1,3})?|-?\d+e-?\d{1,3}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Recalled:
    """A recipe that came back, the keys this version does not know, what to tell about it, and all that was read."""

    settings: ClipSettings
    unknown: tuple[str, ...] = ()
    notes: tuple[Message, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)


def as_infotext(settings: ClipSettings) -> str:
    """The recipe as text that read_text gives back exactly."""
    values = _flat(settings.as_json())
    defaults = _flat(ClipSettings().as_json())
    prompt, negative = values.pop("prompt"), values.pop("negative_prompt")
    named = {name: value for name, value in values.items() if defaults.get(name) != value}
    lines = []
    if any(map(_is_negative, prompt.split("\n"))):
        named["prompt"] = prompt
    elif prompt:
        lines.append(prompt)
    if negative:
        lines.append(f"Negative prompt: {negative}")
    return "\n".join([*lines, ", ".join(f"{key}: {value}" for key, value in _pairs(named))])


def read_text(text: str) -> Recalled:
    """Read an infotext, ours or A1111's, or a recipe as JSON; order, spaces and unknown keys do not matter.

    Raises BadInput when the text is no recipe, BadSetting when a field of it is impossible.
    """
    if len(text) > LONGEST:
        raise BadInput("recipe.not_a_text")
    record = _as_json(text)
    if record is None:
        return _from_infotext(text.replace("\r\n", "\n"))
    if not holds_recipe(record):
        raise BadInput("recipe.not_a_text")
    return read_record(record)


def holds_recipe(record: Mapping[str, Any]) -> bool:
    """Whether there is a single setting of ours in it; other programs write JSON into their files, too."""
    settings = record.get("settings", record)
    return isinstance(settings, Mapping) and any(name in ClipSettings.model_fields for name in settings)


def read_record(record: Mapping[str, Any]) -> Recalled:
    """Read what a clip carries, or its settings alone. Raises BadInput, BadSetting."""
    settings, unknown = ClipSettings.from_file(record.get("settings", record))
    notes = (Message("recipe.unknown_fields", {"fields": _listed(unknown)}),) if unknown else ()
    return Recalled(settings, unknown, notes, record)


def _as_json(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)  # type: ignore[no-any-return]  # what begins with a brace is an object
    except (ValueError, RecursionError):
        return None  # a prompt may begin with a brace


def _from_infotext(text: str) -> Recalled:
    *lines, last = text.rstrip().split("\n")
    given, unknown, has_cfg = _read_pairs(last)
    if not given:
        raise BadInput("recipe.not_a_text")
    at = next((number for number, line in enumerate(lines) if _is_negative(line)), len(lines))
    words = {"prompt": "\n".join(lines[:at])}
    if at < len(lines):
        words["negative_prompt"] = "\n".join([lines[at].lstrip()[len(NEGATIVE) :], *lines[at + 1 :]])
    given.pop(MARK, None)
    settings, _ = ClipSettings.from_file(_nested(words | given))
    notes = [Message("recipe.left_out", {"fields": _listed(unknown)})] if unknown else []
    notes += [Message("recipe.no_cfg")] if has_cfg else []
    return Recalled(settings, unknown, tuple(notes), {"settings": settings.as_json()})


def _read_pairs(line: str) -> tuple[dict[str, Any], tuple[str, ...], bool]:
    """The known pairs of a line by field, the keys of the others, and whether a CFG scale was among them."""
    given: dict[str, Any] = {}
    unknown: list[str] = []
    has_cfg = False
    for match in _PAIR.finditer(line):
        key, value = match[1].strip(), _value(match[2])
        name = _FIELDS.get(_plain(key))
        if name:
            given[name] = value
        elif _plain(key) == "size" and (size := _SIZE.fullmatch(str(value))):
            given |= {"width": int(size[1]), "height": int(size[2])}
        elif _plain(key) == _plain(CFG):
            has_cfg = True
        else:
            unknown.append(key)
    return given, tuple(unknown), has_cfg


def _pairs(named: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in FIRST:
        if name in named:
            yield _label(name), _written(named.pop(name))
    if "width" in named and "height" in named:
        yield "Size", f"{named.pop('width')}x{named.pop('height')}"
    for name, value in named.items():
        yield _label(name), _written(value)
    yield MARK, str(RECIPE_VERSION)


def _written(value: str | int | float) -> str:
    """A value as it is read back: texts that would read otherwise are quoted."""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    text = str(value)
    if isinstance(value, int) or (re.fullmatch(r'[^\s",]+', text) and text.isprintable() and _value(text) == text):
        return text
    return json.dumps(text, ensure_ascii=False)


def _value(text: str) -> Any:
    """What a value stands for: a quoted text, a number, or the text itself."""
    text = text.strip()
    if text.startswith('"'):
        try:
            return json.loads(text)
        except ValueError:
            return text
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _is_negative(line: str) -> bool:
    return line.lstrip().lower().startswith(NEGATIVE)


def _label(name: str) -> str:
    """What a field is called in the text: motion_bucket is Motion bucket, finish.smooth is Smooth."""
    return name.rpartition(".")[2].replace("_", " ").capitalize()


def _plain(key: str) -> str:
    return re.sub(r"[\s_-]", "", key).lower()


def _listed(names: tuple[str, ...]) -> str:
    shown = ["".join(letter if letter.isprintable() else "?" for letter in name[:40]) for name in names[:NAMED]]
    return ", ".join(shown) + (", …" if len(names) > NAMED else "")


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by field, with finish.smooth as one name."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{leaf}": inner for leaf, inner in value.items()}
        else:
            flat[name] = value
    return flat


def _nested(named: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in named.items():
        part, _, leaf = name.rpartition(".")
        (nested.setdefault(part, {}) if part else nested)[leaf] = value
    return nested


_LEAVES = (
    *(name for name in ClipSettings.model_fields if name not in ("version", "finish", "export")),
    *(f"finish.{name}" for name in FinishSettings.model_fields),
    *(f"export.{name}" for name in ExportSettings.model_fields),
)
_FIELDS = {_plain(_label(name)): name for name in _LEAVES} | {_plain(MARK): MARK}
