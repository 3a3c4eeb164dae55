"""Many pictures at once: each that arrives becomes a job with the present recipe; a refused one stops none of them."""

from pathlib import Path

import gradio as gr

from svd_studio.core.errors import BadPicture, StudioError
from svd_studio.ui.animate_handlers import FormVerbs, told
from svd_studio.ui.endpoints import owner_of
from svd_studio.ui.picture_box import find_picture, picture_name
from svd_studio.ui.settings_form import Updates, Values
from svd_studio.ui.texts import say


class ManyHandlers(FormVerbs):
    """The one verb of a heap of pictures; the page's script sends them one after another."""

    @told
    def add(self, values: Values, event: gr.EventData, request: gr.Request) -> Updates:
        """Put one picture of many into the queue; what is wrong with the recipe stops the rest."""
        data, language = event._data or {}, self.page.language(values)
        number = data.get("number")
        heard = {"number": number if isinstance(number, int) else 0}
        token = {"path": str(data.get("path")), "name": Path(str(data.get("name"))).stem[:80]}
        try:
            settings = self.handlers.typed_settings(values)
            path = find_picture(self.studio, token, owner_of(request))
            submitted = self.studio.submit(settings, path, picture_name(token, path), owner_of(request))
        except StudioError as error:
            why = say(error.message, language)
            if isinstance(error, BadPicture) or error.message.code.startswith("upload."):
                return {self.parts.view: {"many": {**heard, "refused": why}}}
            return {self.parts.view: {"many": {**heard, "stopped": why}, **self.page.refusal(error, language)}}
        return {self.parts.view: {"many": {**heard, "job": submitted.job_id}, **self.page.queue_state(values, request)}}
