"""What the buttons of the Models page do."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from svd_studio.core.engine import EngineInfo, WeightSet
from svd_studio.core.errors import BadInput, Message
from svd_studio.core.job import JobStatus
from svd_studio.engines.catalog import ENGINES, EXTRAS
from svd_studio.library.errands import Errand
from svd_studio.studio import Studio
from svd_studio.ui.measure_view import can_measure, promised
from svd_studio.ui.rooms import View
from svd_studio.ui.texts import say, spoken_bytes

LONGEST_PATH = 4096

Sent = dict[str, Any]


class ModelActions:
    """Change the models of one studio; only the owner is let in."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._actions: dict[str, Callable[[Sent, str], View]] = {
            "get": self._get,
            "resume": self._get,
            "pause": lambda sent, language: self._stop(sent, forget=False),
            "cancel": lambda sent, language: self._stop(sent, forget=True),
            "use": self._use,
            "check": self._check,
            "delete": self._delete,
            "measure": self._measure,
            "stop_measuring": self._stop_measuring,
            "offline": self._offline,
            "token": self._token,
            "forget_token": self._forget_token,
        }

    def act(self, sent: Sent, language: str) -> View:
        """Do one thing by its name and say what there is to say of it. Raises StudioError, which says why not."""
        action = self._actions.get(str(sent.get("what")))
        if action is None:
            raise BadInput("page.error.unexpected")
        return action(sent, language)

    def _get(self, sent: Sent, language: str) -> View:
        errand = self._errand(sent)
        if self.studio.wishes.stays_offline():
            raise BadInput("page.models.is_offline")
        errand.get()
        return {}

    def _stop(self, sent: Sent, forget: bool) -> View:
        """Stop what runs; what was only begun is thrown away at once when it shall be."""
        errand = self._errand(sent)
        if errand.is_running:
            errand.stop(forget)
        elif forget and self.studio.weights.installed(errand.weights) is None:
            errand.remove()
        return {}

    def _use(self, sent: Sent, language: str) -> View:
        self._errand(sent).use(asked_folder(sent.get("folder")))
        return {}

    def _check(self, sent: Sent, language: str) -> View:
        self._errand(sent).check()
        return {}

    def _delete(self, sent: Sent, language: str) -> View:
        errand = self._errand(sent)
        if count := self._needed_by(errand.weights):
            raise BadInput("page.models.needed", name=errand.weights.name, n=count)
        for engine in _engines_of(errand.weights):
            self.studio.wishes.measures.drop(engine)
        values = {"name": errand.weights.name, "size": spoken_bytes(errand.remove())}
        return {"notice": say(Message("page.models.deleted", values), language)}

    def _measure(self, sent: Sent, language: str) -> View:
        """Ask for it once: pressed again, it goes on as it is."""
        info, wishes = self._measurable(sent), self.studio.wishes.measures
        wish = wishes.of(info.name)
        if wish is None or wish.failed:
            wishes.ask(info.name, self.studio.cards[0].index)
        return {"notice": say(promised("asked", self.studio, info, language), language)}

    def _stop_measuring(self, sent: Sent, language: str) -> View:
        self.studio.wishes.measures.drop(self._measurable(sent).name)
        return {}

    def _measurable(self, sent: Sent) -> EngineInfo:
        """The engine that was named, which is here and has speeds to compare. Raises BadInput."""
        info = ENGINES.get(str(sent.get("name")))
        if info is None or not can_measure(self.studio, info):
            raise BadInput("page.models.measure.not_here")
        return info

    def _needed_by(self, weights: WeightSet) -> int:
        """How many clips that run or wait were promised these weights."""
        jobs = self.studio.queue.find((JobStatus.RUNNING, JobStatus.QUEUED))
        return sum(job.request.settings.engine in _engines_of(weights) for job in jobs)

    def _offline(self, sent: Sent, language: str) -> View:
        offline = sent.get("on") is True
        self.studio.wishes.stay_offline(offline)
        if offline:
            self.studio.errands.stop_all()
        return {}

    def _token(self, sent: Sent, language: str) -> View:
        token = sent.get("token")
        if not isinstance(token, str):
            raise BadInput("weights.odd_token")
        self.studio.weights.save_token(token)
        return {"notice": say("page.models.token.is_saved", language)}

    def _forget_token(self, sent: Sent, language: str) -> View:
        self.studio.weights.forget_token()
        return {"notice": say("page.models.token.is_gone", language)}

    def _errand(self, sent: Sent) -> Errand:
        """What is done with the model that was named. Raises BadInput."""
        sets = {name: info.weights for name, info in ENGINES.items()} | dict(EXTRAS)
        weights = sets.get(str(sent.get("name")))
        if weights is None:
            raise BadInput("weights.no_such_set", name=str(sent.get("name"))[:40])
        return self.studio.errands.of(weights)


def _engines_of(weights: WeightSet) -> set[str]:
    return {name for name, info in ENGINES.items() if info.weights is weights}


def asked_folder(given: object) -> Path:
    """The place that a person typed or pasted, quotes taken off. Raises BadInput."""
    text = given.strip().strip("\"'").strip() if isinstance(given, str) and len(given) <= LONGEST_PATH else ""
    if not text or re.search(r"[\x00-\x1f]", text):
        raise BadInput("page.models.no_path")
    try:
        folder = Path(text).expanduser()
    except RuntimeError:  # ~somebody whom nobody knows
        folder = Path(text)
    if not folder.is_absolute():
        raise BadInput("page.models.whole_path")
    return folder
