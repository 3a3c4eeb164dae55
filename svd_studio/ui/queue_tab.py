"""The Queue page: what stands where. assets/queue.js fills it, queue_actions does what its buttons ask."""

from typing import Any

import gradio as gr
from gradio.components import Component

from svd_studio.core.errors import StudioError
from svd_studio.studio import OWNER, Studio
from svd_studio.ui.endpoints import owner_of
from svd_studio.ui.queue_actions import QueueActions
from svd_studio.ui.queue_view import GROUPS, kept_line, queue_view
from svd_studio.ui.reel_view import REEL
from svd_studio.ui.rooms import Asked, View, draw_room
from svd_studio.ui.texts import say

GROUP = """
<section class="queue-group" data-group="{name}" hidden>
  <h3><span data-t="page.queue.{name}"></span> <i class="queue-total"></i>
    <button type="button" class="link" data-act="retry_failed" data-t="page.queue.act.retry_failed" hidden></button>
    <button type="button" class="link" data-act="clear" data-t="page.queue.act.clear" hidden></button></h3>
  <ol></ol><p class="queue-more"></p>
</section>
"""

SKELETON = """
<section class="queue" data-label="page.room.queue">
  <header class="queue-head">
    <p class="queue-summary" role="status"></p>
    <button type="button" class="button quiet" data-act="pause" data-t="page.queue.act.pause" hidden></button>
  </header>
  <div class="queue-paused" hidden><p data-t="page.queue.paused"></p>
    <button type="button" class="button" data-act="resume" data-t="page.queue.act.resume"></button></div>
  <p class="queue-blocked" role="alert" hidden></p>
  <div class="queue-empty" hidden>
    <h2 data-t="page.queue.empty.title"></h2><p data-t="page.queue.empty.text"></p>
    <button type="button" class="button" data-act="go" data-t="page.queue.empty.go"></button>
  </div>
  {groups}
  <p class="queue-kept"></p>
</section>
<p class="queue-removed" role="status" hidden><span></span>
  <button type="button" data-act="undo" data-t="page.queue.act.undo"></button></p>
<dialog class="queue-player" data-label="page.player.label"><video loop playsinline></video>{reel}
  <div><a class="button" download data-t="page.clip.download"></a>
  <button type="button" class="button quiet" data-act="close" data-t="page.queue.act.close"></button></div></dialog>
"""


class QueueTab:
    """Draw the page and answer what its script asks: a look, or something to be done."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.actions = QueueActions(studio)

    def draw(self, language: Component) -> None:
        """Put the page into its room."""
        groups = "".join(GROUP.replace("{name}", name) for name in GROUPS)
        skeleton = SKELETON.replace("{groups}", groups).replace("{reel}", REEL)
        draw_room("queue", skeleton, self._asked(), language)

    def _asked(self) -> dict[str, Asked]:
        return {"look": self.look, "act": self.act, "kept": self.kept}

    def kept(self, sent: dict[str, Any], language: str, request: gr.Request) -> View:
        """How much room is taken by what comes and goes; a look at the disk, so not every second."""
        return {"kept": kept_line(self.studio, language) if owner_of(request) == OWNER else ""}

    def look(self, sent: dict[str, Any], language: str, request: gr.Request) -> View:
        """The queue as it is now."""
        return queue_view(self.studio, owner_of(request), language)

    def act(self, sent: dict[str, Any], language: str, request: gr.Request) -> View:
        """Do what a button asks, say what there is to say of it, and show the queue as it is then."""
        owner = owner_of(request)
        try:
            said = self.actions.act(sent, owner, language)
        except StudioError as error:
            said = {"notice": say(error.message, language)}
        return queue_view(self.studio, owner, language) | said
