"""The System page: what stands where. assets/system.js fills it, system_actions does what its buttons ask."""

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.components import Component

from svd_studio.core.errors import StudioError
from svd_studio.gpu.telemetry import Telemetry
from svd_studio.studio import Studio
from svd_studio.ui.endpoints import only_owner, owner_of
from svd_studio.ui.owner_only import owner_only
from svd_studio.ui.rooms import View, draw_room
from svd_studio.ui.system_actions import SystemActions
from svd_studio.ui.system_view import system_view, workers_view
from svd_studio.ui.texts import say

SKELETON = """
<section class="system" data-label="page.room.system">
  <header class="system-head">
    <div><h2 data-t="page.system.title"></h2>
      <p class="system-summary" role="status" data-t="page.system.looking"></p></div>
    <div class="system-buttons">
      <button type="button" class="button quiet" data-act="look" data-t="page.system.look"></button>
      <button type="button" class="button" data-act="copy_report" data-t="page.system.copy_report"></button></div>
  </header>
  <div class="system-cards"></div>
  <section class="system-part" hidden>
    <h3 data-t="page.system.workers"></h3>
    <p class="system-workers" role="status"></p>
    <p class="system-hint" data-t="page.system.workers.hint"></p>
    <div class="system-buttons">
      <button type="button" class="button quiet" data-act="free" data-t="page.system.free"></button>
      <button type="button" class="button quiet" data-act="restart" data-t="page.system.restart"></button></div>
  </section>
  <section class="system-part" hidden>
    <h3 data-t="page.system.heat"></h3>
    <p class="system-hint" data-t="page.system.heat.about"></p>
    <form class="system-heat" novalidate><div></div>
      <p class="problem" role="alert" hidden></p>
      <div class="system-buttons"><button type="submit" class="button" data-t="page.system.heat.save"></button>
        <button type="button" class="button quiet" data-act="heat_reset" data-t="page.system.heat.reset"></button></div>
    </form>
    <div class="system-power" hidden><h4 data-t="page.system.power"></h4><ul></ul>
      <p class="system-hint" data-t="page.system.power.about"></p></div>
  </section>
  <section class="system-part" hidden>
    <h3 data-t="page.system.folders"></h3>
    <p class="system-hint system-guests" hidden></p>
    <ul class="system-folders"></ul>
  </section>
</section>
"""


class SystemTab:
    """Draw the page and answer what its script asks: a look, how the workers are, or something to be done."""

    def __init__(self, studio: Studio, telemetry: Telemetry, renew: Callable[[], None]) -> None:
        self.studio, self.telemetry = studio, telemetry
        self.actions = SystemActions(studio, renew)

    def draw(self, language: Component) -> None:
        """Put the page into its room."""
        asked = {"look": self.look, "workers": owner_only(self.workers), "act": owner_only(self.act)}
        draw_room("system", SKELETON, asked, language)

    def look(self, sent: dict[str, Any], language: str, request: gr.Request) -> View:
        """Everything, examined now; where the owner had to sign in, others can, too. Raises BadInput for guests."""
        only_owner(owner_of(request))
        is_open = bool(getattr(request, "username", None))
        return system_view(self.studio, self.telemetry.latest(), language, is_open)

    def workers(self, sent: dict[str, Any], language: str) -> View:
        """How the workers are."""
        return workers_view(self.studio, language)

    def act(self, sent: dict[str, Any], language: str) -> View:
        """Do what a button asks and say what there is to say of it."""
        try:
            said = self.actions.act(sent, language)
        except StudioError as error:
            said = {"notice": say(error.message, language)}
        return self.workers(sent, language) | said | {"system_done": True}
