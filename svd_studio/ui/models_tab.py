"""The Models page: what stands where. assets/models.js fills it, models_actions does what its buttons ask."""

from typing import Any

from gradio.components import Component

from svd_studio.core.errors import StudioError
from svd_studio.gpu.telemetry import Telemetry
from svd_studio.studio import Studio
from svd_studio.ui.models_actions import ModelActions
from svd_studio.ui.models_view import models_view
from svd_studio.ui.owner_only import owner_only
from svd_studio.ui.rooms import View, draw_room
from svd_studio.ui.texts import say

TOKENS = "https://huggingface.co/settings/tokens"

ROW = """
<template class="model-row"><li class="model">
  <header><h3></h3><span class="model-badge"></span></header>
  <dl></dl>
  <p class="model-licence"><span data-t="page.models.fact.licence"></span> <b></b>
    <a target="_blank" rel="noreferrer" data-t="page.models.licence"></a></p>
  <div class="model-progress" hidden><div class="track" role="progressbar" aria-valuemin="0" aria-valuemax="100">
    <i></i></div><p role="status"></p></div>
  <ul class="model-problems" role="alert"></ul>
  <p class="model-sound" role="status"></p>
  <p class="model-measuring" role="status"></p>
  <div class="model-gate" hidden>
    <p data-t="page.models.gate"></p>
    <ol><li><a class="model-page" target="_blank" rel="noreferrer" data-t="page.models.gate.licence"></a></li>
      <li><a href="{tokens}" target="_blank" rel="noreferrer" data-t="page.models.gate.token"></a></li>
      <li><span data-t="page.models.gate.paste"></span>
        <form class="model-token"><input type="password" maxlength="200" autocomplete="off" spellcheck="false"
          data-label="page.models.token.label"><button type="submit" class="button quiet"
          data-t="page.models.token.save"></button></form>
        <p class="model-token-state"><span></span> <button type="button" class="link" data-act="forget_token"
          data-t="page.models.token.forget"></button></p></li></ol>
  </div>
  <form class="model-use" hidden><label><span data-t="page.models.use.label"></span>
    <input type="text" maxlength="4096" autocomplete="off" spellcheck="false"></label>
    <p></p>
    <div><button type="submit" class="button" data-t="page.models.use.go"></button>
    <button type="button" class="button quiet" data-act="close_use" data-t="page.models.use.close"></button></div>
  </form>
  <div class="model-acts"></div>
</li></template>
"""

SKELETON = """
<section class="models" data-label="page.room.models">
  <header class="models-head">
    <div><h2 data-t="page.models.title"></h2><p data-t="page.models.about"></p></div>
    <button type="button" class="models-offline" role="switch" aria-checked="false" data-act="offline">
      <i></i><span><b data-t="page.models.offline"></b><small data-t="page.models.offline_about"></small></span>
    </button>
  </header>
  <ul class="models-list"></ul>
  <p class="models-folder"></p>
  {row}
</section>
"""


class ModelsTab:
    """Draw the page and answer what its script asks: a look, or something to be done."""

    def __init__(self, studio: Studio, telemetry: Telemetry) -> None:
        self.studio, self.telemetry = studio, telemetry
        self.actions = ModelActions(studio)

    def draw(self, language: Component) -> None:
        """Put the page into its room."""
        asked = {"look": owner_only(self.look), "act": owner_only(self.act)}
        skeleton = SKELETON.replace("{row}", ROW.replace("{tokens}", TOKENS))
        draw_room("models", skeleton, asked, language)

    def look(self, sent: dict[str, Any], language: str) -> View:
        """The models as they are now."""
        return models_view(self.studio, self.telemetry.latest(), language)

    def act(self, sent: dict[str, Any], language: str) -> View:
        """Do what a button asks, say what there is to say of it, and show the models as they are then."""
        try:
            said = self.actions.act(sent, language)
        except StudioError as error:
            said = {"notice": say(error.message, language)}
        return self.look(sent, language) | said
