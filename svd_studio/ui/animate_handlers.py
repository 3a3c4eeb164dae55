"""What the buttons of the Animate page do. Each handler gets everything as one dict and answers with one."""

import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import gradio as gr

from svd_studio.core.clip import MAX_SEED, ClipSettings
from svd_studio.core.errors import BadInput, Message, StudioError
from svd_studio.engines.catalog import ENGINES
from svd_studio.gpu.telemetry import Telemetry
from svd_studio.studio import GUEST, OWNER, Studio, Submitted, seen_by
from svd_studio.ui.endpoints import only_owner, owner_of
from svd_studio.ui.form_view import FRAMING, LENGTH, as_shown
from svd_studio.ui.language import known, spoken_by
from svd_studio.ui.offer import offered_download
from svd_studio.ui.page_view import PageView, Parts, Trouble
from svd_studio.ui.picture_box import FIRST_SAMPLE, Token, find_picture, picture_name
from svd_studio.ui.presses import Presses
from svd_studio.ui.rooms import View
from svd_studio.ui.settings_form import WHOLE_PICTURE, Updates, Values
from svd_studio.ui.texts import heard_by, say

log = logging.getLogger(__name__)

MOST_CLIPS = 16


def told(handler: Callable[..., Updates]) -> Callable[..., Updates]:
    """Let everything that goes wrong come back as a sentence on the page."""

    @wraps(handler)
    def guarded(self: "Handlers", values: Values, *rest: Any) -> Updates:
        language = self.page.language(values)
        values = {**values, self.parts.picture: plain_token(values.get(self.parts.picture))}
        for sent in rest:
            if isinstance(sent, gr.EventData) and not isinstance(sent._data, dict):
                sent._data = {}
        with heard_by(is_guest=_asker(rest) != OWNER):
            try:
                return handler(self, values, *rest)
            except StudioError as error:
                return {self.parts.view: {"taken": True, **self.page.refusal(error, language)}}
            except Exception:  # Gradio would show an empty box
                log.exception("%s failed", handler.__name__)
                return {self.parts.view: {"taken": True, "errors": {"": say("page.error.unexpected", language)}}}

    return guarded


def _asker(given: Sequence[Any]) -> str:
    """Who asks a handler, by its request; a handler that needs none says nothing that is the owner's alone."""
    requests = (one for one in given if not isinstance(one, gr.EventData) and hasattr(one, "username"))
    return next(map(owner_of, requests), GUEST)


class Handlers:
    """The verbs of one page."""

    def __init__(self, studio: Studio, telemetry: Telemetry, parts: Parts, trouble: Trouble) -> None:
        self.studio = studio
        self.parts = parts
        self.page = PageView(studio, telemetry, parts, trouble)
        self.presses = Presses()

    @told
    def open(self, values: Values, request: gr.Request) -> Updates:
        """Greet a browser: its language, what it had typed, its picture, what runs, what there is."""
        parts = self.parts
        language = known(values[parts.spoken]) if values[parts.spoken] else spoken_by(_accepted_languages(request))
        picture = values[parts.picture] or {"sample": FIRST_SAMPLE}
        values = {
            **values,
            parts.language: language,
            parts.picture: picture,
            parts.fetched: self.studio.errands.changes,
        }
        typed = self.page.typed_before(values)
        values |= {part: update["value"] for part, update in typed.items() if "value" in update}
        view = self.page.everything(values, request)
        if view["recent"]:
            view["clip"] = view["recent"][0]
        now = self.page.now(values, request, values[parts.watched])
        view |= now.pop(parts.view)
        if self.studio.mended and owner_of(request) == OWNER:
            view["notice"] = say(self.studio.mended, language)
        kept = {
            parts.language: language,
            parts.picture: picture,
            parts.press: secrets.token_hex(8),
            parts.engine_before: self.page.engine(values).name,
            parts.fetched: self.studio.errands.changes,
        }
        return {**self.page.speech(language, typed), **kept, **now, parts.view: view | {"ready": True}}

    @told
    def poll(self, values: Values, request: gr.Request) -> Updates:
        """See what the queue and the cards are doing."""
        return self.page.now(values, request, values[self.parts.watched])

    @told
    def submit(self, values: Values, request: gr.Request) -> Updates:
        """Start a clip; the same press twice is one clip."""
        return self._accept(values, request, self.typed_settings(values), clips_asked(values[self.parts.clips]))

    def typed_settings(self, values: Values) -> ClipSettings:
        """The form's recipe, without a seed that no person chose."""
        settings = self.parts.form.settings(values)
        ours = settings.seed == values[self.parts.drawn]  # shown after the last clip, and not typed
        return settings.changed(seed=None) if ours and not values[self.parts.lock] else settings

    @told
    def cancel(self, values: Values, request: gr.Request) -> Updates:
        """Stop the clip that is being watched."""
        job = self.page.watched_job(values, request)
        if job is not None:
            self.studio.cancel(job.id)
        return self.poll(values, request)  # type: ignore[no-any-return]

    @told
    def roll(self, values: Values) -> Updates:
        """Draw another seed."""
        return self.parts.form.show({"seed": secrets.randbelow(MAX_SEED + 1)})

    @told
    def translate(self, values: Values, request: gr.Request) -> Updates:
        """Speak the language that was chosen on the page."""
        language = self.page.language(values)
        view = self.page.everything(values, request)
        now = self.page.now(values, request, values[self.parts.watched])
        view |= now.pop(self.parts.view)
        if view["recent"]:
            view |= {"clip": view["recent"][0], "keep_clip": True}
        return {**self.page.speech(language, {}), **now, self.parts.spoken: language, self.parts.view: view}

    @told
    def change_engine(self, values: Values) -> Updates:
        """Follow another engine's limits and native values."""
        old = ENGINES.get(str(values[self.parts.engine_before]), self.parts.form.info)
        new, look = self.page.engine(values), self.studio.presets.find(values[self.parts.chosen])
        return {**self.parts.form.change_engine(old, new, values, look), self.parts.engine_before: new.name}

    @told
    def pick(self, values: Values, event: gr.EventData, request: gr.Request) -> Updates:
        """Take a picture that was just uploaded."""
        data = event._data or {}
        return self.take(
            values, request, {"path": str(data.get("path")), "name": Path(str(data.get("name"))).stem[:80]}
        )

    @told
    def sample(self, values: Values, event: gr.EventData, request: gr.Request) -> Updates:
        """Take one of the shipped pictures."""
        return self.take(values, request, {"sample": str((event._data or {}).get("name"))})

    @told
    def again(self, values: Values, event: gr.EventData, request: gr.Request) -> Updates:
        """Make a clip once more from its own recipe and picture, with another seed."""
        clip = self.studio.clips.get(str((event._data or {}).get("clip"))[:40])
        is_seen = clip is not None and seen_by(owner_of(request)) in (None, clip.owner)
        picture = self.studio.inputs.of_hash(clip.rendered.source_sha256) if clip and is_seen else None
        if clip is None or picture is None:
            return {self.parts.view: {"errors": {"": say("page.clip.gone", self.page.language(values))}}}
        recipe = clip.rendered.settings.changed(seed=secrets.randbelow(MAX_SEED + 1))
        token = {"kept": picture.name, "name": clip.title}
        updates = self.put_recipe(recipe)
        values = {**values, self.parts.picture: token}
        values |= {part: update["value"] for part, update in updates.items() if "value" in update}
        done = self._accept(values, request, recipe)
        view = self.page.picture(values, request) | done.pop(self.parts.view)
        return {**updates, **done, **self.page.not_editing(self.page.language(values)), self.parts.view: view}

    def put_recipe(self, recipe: ClipSettings) -> Updates:
        """Put a recipe into the form, with its engine's limits."""
        info = ENGINES.get(str(recipe.engine)) or self.studio.default_engine()
        updates = self.parts.form.show_recipe(recipe.changed(engine=info.name), info)
        return {**updates, self.parts.engine_before: gr.update(value=info.name)}

    @told
    def get_model(self, values: Values, request: gr.Request) -> Updates:
        """Begin the download of the real model."""
        only_owner(owner_of(request))
        offered_download(self.studio).get()
        return {self.parts.view: self.page.machine(self.page.language(values), self.page.fit(values, request))}

    @told
    def frame(self, values: Values, request: gr.Request) -> Updates:
        """Show the picture again as the model will see it."""
        return {self.parts.view: self.page.picture(values, request) | self._promise(values, request)}

    @told
    def check(self, values: Values, request: gr.Request) -> Updates:
        """Say what is wrong with the form, or how long its clip will take."""
        return {self.parts.view: self._promise(values, request)}

    def _promise(self, values: Values, request: gr.Request) -> View:
        """The promise, and for which form it was asked: the page, whose fields change one by one, may be further."""
        framed, timed = (
            {name: as_shown(values[self.parts.form.fields[name]]) for name in names} for names in (FRAMING, LENGTH)
        )
        return self.page.promise(values, request) | {"framed_for": framed, "timed_for": timed}

    def take(self, values: Values, request: gr.Request, token: dict[str, str]) -> Updates:
        """Show another picture, whole; one that cannot be used is refused and the one before stays."""
        whole = self.parts.form.show(WHOLE_PICTURE)
        values = {**values, self.parts.picture: token, **{part: update["value"] for part, update in whole.items()}}
        view = self.page.picture(values, request) | {"taken": True}
        if view.get("picture_error"):
            del view["picture"], view["frame"]  # the one before stays
            return {self.parts.view: view}
        return {**whole, self.parts.picture: token, self.parts.view: view | self.page.promise(values, request)}

    def _accept(self, values: Values, request: gr.Request, settings: ClipSettings, clips: int = 1) -> Updates:
        """Put clips into the queue, once for each press, and watch the first unless another one is being watched."""
        parts, before = self.parts, self.page.watched_job(values, request)
        token = values[parts.picture] or {}
        path = find_picture(self.studio, token, owner_of(request))
        asked = hashlib.sha256(f"{settings.model_dump_json()}{token}{clips}".encode()).hexdigest()
        with self.presses.once(f"{owner_of(request)} {str(values[parts.press])[:40]} {asked}") as press:
            if press.job_id is not None and self._has_ended(press.job_id):
                press.job_id = None
            if press.job_id is None:
                press.submitted = self._submit_all(with_seeds(settings, clips), path, token, owner_of(request))
                press.job_id = press.submitted.job_id
        resolved = press.submitted.resolved if press.submitted else None
        seed = resolved.settings.seed if resolved else None
        watched = press.job_id if before is None or before.status.is_final else before.id
        now = self.page.now(values, request, watched)
        view = {"errors": {}, "picture_error": None, "pressed": True, **now.pop(parts.view)}
        if clips > 1 or watched != press.job_id:
            view["notice"] = say(Message("page.queue.added", {"n": clips}), self.page.language(values))
        view |= self.page.notes(resolved, self.page.language(values))
        kept = {
            parts.picture: _as_kept(token, press.submitted),
            parts.watched: watched,
            parts.press: secrets.token_hex(8),
            parts.drawn: seed,
        }
        return {**parts.form.show({"seed": seed}), **kept, **now, parts.view: view}

    def _submit_all(self, recipes: list[ClipSettings], path: Path, token: Token, owner: str) -> Submitted:
        """Accept all of these or none, so that pressing again doubles nothing; returns the first."""
        self.studio.guests.refuse(seen_by(owner), len(recipes), path)
        kept = self.studio.keep_picture(path)  # slow, so before the database is held
        with self.studio.database.transaction():
            made = [self.studio.submit(recipe, kept, picture_name(token, path), owner) for recipe in recipes]
        return made[0]

    def _has_ended(self, job_id: int) -> bool:
        """Whether a remembered press's job is over: pressing again then means a new one."""
        job = self.studio.queue.get(job_id)
        return job is None or job.status.is_final


class FormVerbs:
    """What the verbs of a part of the page work with: the form's own handlers, and what those have."""

    def __init__(self, handlers: Handlers) -> None:
        self.handlers = handlers
        self.studio = handlers.studio
        self.parts = handlers.parts
        self.page = handlers.page


def plain_token(token: object) -> Token:
    """What a page sent as its picture, as far as it can be one."""
    given = token if isinstance(token, dict) else {}
    return {name: str(given[name])[:500] for name in ("sample", "kept", "path", "name") if given.get(name) is not None}


def clips_asked(typed: object) -> int:
    """How many clips a press asks for. Raises BadInput."""
    if isinstance(typed, bool) or not isinstance(typed, int | float) or typed not in range(1, MOST_CLIPS + 1):
        raise BadInput("page.clips.bounds", high=MOST_CLIPS)
    return int(typed)


def with_seeds(settings: ClipSettings, clips: int) -> list[ClipSettings]:
    """The same recipe so many times, each with a seed of its own: those after a typed one, or drawn ones."""
    if settings.seed is None:
        return [settings] * clips
    return [settings.changed(seed=(settings.seed + number) % (MAX_SEED + 1)) for number in range(clips)]


def _as_kept(token: Token, submitted: Submitted | None) -> Token:
    """The same picture by the name under which the library keeps it: an upload is gone after a restart."""
    if submitted is None or token.get("sample"):
        return token
    return {"kept": submitted.picture.name, "name": str(token.get("name", ""))}


def _accepted_languages(request: gr.Request | None) -> str:
    headers = getattr(request, "headers", None) or {}
    return str(headers.get("accept-language") or "")
