"""What the looks' buttons do: put one on, and keep one's own."""

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from svd_studio.core.errors import BadInput, Message, StudioError
from svd_studio.engines.catalog import ENGINES
from svd_studio.library.preset_file import Preset
from svd_studio.ui.animate_handlers import FormVerbs, Handlers, told
from svd_studio.ui.endpoints import only_owner, owner_of
from svd_studio.ui.looks_view import looks_view
from svd_studio.ui.page_view import problem_view
from svd_studio.ui.rooms import View
from svd_studio.ui.settings_form import Updates, Values
from svd_studio.ui.texts import say

Asked = Mapping[str, Any]


class LooksHandlers(FormVerbs):
    """The verbs of the looks; their answers stand in the dialog that asked."""

    def __init__(self, handlers: Handlers) -> None:
        super().__init__(handlers)
        self.presets = self.studio.presets

    @told
    def put_on(self, values: Values, event: gr.EventData) -> Updates:
        """Put a look's fields into the form."""
        parts = self.parts
        preset = self.presets.get(str((event._data or {}).get("name")))
        info = ENGINES.get(str(preset.settings.get("engine"))) or self.page.engine(values)
        kept = {parts.chosen: preset.name, parts.engine_before: info.name}
        return {**parts.form.show_look(preset, info), **kept, parts.view: {"look": preset.name}}

    @told
    def edit(self, values: Values, event: gr.EventData, request: gr.Request) -> Updates:
        """Save, rename, remove, bring back, take in or give out a look of one's own; guests only put looks on."""
        asked, language = event._data or {}, self.page.language(values)
        try:
            only_owner(owner_of(request))
            verb = self._verbs().get(str(asked.get("do")))
            if verb is None:
                raise BadInput("page.error.unexpected")
            preset, done = verb(values, asked)
        except StudioError as error:
            return {self.parts.view: _refused(error, language)}
        view: View = {"look_done": {**done, "name": preset.name}, **looks_view(self.presets, language)}
        if message := done.get("said"):
            view["look_done"]["said"] = say(Message(message, {"title": preset.titled(language)}), language)
        if not done.get("choose"):
            return {self.parts.view: view}
        return {self.parts.chosen: preset.name, self.parts.view: view | {"look": preset.name}}

    def _verbs(self) -> dict[str, Callable[[Values, Asked], tuple[Preset, View]]]:
        return {
            "save": self._save,
            "rename": self._rename,
            "remove": lambda _, asked: (self.presets.remove(_name(asked)), {"said": "page.look.gone", "undo": True}),
            "restore": lambda _, asked: (self.presets.restore(_name(asked)), {"said": "page.look.back"}),
            "import": self._take_in,
            "export": self._give_out,
        }

    def _save(self, values: Values, asked: Asked) -> tuple[Preset, View]:
        settings = self.parts.form.settings(values)
        saved = self.presets.save(_title(asked), settings, replace=asked.get("replace") is True)
        return saved, {"said": "page.look.saved", "choose": True}

    def _rename(self, values: Values, asked: Asked) -> tuple[Preset, View]:
        renamed = self.presets.rename(_name(asked), _title(asked))
        return renamed, {"choose": values[self.parts.chosen] == _name(asked)}

    def _take_in(self, values: Values, asked: Asked) -> tuple[Preset, View]:
        return self.presets.take_in(str(asked.get("text")), str(asked.get("file"))), {"said": "page.look.taken_in"}

    def _give_out(self, values: Values, asked: Asked) -> tuple[Preset, View]:
        preset = self.presets.get(_name(asked))
        return preset, {"file": {"name": f"{preset.name}.json", "text": preset.as_json()}}


def _refused(error: StudioError, language: str) -> View:
    """A refusal for the dialog; the one about a taken name may be overruled there."""
    view = problem_view(error, language)
    sentence = next(iter((view.get("errors") or {}).values()), "")
    return {"look_done": {"problem": sentence, "may_replace": error.message.code == "preset.exists"}}


def _name(asked: Asked) -> str:
    return str(asked.get("name"))


def _title(asked: Asked) -> str:
    return str(asked.get("title") or "")
