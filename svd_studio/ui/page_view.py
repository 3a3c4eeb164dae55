"""What the page shows of the studio at one moment: queue, cards, clips, picture and form, in one language."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from svd_studio.core.clip import ResolvedSettings
from svd_studio.core.engine import EngineInfo, Resolved
from svd_studio.core.errors import BadPicture, BadSetting, Message, MissingWeights, StudioError
from svd_studio.core.job import Job, JobStatus
from svd_studio.engines.catalog import ENGINES
from svd_studio.gpu.fit import Fit
from svd_studio.gpu.telemetry import Telemetry
from svd_studio.studio import OWNER, Studio, seen_by
from svd_studio.ui.editing import editing_view
from svd_studio.ui.endpoints import owner_of
from svd_studio.ui.form_view import beside, framing
from svd_studio.ui.gauge import gauge_html
from svd_studio.ui.gauge_notes import SAMPLES, gauge_notes
from svd_studio.ui.language import known
from svd_studio.ui.looks_view import looks_view
from svd_studio.ui.offer import OFFERED, PRACTICE, Offers, prompt_note
from svd_studio.ui.picture_box import find_picture, frame_view, framed, picture_name
from svd_studio.ui.progress_view import job_view
from svd_studio.ui.result import RECENT, clip_view, spoken_seconds
from svd_studio.ui.rooms import View
from svd_studio.ui.sentences import field_name, spoken
from svd_studio.ui.settings_form import ROWS, SettingsForm, Updates, Values
from svd_studio.ui.texts import say
from svd_studio.video.pictures import picture_size

BUSY_S, IDLE_S = 0.5, 2.0
BESIDE_THE_PROMPT = ("note.prompt_unused", "note.words_unheard")

Trouble = Callable[[], Message | None]
"""What keeps the render worker from working, as far as the window knows."""


@dataclass(frozen=True)
class Parts:
    """The components that handlers read and change."""

    form: SettingsForm
    language: Component
    lock: Component
    typed: Component
    spoken: Component
    picture: Component
    watched: Component
    """The job that this page follows, by number."""
    press: Component
    """The word of the next press on Generate; see presses.py."""
    drawn: Component
    """The seed that we drew and put into the form, which no person typed."""
    chosen: Component
    """The look that was chosen last."""
    engine_before: Component
    editing: Component
    """The waiting job that is being changed, and what stood in the form before; see editing.py."""
    clips: Component
    """How many clips one press asks for."""
    fetched: Component
    """How often models had come or gone when the list of engines was written."""
    timer: Any
    view: Component
    labels: dict[str, Component]

    def inputs(self) -> set[Component]:
        """What a handler is told."""
        kept = {self.language, self.lock, self.typed, self.spoken, self.picture, self.watched, self.press}
        kept |= {self.drawn, self.chosen, self.engine_before, self.fetched, self.timer, self.editing, self.clips}
        return kept | set(self.form.fields.values())

    def outputs(self) -> list[Component]:
        """What a handler may change."""
        return [*self.inputs(), self.view, *self.labels.values()]


class PageView:
    """Look at everything for a page, and change nothing."""

    def __init__(self, studio: Studio, telemetry: Telemetry, parts: Parts, trouble: Trouble) -> None:
        self.studio = studio
        self.telemetry = telemetry
        self.parts = parts
        self.trouble = trouble
        self.offers = Offers(studio)

    def language(self, values: Values) -> str:
        """The language of the page that asks."""
        return known(values[self.parts.language])

    def engine(self, values: Values) -> EngineInfo:
        return ENGINES.get(str(values[self.parts.form.fields["engine"]])) or self.studio.default_engine()

    def everything(self, values: Values, request: gr.Request) -> View:
        """All that does not change by itself."""
        language = self.language(values)
        recent, form = self.recent(language, request), self.promise(values, request)
        look: View = {"look": str(values[self.parts.chosen] or "")}
        look["is_owner"] = owner_of(request) == OWNER
        return {"language": language, **recent, **self.picture(values, request), **form, **look}

    def now(self, values: Values, request: gr.Request, watched: object) -> Updates:
        """The state of queue and machine, and how soon to look again; `watched` is a job's number."""
        parts, language = self.parts, self.language(values)
        job = self.own_job(watched, request) or self.studio.queue.next_of(owner_of(request))
        is_busy = job is not None and not job.status.is_final
        fit = None if is_busy else self.fit(values, request)
        view: View = {"job": None, **self.machine(language, fit), **looks_view(self.studio.presets, language)}
        view |= self.queue_state(values, request)
        waits = bool(view["editing"] and view["editing"]["waits"])
        # said every time: an answer that was on its way when the change ended may have said the other
        updates: Updates = {
            **self.newly_fetched(values, language),
            **self.generate_says("save" if waits else "generate", language),
        }
        if job is not None:
            ahead = self.studio.queue.ahead_of(job.id) if job.status is JobStatus.QUEUED else 0
            standing = Message("page.job.paused") if view["paused"] else self.studio.queue.standstill()
            view["job"] = job_view(job, language, ahead, self.trouble() or standing)
            if job.status.is_final:
                view |= self.ended(job, language, request)
            watching = None if job.status.is_final else job.id
            if watching != values[parts.watched]:
                updates[parts.watched] = watching
        every_s = BUSY_S if job is not None and not job.status.is_final else IDLE_S
        if values[parts.timer] != every_s:
            updates[parts.timer] = gr.Timer(value=every_s)
        return {**updates, parts.view: view}

    def queue_state(self, values: Values, request: gr.Request) -> View:
        """How much waits, whether the queue stands still, and which waiting clip is being changed."""
        owner, queue = owner_of(request), self.studio.queue
        editing = editing_view(self.studio, values[self.parts.editing], owner, self.language(values))
        paused = {"may_resume": owner == OWNER} if queue.is_paused() else None
        counts = {"queue": queue.count(seen_by(owner))[JobStatus.QUEUED]}
        return {"counts": counts, "paused": paused, "editing": editing}

    def not_editing(self, language: str) -> Updates:
        """No clip is being changed any more."""
        return {self.parts.editing: None, **self.generate_says("generate", language)}

    def generate_says(self, what: str, language: str) -> Updates:
        """What the large button will do."""
        return {self.parts.labels["generate"]: gr.update(value=say(f"page.button.{what}", language))}

    def ended(self, job: Job, language: str, request: gr.Request) -> View:
        view = self.recent(language, request)
        clip = self.studio.clips.get(job.clip_id) if job.clip_id else None
        return view | ({"clip": clip_view(clip, language), "play": True} if clip else {})

    def own_job(self, job_id: object, request: gr.Request) -> Job | None:
        if not isinstance(job_id, int) or isinstance(job_id, bool) or not 0 < job_id < 2**62:
            return None
        job = self.studio.queue.get(job_id)
        return job if job is not None and job.owner == owner_of(request) else None

    def watched_job(self, values: Values, request: gr.Request) -> Job | None:
        """The job that this page follows, or what its owner has running, whichever browser it was started from."""
        watched = self.own_job(values[self.parts.watched], request)
        return watched or self.studio.queue.next_of(owner_of(request))

    def newly_fetched(self, values: Values, language: str) -> Updates:
        """The list of engines again, and what came last chosen, when models came or went since it was written."""
        changes = self.studio.errands.changes
        if values[self.parts.fetched] == changes:
            return {}
        updates = self.parts.form.list_engines(language, self.installed())
        before, new = self.engine(values), self._new_engine(self.engine(values))
        if new is not before:
            for part, update in self.parts.form.change_engine(before, new, values).items():
                updates[part] = {**updates.get(part, gr.update()), **update}
            engine = self.parts.form.fields["engine"]
            updates[engine] = {**updates[engine], "value": new.name}
            updates[self.parts.engine_before] = new.name
        return {**updates, self.parts.fetched: changes}

    def _new_engine(self, before: EngineInfo) -> EngineInfo:
        """The model that came last; the best that is here when the chosen one went."""
        newest = ENGINES.get(self.studio.errands.newest or "")
        if newest and self.studio.is_installed(newest):
            return newest
        return before if self.studio.is_installed(before) else self.studio.default_engine()

    def fit(self, values: Values, request: gr.Request) -> Fit | None:
        """What the clip of the form would take of the memory; None while the form is wrong."""
        try:
            path = find_picture(self.studio, values[self.parts.picture] or {}, owner_of(request))
        except StudioError:
            path = None
        try:
            return self.studio.fit(self.resolved(values, path).settings, self.telemetry.latest())
        except StudioError:
            return None

    def machine(self, language: str, fit: Fit | None = None) -> View:
        snapshot, limits = self.telemetry.latest(), self.studio.heat.limits()
        notes = gauge_notes(self.telemetry.history()[-SAMPLES:] or (snapshot,), limits, fit)
        gauge = gauge_html(snapshot, language, fit, notes, limits)
        return {"gauge": gauge, "offer": self.offers.now(snapshot, language)}

    def recent(self, language: str, request: gr.Request) -> View:
        clips = self.studio.clips.newest(RECENT, owner_of(request))
        return {"recent": [clip_view(clip, language) for clip in clips]}

    def picture(self, values: Values, request: gr.Request) -> View:
        """The framed picture, or why there is none."""
        language, token = self.language(values), values[self.parts.picture] or {}
        try:
            path = find_picture(self.studio, token, owner_of(request))
            settings = self.framing(values, path)
            shown, frame = framed(path, settings, language), frame_view(path, settings)
        except StudioError as error:
            return {"picture": None, "frame": None, **problem_view(error, language)}
        return {
            "picture": {
                **shown,
                "name": picture_name(token, path),
                "sample": token.get("sample"),
                "bytes": path.stat().st_size,
            },
            "picture_error": None,
            "frame": frame,
        }

    def promise(self, values: Values, request: gr.Request) -> View:
        """How long this clip will take and what will be changed to make it possible, or what is wrong."""
        language, token = self.language(values), values[self.parts.picture] or {}
        try:
            path = find_picture(self.studio, token, owner_of(request))
        except StudioError:
            path = None
        note: View = {} if values[self.parts.watched] else self.machine(language, self.fit(values, request))
        note |= {"prompt_note": say(prompt_note(self.studio, self.engine(values)), language)}
        if path is not None:
            note["frame"] = frame_view(path, self.framing(values, path))
        try:
            resolved = self.resolved(values, path)
            self.studio.refuse_without_weights(resolved.settings)
        except StudioError as error:
            return {"promise": "", "rounded": [], "errors": {}, **note, **self.refusal(error, language)}
        known_time = self.studio.forecast(resolved.settings)
        time = spoken_seconds(known_time.seconds, language) if known_time else ""
        code = f"page.promise.and.{known_time.leaves_out}" if known_time and known_time.leaves_out else "page.promise"
        promise = say(Message(code, {"time": time}) if time else "page.promise.unknown", language)
        if not time and resolved.settings.engine == PRACTICE:
            promise = ""  # the note under the gauge says it
        figures = self.studio.certified(ENGINES[resolved.settings.engine])
        note["beside"] = beside(resolved.settings, language, figures)
        return {"errors": {}, "promise": promise, **note, **self.notes(resolved, language)}

    def refusal(self, error: StudioError, language: str) -> View:
        """A refusal beside what it is about; a model that a button here gets is not sent for by a command."""
        offer = self.offers.now(self.telemetry.latest(), language)
        if isinstance(error, MissingWeights) and error.message.values.get("engine") == OFFERED and offer:
            if button := offer.get("button"):
                return {"errors": {"engine": say(Message("page.engine.get_it", {"button": button}), language)}}
            if "percent" in offer:
                return {"errors": {"engine": say("page.engine.coming", language)}}
        if isinstance(error, MissingWeights):
            return {"errors": {"engine": say("page.engine.on_models", language)}}
        return problem_view(error, language)

    def framing(self, values: Values, path: Path) -> ResolvedSettings:
        """What a picture's frame depends on, so that it shows while another field is still wrong."""
        return framing(self.parts.form.read(values), self.engine(values), picture_size(path))

    def resolved(self, values: Values, path: Path | None) -> Resolved:
        size = picture_size(path) if path else None
        return self.studio.resolve(self.parts.form.settings(values), size)

    def notes(self, resolved: Resolved | None, language: str) -> View:
        notes = [note for note in resolved.notes if note.code not in BESIDE_THE_PROMPT] if resolved else []
        return {"rounded": [spoken(note, language) for note in notes]}

    def typed_before(self, values: Values) -> Updates:
        """What this browser had typed when it was here last, as far as it still fits."""
        typed = values[self.parts.typed]
        if not isinstance(typed, dict):
            return {}
        engine = ENGINES.get(str(typed.get("engine")), self.parts.form.info)
        updates = self.parts.form.show({name: value for name, value in typed.items() if name in ROWS})
        updates = self.parts.form.limited(updates, engine)
        return {**updates, self.parts.lock: gr.update(value=bool(typed.get("locked")))}

    def installed(self) -> frozenset[str]:
        """The engines whose weights are here."""
        return frozenset(name for name, info in ENGINES.items() if self.studio.is_installed(info))

    def speech(self, language: str, also: Updates) -> Updates:
        """Everything that Gradio itself writes, in a language."""
        spoken = self.parts.form.speak(language, self.installed())
        for part, update in also.items():
            spoken[part] = {**spoken.get(part, gr.update()), **update}
        for name, part in self.parts.labels.items():
            key = "label" if name in ("more", "lock", "clips") else "value"
            spoken[part] = {**spoken.get(part, gr.update()), key: say(f"page.button.{name}", language)}
        return spoken


def problem_view(error: StudioError, language: str) -> View:
    """A refusal, beside what it is about."""
    sentence = say(error.message, language)
    if isinstance(error, BadPicture) or error.message.code.startswith("upload."):
        return {"picture_error": sentence}
    if isinstance(error, MissingWeights):
        return {"errors": {"engine": sentence}}
    if isinstance(error, BadSetting):
        return {"errors": {field_name(error.field): spoken(error.message, language)}}
    return {"errors": {"": sentence}}
