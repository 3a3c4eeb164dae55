"""Who is signed in, and the line that tells the owner that the page is shared, until when, and stops it."""

import time
from typing import Any

import gradio as gr
from gradio.components import Component

from svd_studio.core.errors import BadInput, Message
from svd_studio.studio import OWNER
from svd_studio.ui.endpoints import owner_of
from svd_studio.ui.rooms import View, draw_bridge
from svd_studio.ui.texts import say
from svd_studio.ui.tunnel import SharedLink

LINE = """<div class="sharing" role="status" hidden><p></p>
<button type="button" class="button quiet" data-sharing="stop" data-t="page.sharing.stop"></button></div>"""
SIGNED_IN = """<form class="signed-in" method="post" action="/logout" hidden><p></p>
<button type="submit" class="button quiet" data-t="page.sign_out"></button></form>"""


class SharingLine:
    """A line above every room for the owner alone, and one for whoever came in with a password."""

    def __init__(self, link: SharedLink | None) -> None:
        self.link = link

    def draw(self, language: Component) -> None:
        """Put the line on the page; assets/sharing.js fills it."""
        gr.HTML(LINE, js_on_load=None, elem_id="sharing")
        draw_bridge("sharing", {"look": self.look, "stop": self.stop}, language)

    def draw_end(self) -> None:
        """Put below every room who is signed in: what comes late there moves nothing."""
        gr.HTML(SIGNED_IN, js_on_load=None, elem_id="signed-in")

    def look(self, sent: dict[str, Any], language: str, request: gr.Request) -> View:
        """As whom somebody is signed in, and what the owner should know."""
        name = getattr(request, "username", None)
        who = "owner" if owner_of(request) == OWNER else "guest"
        signed_in = say(f"page.signed_in.{who}", language) if name else ""
        return {"signed_in": signed_in, "sharing": self._link(language) if who == "owner" else None}

    def _link(self, language: str) -> View | None:
        if self.link is None or self.link.url is None:
            return None
        left = max(0, round((self.link.ends - time.time()) / 60))
        values: dict[str, str | int | float] = {"url": self.link.url, "hours": left // 60, "minutes": f"{left % 60:02}"}
        return {"line": say(Message("page.sharing.line", values), language), "url": self.link.url}

    def stop(self, sent: dict[str, Any], language: str, request: gr.Request) -> View:
        """Shut the link at once; only the owner may. Raises BadInput."""
        if owner_of(request) != OWNER:
            raise BadInput("guest.only_owner")
        if self.link is not None:
            self.link.close()
        return {"sharing": None, "notice": say("page.sharing.stopped", language)}
