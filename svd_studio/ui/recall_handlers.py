"""Recall: a recipe that was dropped, pasted or pressed is offered, put into the form as far as wished, and undone."""

from dataclasses import replace
from typing import Any

import gradio as gr

from svd_studio.core.errors import BadInput, Message, StudioError
from svd_studio.core.infotext import as_infotext
from svd_studio.ui.animate_handlers import FormVerbs, plain_token, told
from svd_studio.ui.endpoints import owner_of
from svd_studio.ui.recalling import Fitted, Source, dropped_source, find_source, fitted, motion_of
from svd_studio.ui.rooms import View
from svd_studio.ui.sentences import spoken
from svd_studio.ui.settings_form import Updates, Values
from svd_studio.ui.texts import say

SAID = {"all": "recall.all", "but_seed": "recall.but_seed", "motion": "recall.motion"}
"""How much of a recipe can be taken, and what is said then."""


class RecallHandlers(FormVerbs):
    """The verbs of recall; every answer finds the recipe anew, so that nothing has to be remembered."""

    @told
    def pick(self, values: Values, event: gr.EventData, request: gr.Request) -> Updates:
        """Take a file that was just uploaded: a picture, unless it carries a recipe; then ask what to do with it."""
        sent = event._data or {}
        try:
            found = None if sent.get("plain") is True else dropped_source(self.studio, sent, owner_of(request))
        except StudioError as error:
            return {self.parts.view: {"taken": True, "picture_error": self._sentence(error, values)}}
        if found is None:
            taken: Updates = self.handlers.pick(values, event, request)
            return taken
        return {self.parts.view: {"taken": True, "picture_error": None, "recall": self._offer(found, values)}}

    @told
    def read(self, values: Values, event: gr.EventData, request: gr.Request) -> Updates:
        """Offer the recipe of a clip or of a text."""
        try:
            found = find_source(self.studio, event._data or {}, owner_of(request))
        except StudioError as error:
            return {self.parts.view: {"recall_problem": self._sentence(error, values)}}
        return {self.parts.view: {"recall": self._offer(found, values)}}

    @told
    def recall(self, values: Values, event: gr.EventData, request: gr.Request) -> Updates:
        """Put a recipe into the form: all of it, all but the seed, or only the motion; or take that back."""
        sent = event._data or {}
        if sent.get("what") == "back":
            return self._back(values, sent.get("before"), request)
        try:
            if sent.get("what") not in SAID:
                raise BadInput("page.error.unexpected")
            found = find_source(self.studio, sent, owner_of(request))
            return self._put(values, found, sent["what"], request)
        except StudioError as error:
            return {self.parts.view: {"recall_problem": self._sentence(error, values)}}

    def _put(self, values: Values, found: Source, what: str, request: gr.Request) -> Updates:
        settings, present = found.recalled.settings, self.page.engine(values)
        fit = motion_of(settings, present) if what == "motion" else fitted(self.studio, settings, present)
        if what == "but_seed":
            fit = replace(fit, named={**fit.named, "seed": None})
        said = Message(SAID[what], {"title": self._title(found, values)})
        return self.put(values, found, fit, said, request, with_picture=what != "motion")

    def put(
        self, values: Values, found: Source, fit: Fitted, said: Message, request: gr.Request, with_picture: bool = True
    ) -> Updates:
        """Put what fits of a recipe into the form, say so, and keep what stood there before for an undo."""
        parts, form = self.parts, self.parts.form
        updates = form.limited(form.show(fit.named), fit.info)
        updates |= {parts.engine_before: gr.update(value=fit.info.name), parts.drawn: gr.update(value=None)}
        notes = self._notes(found, fit, values)
        view: View = {}
        if with_picture:
            picture, lost = self._picture(values, updates, found)
            updates |= picture
            view = self.page.picture(_changed(values, updates), request)
            notes += lost
        line = say(said, self.page.language(values))
        view["recalled"] = {"said": line, "notes": notes, "before": self._before(values)}
        return {**updates, parts.view: view | self.page.promise(_changed(values, updates), request)}

    def _picture(self, values: Values, updates: Updates, found: Source) -> tuple[Updates, list[str]]:
        """The recipe's own picture, or why the one that is shown stays."""
        if found.picture is not None:
            token = {"kept": found.picture.name, "name": found.title}
            return {self.parts.picture: gr.update(value=token)}, []
        return {}, [] if found.is_text else [say("recall.no_picture", self.page.language(values))]

    def _back(self, values: Values, before: object, request: gr.Request) -> Updates:
        """What stood in the form before; it comes from the browser, as what it had typed does when it comes back."""
        parts, kept = self.parts, before if isinstance(before, dict) else {}
        drawn, picture = kept.get("drawn"), kept.get("picture")
        values = {**values, parts.typed: kept.get("typed")}
        updates = self.page.typed_before(values)
        updates |= {parts.drawn: gr.update(value=drawn if isinstance(drawn, int) else None)}
        if isinstance(picture, dict):
            updates |= {parts.picture: gr.update(value=plain_token(picture))}
        values = _changed(values, updates)
        updates |= {parts.engine_before: self.page.engine(values).name}
        shown = {**self.page.picture(values, request), **self.page.promise(values, request)}
        return {**updates, parts.view: {"recalled": None, **shown}}

    def _before(self, values: Values) -> dict[str, Any]:
        parts = self.parts
        typed = {name: values[field] for name, field in parts.form.fields.items()}
        typed["locked"] = values[parts.lock]
        return {"typed": typed, "picture": values[parts.picture], "drawn": values[parts.drawn]}

    def _offer(self, found: Source, values: Values) -> View:
        fit = fitted(self.studio, found.recalled.settings, self.page.engine(values))
        return {
            "title": self._title(found, values),
            "recipe": as_infotext(found.recalled.settings),
            "notes": self._notes(found, fit, values),
            "has_picture": found.picture is not None,
            "is_picture": found.is_picture,
        }

    def _notes(self, found: Source, fit: Fitted, values: Values) -> list[str]:
        language = self.page.language(values)
        return [spoken(note, language) for note in (*found.recalled.notes, *fit.notes)]

    def _title(self, found: Source, values: Values) -> str:
        return found.title or say("recall.pasted", self.page.language(values))

    def _sentence(self, error: StudioError, values: Values) -> str:
        return spoken(error.message, self.page.language(values))


def _changed(values: Values, updates: Updates) -> Values:
    """What stands in the form once it was updated."""
    return {**values, **{part: update["value"] for part, update in updates.items() if "value" in update}}
