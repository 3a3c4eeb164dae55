"""What the buttons of the System page do."""

from collections.abc import Callable
from typing import Any

from svd_studio.core.errors import BadInput, Message, StudioError
from svd_studio.jobs.stored import Clearing
from svd_studio.studio import Studio
from svd_studio.ui.rooms import View
from svd_studio.ui.system_view import heat_rows
from svd_studio.ui.texts import say

Sent = dict[str, Any]


class SystemActions:
    """Change limits, make room and tend the workers of one studio; only the owner is let in.

    `renew` puts fresh workers in the place of those that are there.
    """

    def __init__(self, studio: Studio, renew: Callable[[], None]) -> None:
        self.studio, self.renew = studio, renew
        self._actions: dict[str, Callable[[Sent, str], View]] = {
            "heat": self._heat,
            "heat_reset": self._heat_reset,
            "clear": self._clear,
            "restart": self._restart,
            "free": self._free,
        }

    def act(self, sent: Sent, language: str) -> View:
        """Do one thing by its name and say what there is to say of it. Raises StudioError, which says why not."""
        action = self._actions.get(str(sent.get("what")))
        if action is None:
            raise BadInput("page.error.unexpected")
        return action(sent, language)

    def _heat(self, sent: Sent, language: str) -> View:
        limits = sent.get("limits")
        try:
            self.studio.heat.change(limits if isinstance(limits, dict) else {})
        except StudioError as error:
            return {"heat_problem": say(error.message, language)}
        return self._heat_now(language) | {"notice": say("page.system.heat.saved", language)}

    def _heat_reset(self, sent: Sent, language: str) -> View:
        self.studio.heat.forget()
        return self._heat_now(language) | {"notice": say("page.system.heat.is_reset", language)}

    def _heat_now(self, language: str) -> View:
        return {"heat_problem": "", "heat_limits": heat_rows(self.studio, language)}

    def _clear(self, sent: Sent, language: str) -> View:
        kind = str(sent.get("kind"))
        if kind == "trash":
            self.studio.trash.empty()
        else:
            Clearing(self.studio.config, self.studio.queue).clear(kind)
        return {"notice": say("page.system.cleared", language)}

    def _restart(self, sent: Sent, language: str) -> View:
        self.renew()
        return {"notice": say("page.system.workers.restarting", language)}

    def _free(self, sent: Sent, language: str) -> View:
        self.studio.wishes.ask_for_memory(card.index for card in self.studio.cards)
        return {"notice": say(Message("page.system.workers.freeing"), language)}
