"""Change a waiting clip on the Animate page: its recipe and picture come into the form, Generate gives them back."""

from typing import Any

import gradio as gr

from svd_studio.core.errors import BadInput, Message
from svd_studio.core.job import JobStatus
from svd_studio.ui.animate_handlers import FormVerbs, told
from svd_studio.ui.editing import edited_job
from svd_studio.ui.endpoints import owner_of
from svd_studio.ui.picture_box import FIRST_SAMPLE, find_picture, picture_name
from svd_studio.ui.queue_actions import visible_job
from svd_studio.ui.settings_form import Updates, Values
from svd_studio.ui.texts import say


class EditHandlers(FormVerbs):
    """The verbs of the change; what stood in the form before comes back at its end."""

    @told
    def begin(self, values: Values, event: gr.EventData, request: gr.Request) -> Updates:
        """Put a waiting job's recipe and picture into the form."""
        parts = self.parts
        job = visible_job(self.studio, (event._data or {}).get("job"), owner_of(request))
        if job.status is not JobStatus.QUEUED:
            raise BadInput("job.not_waiting", id=job.id)
        token = {"kept": job.request.start_image.name, "name": job.title}
        editing = {**self._before(values), "job": job.id}
        updates = self.handlers.put_recipe(job.request.settings)
        values = {**values, parts.picture: token, parts.editing: editing}
        values |= {part: update["value"] for part, update in updates.items() if "value" in update}
        return {**updates, parts.picture: token, parts.editing: editing, **self._shown(values, request)}

    @told
    def submit(self, values: Values, request: gr.Request) -> Updates:
        """Generate: give a waiting clip its new recipe, or make a new one when none is being changed any more."""
        job = edited_job(self.studio, values[self.parts.editing], owner_of(request))
        if job is None or job.status is not JobStatus.QUEUED:
            done: Updates = self.handlers.submit(values, request)
            return done | (self.page.not_editing(self.page.language(values)) if values[self.parts.editing] else {})
        parts = self.parts
        token = values[parts.picture] or {}
        path = find_picture(self.studio, token, owner_of(request))
        self.studio.replace(job.id, parts.form.settings(values), path, picture_name(token, path))
        told = say(Message("page.editing.saved", {"title": job.title}), self.page.language(values))
        return self._end(values, request, notice=told, room="queue")

    @told
    def leave(self, values: Values, request: gr.Request) -> Updates:
        """Leave the waiting clip as it was."""
        return self._end(values, request)

    def _before(self, values: Values) -> dict[str, Any]:
        """What stood in the form before the first change."""
        editing, parts = values[self.parts.editing], self.parts
        if isinstance(editing, dict):
            return editing
        typed = {name: values[field] for name, field in parts.form.fields.items()}
        return {"typed": typed | {"locked": values[parts.lock]}, "picture": values[parts.picture]}

    def _end(self, values: Values, request: gr.Request, **told: str) -> Updates:
        """Put back what stood in the form before."""
        parts, editing = self.parts, values[self.parts.editing]
        before = editing if isinstance(editing, dict) else {}
        picture = before.get("picture")
        token = picture if isinstance(picture, dict) else {"sample": FIRST_SAMPLE}
        values = {**values, parts.typed: before.get("typed"), parts.picture: token, parts.editing: None}
        updates = self.page.typed_before(values)
        values |= {part: update["value"] for part, update in updates.items() if "value" in update}
        shown = self._shown(values, request)
        shown[parts.view] |= told
        kept = {parts.picture: token, parts.engine_before: self.page.engine(values).name}
        return {**updates, **kept, **self.page.not_editing(self.page.language(values)), **shown}

    def _shown(self, values: Values, request: gr.Request) -> Updates:
        """The picture and the form's promise as they are now, and whether a clip is being changed."""
        now = self.page.now(values, request, values[self.parts.watched])
        view = now.pop(self.parts.view)
        return {**now, self.parts.view: view | self.page.picture(values, request) | self.page.promise(values, request)}
