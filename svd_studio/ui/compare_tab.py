"""Variants side by side: the dialog that asks for them, and the room that plays them. assets/compare.js fills both."""

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.components import Component

from svd_studio.core.clip import choices
from svd_studio.core.errors import BadInput, Message, StudioError
from svd_studio.core.job import JobStatus
from svd_studio.core.sweep import MOST
from svd_studio.jobs.comparisons import Comparison
from svd_studio.library.clips import Clip
from svd_studio.studio import Studio, seen_by
from svd_studio.ui.compare_view import comparison_view, seen_comparison
from svd_studio.ui.endpoints import only_owner, owner_of
from svd_studio.ui.rooms import View, draw_room
from svd_studio.ui.texts import say

_SEEDS = "".join(
    f'<label><input type="radio" name="sweep-seed" value="{n}"><span>{n}</span></label>'
    for n in range(1, MOST["seed"] + 1)
)
_SPEEDS = "".join(
    f'<label><input type="checkbox" name="sweep-speed" value="{speed}">'
    f'<span data-t="page.choice.speed.{speed}"></span></label>'
    for speed in reversed(choices("speed"))
)

OPEN = """<button type="button" class="sweep-open" data-sweep="form" data-label="page.sweep.open">
<span data-t="page.sweep.short"></span></button>"""

SWEEP = f"""
<dialog class="sheet sweep" aria-labelledby="sweep-title"><form method="dialog" novalidate>
  <header><img class="sweep-picture" alt="" hidden>
    <div><h3 id="sweep-title" data-t="page.sweep.title"></h3><p class="sweep-from"></p></div></header>
  <div class="sweep-axis" data-axis="motion_bucket">
    <label for="sweep-motion" data-t="page.field.motion_bucket"></label>
    <input type="text" id="sweep-motion" maxlength="80" autocomplete="off" aria-describedby="sweep-motion-hint">
    <p class="sweep-hint" id="sweep-motion-hint" data-t="page.sweep.motion"></p>
    <p class="sheet-problem" role="alert"></p></div>
  <div class="sweep-pair">
    <fieldset class="sweep-axis" data-axis="seed"><legend data-t="page.sweep.seeds"></legend>
      <div class="sweep-choices">{_SEEDS}</div><p class="sheet-problem" role="alert"></p></fieldset>
    <fieldset class="sweep-axis" data-axis="speed"><legend data-t="page.field.speed"></legend>
      <div class="sweep-choices">{_SPEEDS}</div><p class="sheet-problem" role="alert"></p></fieldset>
  </div>
  <div class="sweep-axis" data-axis="prompt"><label for="sweep-prompts" data-t="page.sweep.prompts"></label>
    <textarea id="sweep-prompts" rows="3" maxlength="7000" aria-describedby="sweep-prompts-hint"></textarea>
    <p class="sweep-hint" id="sweep-prompts-hint" data-t="page.sweep.prompts_hint"></p>
    <p class="sheet-problem" role="alert"></p></div>
  <div class="sweep-sum"><p class="sweep-line" role="status"></p><ul class="sweep-notes"></ul>
    <p class="sheet-problem" data-axis="" role="alert"></p></div>
  <div class="sheet-buttons"><button type="submit" class="button sweep-go"></button>
    <button type="button" class="button quiet sheet-close" data-t="page.sheet.close"></button></div>
</form></dialog>
"""

ROOM = """
<section class="compare" data-label="page.compare.label">
  <header class="compare-head">
    <div><h2 class="compare-title" tabindex="-1"></h2><p class="compare-summary" role="status"></p></div>
    <button type="button" class="button quiet" data-variant="stop" data-t="page.compare.stop" hidden></button>
  </header>
  <p class="compare-blocked" role="status" hidden></p>
  <ol class="compare-grid"></ol>
  <div class="compare-empty" hidden><h2 data-t="page.compare.empty.title"></h2><p data-t="page.compare.empty.text"></p>
    <button type="button" class="button" data-variant="go" data-t="page.compare.empty.go"></button></div>
  <div class="compare-bar" hidden>
    <p class="compare-offer" role="status" hidden><span></span>
      <button type="button" class="link" data-variant="throw" data-t="page.compare.throw"></button>
      <button type="button" class="link" data-variant="undo" data-t="page.gallery.do.undo"></button>
      <button type="button" class="link" data-variant="dismiss" data-t="page.compare.dismiss"></button></p>
    <div class="compare-transport">
      <button type="button" class="icon compare-back" data-variant="back" data-label="page.compare.back"></button>
      <button type="button" class="icon compare-play" data-variant="play" data-label="page.compare.play"></button>
      <button type="button" class="icon compare-on" data-variant="on" data-label="page.compare.on"></button>
      <input type="range" class="compare-scrub" min="0" max="1" value="0" step="1" data-label="page.player.position">
      <output class="compare-counter"></output>
      <div class="speeds compare-rates" role="group" data-label="page.player.speed">
        <button type="button" data-rate="0.5" aria-pressed="false">½×</button>
        <button type="button" data-rate="1" aria-pressed="true">1×</button>
        <button type="button" data-rate="2" aria-pressed="false">2×</button></div>
    </div>
    <div class="compare-chosen"><p class="compare-name"></p>
      <button type="button" class="button" data-variant="keep"></button>
      <button type="button" class="button quiet" data-variant="use" data-t="page.compare.use"></button></div>
  </div>
</section>
"""

Sent = dict[str, Any]
"""What a page sent: a stranger's, looked at before it is used."""


class CompareTab:
    """Draw the room and answer what its script asks: a look, or something to be done."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._acts: dict[str, Callable[[Comparison, Sent], list[str]]] = {
            "star": self._star,
            "unstar": self._star,
            "throw": self._throw,
            "undo": self._undo,
            "stop": self._stop,
            "retry": self._retry,
        }

    def draw(self, language: Component) -> None:
        """Put the room on the page, where no tab leads but only what was asked for together, and the dialog."""
        gr.HTML(SWEEP, js_on_load=None, elem_id="sweep-place")  # in no room: the Gallery opens it, too
        draw_room("compare", ROOM, {"look": self.look, "act": self.act}, language)

    def look(self, sent: Sent, language: str, request: gr.Request) -> View:
        """The clips as they are now; one that is not there, or not the asker's, is empty."""
        found = seen_comparison(self.studio, sent.get("comparison"), owner_of(request))
        if found is None:
            return {"comparison": {"id": str(sent.get("comparison"))[:40], "title": "", "tiles": []}}
        return {"comparison": comparison_view(self.studio, found, language)}

    def act(self, sent: Sent, language: str, request: gr.Request) -> View:
        """Do what a button asks, and show the clips as they are then."""
        found = seen_comparison(self.studio, sent.get("comparison"), owner_of(request))
        act = self._acts.get(str(sent.get("what")))
        if found is None or act is None:
            return self.look(sent, language, request) | {"notice": say("page.compare.unknown", language)}
        said: View = {}
        try:
            if act in (self._throw, self._undo):
                only_owner(owner_of(request))
            clips = act(found, sent)
            words = say(Message("page.gallery.did.trash_many", {"n": len(clips)}), language)
            said["compared"] = {"what": sent["what"], "clips": clips, "said": words}
        except StudioError as error:
            said["notice"] = say(error.message, language)
        return {"comparison": comparison_view(self.studio, found, language), **said}

    def _star(self, found: Comparison, sent: Sent) -> list[str]:
        clip = self._clip(found, sent)
        self.studio.clips.star(clip.id, sent["what"] == "star")
        return [clip.id]

    def _throw(self, found: Comparison, sent: Sent) -> list[str]:
        """Throw away what has no star; what has none at all is left alone."""
        clips = [clip for clip in self._clips(found) if clip.trashed is None and clip.is_here]
        if not any(clip.starred for clip in clips):
            raise BadInput("page.compare.none_kept")
        others = [clip for clip in clips if not clip.starred]
        for clip in others:
            self.studio.trash.put(clip)
        return [clip.id for clip in others]

    def _undo(self, found: Comparison, sent: Sent) -> list[str]:
        asked = sent.get("clips")
        wanted = asked if isinstance(asked, list) else []
        back = [clip for clip in self._clips(found) if clip.trashed is not None and clip.id in wanted]
        for clip in back:
            self.studio.trash.restore(clip)
        return [clip.id for clip in back]

    def _stop(self, found: Comparison, sent: Sent) -> list[str]:
        """Cancel what is not made yet."""
        for number in found.jobs:
            self.studio.cancel(number)
        return []

    def _retry(self, found: Comparison, sent: Sent) -> list[str]:
        job = self.studio.queue.get(sent["job"]) if sent.get("job") in found.jobs else None
        if job is not None and job.status in (JobStatus.FAILED, JobStatus.CANCELLED):
            with self.studio.database.transaction():
                self.studio.guests.refuse(seen_by(found.owner))
                self.studio.arrangement.retry(job.id)
        return []

    def _clips(self, found: Comparison) -> list[Clip]:
        return list(self.studio.clips.of_jobs(found.jobs, found.owner).values())

    def _clip(self, found: Comparison, sent: Sent) -> Clip:
        clip = next((clip for clip in self._clips(found) if clip.id == sent.get("clip")), None)
        if clip is None:
            raise BadInput("page.gallery.unknown")
        return clip
