"""What a finished clip gives to the form: one of its frames as the next picture, or all of it to be made longer."""

import secrets
from pathlib import Path

import gradio as gr

from svd_studio.core.errors import BadInput, Message, StudioError
from svd_studio.core.infotext import Recalled
from svd_studio.host import private_folder
from svd_studio.library.clips import Clip
from svd_studio.library.exports import one_at_a_time
from svd_studio.studio import OWNER
from svd_studio.ui.animate_handlers import told
from svd_studio.ui.endpoints import owner_of
from svd_studio.ui.gallery_actions import GalleryActions
from svd_studio.ui.recall_handlers import RecallHandlers
from svd_studio.ui.recalling import Sent, Source, fitted
from svd_studio.ui.result_extend import longer
from svd_studio.ui.settings_form import Updates, Values
from svd_studio.ui.texts import say
from svd_studio.video.export import read_frame


class ResultHandlers(RecallHandlers):
    """The verbs of a finished clip; both can be undone as a recall can."""

    @told
    def use_frame(self, values: Values, event: gr.EventData, request: gr.Request) -> Updates:
        """Take the frame that the player shows as the start picture, as if somebody had uploaded it."""
        try:
            clip, number = self._asked(event._data or {}, request)
            path = self._frame_file(clip, number or clip.rendered.frames, owner_of(request))
        except StudioError as error:
            return {self.parts.view: {"recall_problem": self._sentence(error, values)}}
        named = Message("page.result.frame_name", {"title": clip.title, "n": number or clip.rendered.frames})
        language = self.page.language(values)
        updates = self.handlers.take(values, request, {"path": str(path), "name": say(named, language)})
        said = say(Message("page.result.frame_used", {"name": say(named, language)}), language)
        updates[self.parts.view]["recalled"] = {"said": said, "notes": [], "before": self._before(values)}
        return updates

    @told
    def longer(self, values: Values, event: gr.EventData, request: gr.Request) -> Updates:
        """Put the recipe of the clip with one part more into the form."""
        try:
            clip, number = self._asked(event._data or {}, request)
            more = longer(self.studio, clip, number)
        except StudioError as error:
            return {self.parts.view: {"recall_problem": self._sentence(error, values)}}
        found = Source(clip.title, Recalled(more.settings), more.picture)
        fit = fitted(self.studio, more.settings, self.page.engine(values))
        return self.put(values, found, fit, more.said, request)

    def _asked(self, sent: Sent, request: gr.Request) -> tuple[Clip, int | None]:
        """The clip that a page points at and the frame of it, None for the last. Raises BadInput."""
        clip = GalleryActions(self.studio).clip(sent.get("clip"), owner_of(request))
        number = sent.get("frame")
        if number is None:
            return clip, None
        if type(number) is not int or not 1 <= number <= clip.rendered.frames:
            raise BadInput("page.error.unexpected")
        return clip, number

    def _frame_file(self, clip: Clip, number: int, owner: str) -> Path:
        if not clip.is_here:
            raise BadInput("page.gallery.unknown")
        with one_at_a_time(owner != OWNER):
            picture = read_frame(clip.rendered.path, number)
        path = private_folder(self.studio.config.uploads / secrets.token_hex(16)) / "frame.png"
        path.write_bytes(picture)
        return path
