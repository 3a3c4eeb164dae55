"""Variants from the Animate form: what they would make and take, and the press that puts them into the queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from svd_studio.core.clip import ClipSettings, choices
from svd_studio.core.engine import EngineInfo, Resolved
from svd_studio.core.errors import BadInput, BadSetting, StudioError
from svd_studio.core.sweep import MOST, Sweep, around, expand, numbers, seeds
from svd_studio.engines.catalog import ENGINES
from svd_studio.jobs.comparisons import Comparison
from svd_studio.studio import seen_by
from svd_studio.ui.animate_handlers import FormVerbs, Handlers, told
from svd_studio.ui.compare_view import comparison_view, promise_line, seen_comparison
from svd_studio.ui.endpoints import owner_of
from svd_studio.ui.picture_box import find_picture, picture_name
from svd_studio.ui.presses import Presses
from svd_studio.ui.rooms import View, asked_number
from svd_studio.ui.sentences import spoken
from svd_studio.ui.settings_form import Updates, Values
from svd_studio.ui.texts import say
from svd_studio.video.pictures import picture_size

LONGEST_LIST, LONGEST_PROMPTS = 200, 8000

Sent = Mapping[str, Any]
"""What a page sent: a stranger's, looked at before it is used."""


@dataclass(frozen=True)
class Base:
    """What variants are made of: the form's recipe and picture, or a finished clip's."""

    settings: ClipSettings
    info: EngineInfo
    picture: Path
    title: str


class CompareHandlers(FormVerbs):
    """The verbs of the variants' dialog."""

    def __init__(self, handlers: Handlers) -> None:
        super().__init__(handlers)
        self.presses = Presses()

    @told
    def weigh(self, values: Values, event: gr.EventData, request: gr.Request) -> Updates:
        """Say how many clips the chosen values make and how long they take, or what is wrong with them."""
        sent, language = _sent(event), self.page.language(values)
        view: View = {"number": asked_number(sent), "problems": {}, "line": "", "notes": []}
        try:
            base = self._base(values, sent, request)
            if sent.get("fresh") is True:
                view["begin"] = _begin(base)
                sent = {**sent, **view["begin"]}
            resolved = self._resolved(base, sent)
            view |= {
                "count": len(resolved),
                "line": promise_line(self.studio, [one.settings for one in resolved], language),
                "notes": [spoken(note, language) for note in _notes(resolved)],
            }
        except StudioError as error:
            view["problems"] = _problem(error, language)
        return {self.parts.view: {"sweep": view}}

    @told
    def begin(self, values: Values, event: gr.EventData, request: gr.Request) -> Updates:
        """Put the variants into the queue and show them side by side; the same press twice is one comparison."""
        sent, language, owner = _sent(event), self.page.language(values), owner_of(request)
        try:
            base = self._base(values, sent, request)
            with self.presses.once(f"{owner} {str(sent.get('press'))[:40]}") as press:
                made = self._made(press.job_id, owner)
                if made is None:
                    recipes = expand(base.settings, _swept(base, sent), base.info)
                    made = self.studio.compare(recipes, base.picture, base.title, owner)
                press.job_id = made.jobs[0]
        except StudioError as error:
            return {self.parts.view: {"sweep": {"problems": _problem(error, language), "refused": True}}}
        shown = {"comparison": comparison_view(self.studio, made, language), "room": "compare"}
        return {self.parts.view: {"sweep": None, **shown, **self.page.queue_state(values, request)}}

    def _made(self, job_id: int | None, owner: str) -> Comparison | None:
        """What an earlier arrival of the same press has made."""
        comparison_id = self.studio.comparisons.of_jobs([job_id]).get(job_id or 0)
        return seen_comparison(self.studio, comparison_id, owner)

    def _base(self, values: Values, sent: Sent, request: gr.Request) -> Base:
        owner = owner_of(request)
        if "clip" in sent:
            return self._of_clip(sent["clip"], owner)
        token = values[self.parts.picture] or {}
        path = find_picture(self.studio, token, owner)
        settings, info = self.handlers.typed_settings(values), self.page.engine(values)
        self.studio.weights_folder(info)
        return Base(settings.changed(engine=info.name), info, path, picture_name(token, path))

    def _of_clip(self, clip_id: object, owner: str) -> Base:
        """A finished clip's own recipe, for those who see the clip."""
        clip = self.studio.clips.get(clip_id[:40]) if isinstance(clip_id, str) else None
        if clip is None or seen_by(owner) not in (None, clip.owner):
            raise BadInput("recall.no_clip")
        picture, info = (
            self.studio.inputs.of_hash(clip.rendered.source_sha256),
            ENGINES.get(clip.rendered.settings.engine),
        )
        if picture is None or info is None:
            raise BadInput("page.clip.gone")
        self.studio.weights_folder(info)
        settings = ClipSettings.from_person(clip.rendered.settings.model_dump())
        return Base(settings, info, picture, clip.title)

    def _resolved(self, base: Base, sent: Sent) -> list[Resolved]:
        size = picture_size(base.picture)
        return [self.studio.resolve(one, size) for one in expand(base.settings, _swept(base, sent), base.info)]


def _begin(base: Base) -> dict[str, Any]:
    """What the dialog shows when it is opened."""
    bucket = base.settings.motion_bucket or base.info.native["motion_bucket"]
    buckets = [] if "motion_bucket" in base.info.locked else around(bucket)
    return {
        "motion_bucket": ", ".join(map(str, buckets)),
        "seed": 1,
        "prompt": "",
        "speed": [],
        "title": base.title,
        "words": base.settings.prompt[:200],
    }


def _swept(base: Base, sent: Sent) -> Sweep:
    """The values to try as the dialog sent them. Raises BadSetting and BadInput."""
    count = sent.get("seed")
    if type(count) is not int or not 1 <= count <= MOST["seed"]:
        raise BadSetting("sweep.too_many_of", "seed", most=MOST["seed"], n=str(count)[:20])
    speeds, lines = sent.get("speed"), str(sent.get("prompt") or "")[:LONGEST_PROMPTS].splitlines()
    asked = [speed for speed in choices("speed") if speed in speeds] if isinstance(speeds, list) else []
    return {
        "motion_bucket": numbers(str(sent.get("motion_bucket") or "")[:LONGEST_LIST]),
        "seed": seeds(base.settings.seed, count) if count > 1 else [],
        "prompt": [line.strip() for line in lines if line.strip()],
        "speed": asked,
    }


def _notes(resolved: list[Resolved]) -> list[Any]:
    """What has to be changed or will not be heard, each thing once."""
    distinct = {(note.code, str(note.values)): note for one in resolved for note in one.notes}
    return list(distinct.values())[:3]


def _problem(error: StudioError, language: str) -> dict[str, str]:
    """A refusal, by the field that it stands beside; those of other fields stand beside the button."""
    field = error.field if isinstance(error, BadSetting) and error.field in MOST else ""
    return {field: spoken(error.message, language) if isinstance(error, BadSetting) else say(error.message, language)}


def _sent(event: gr.EventData) -> dict[str, Any]:
    return event._data if isinstance(event._data, dict) else {}
