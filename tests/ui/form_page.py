"""The Animate page without a browser."""

import json
import shutil
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from svd_studio.gpu.telemetry import Telemetry
from svd_studio.studio import Studio
from svd_studio.ui.animate_handlers import Handlers
from svd_studio.ui.animate_tab import AnimateTab
from svd_studio.ui.recall_handlers import RecallHandlers

RECIPE = {"prompt": "waves", "motion_bucket": 90, "steps": 7, "seed": 5, "frames": 6, "engine": "svd-nano"}


class Page:
    """The handlers of one studio, asked as its page asks: with everything that stands in the form."""

    def __init__(self, tab: AnimateTab, studio: Studio) -> None:
        self.studio, self.parts = studio, tab.parts
        self.handlers = RecallHandlers(Handlers(studio, Telemetry(), tab.parts, lambda: None))
        form = tab.parts.form.fields
        self.values: dict[Any, Any] = dict.fromkeys(tab.parts.inputs())
        self.values |= {field: "" if field.value is None else field.value for field in form.values()}
        self.values |= {tab.parts.language: "en", tab.parts.picture: {"sample": "coffee"}, tab.parts.lock: False}

    def ask(self, verb: str, owner: str | None = None, **sent: Any) -> dict[str, Any]:
        """What the page is told; its form and what it keeps have changed as its answer says."""
        request = SimpleNamespace(username=owner)
        handler = getattr(self.handlers if hasattr(self.handlers, verb) else self.handlers.handlers, verb)
        given = {"event": SimpleNamespace(_data=sent), "request": request}
        answer = handler(self.values, *(given[name] for name in given if name in signature(handler).parameters))
        view = answer.pop(self.parts.view)
        for part, update in answer.items():
            value = update["value"] if isinstance(update, dict) and "value" in update else update
            if not (isinstance(update, dict) and "value" not in update and "__type__" in update):
                self.values[part] = value
        json.dumps(view, allow_nan=False)
        return dict(view)

    def form(self) -> dict[str, Any]:
        return {name: self.values[field] for name, field in self.parts.form.fields.items()}

    def upload(self, source: Path, name: str = "") -> dict[str, str]:
        """A file as a browser uploads it."""
        folder = self.studio.config.uploads / "random"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / (name or source.name))
        return {"path": str(folder / (name or source.name)), "name": name or source.name}
