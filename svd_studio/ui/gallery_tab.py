"""The Gallery page: what stands where. assets/gallery*.js fill it, gallery_actions does what its buttons ask."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr
from gradio.components import Component

from svd_studio.core.errors import StudioError
from svd_studio.studio import Studio, seen_by
from svd_studio.ui.endpoints import owner_of
from svd_studio.ui.gallery_actions import GalleryActions, is_at_this_machine
from svd_studio.ui.gallery_view import asked_cursor, asked_filter, asked_marks, cards, details, look, surroundings
from svd_studio.ui.reel_view import REEL
from svd_studio.ui.result_view import AS, MORE, STARS
from svd_studio.ui.rooms import View, asked_number, draw_room
from svd_studio.ui.texts import say
from svd_studio.ui.wipe_view import WIPE

Handler = Callable[["GalleryTab", dict[str, Any], str, gr.Request], View]

SKELETON = f"""
<section class="gallery" data-label="page.room.gallery">
  <header class="gallery-head">
    <input type="search" class="gallery-search" maxlength="200" autocomplete="off" spellcheck="false"
      data-label="page.gallery.search">
    <select class="gallery-engine" data-label="page.gallery.engine" hidden></select>
    <select class="gallery-engine gallery-order" data-label="page.gallery.order">
      <option value="new" data-t="page.gallery.order.new"></option>
      <option value="best" data-t="page.gallery.order.best"></option>
      <option value="3" data-t="page.gallery.order.three"></option>
      <option value="4" data-t="page.gallery.order.four"></option>
      <option value="5" data-t="page.gallery.order.five"></option>
    </select>
    <button type="button" class="button quiet gallery-starred" aria-pressed="false"
      data-t="page.gallery.starred"></button>
    <button type="button" class="button quiet gallery-trash" aria-pressed="false">
      <span data-t="page.gallery.trash"></span> <i class="gallery-thrown"></i></button>
    <p class="gallery-summary" role="status"></p>
  </header>
  <div class="gallery-trash-bar" hidden>
    <p></p><button type="button" class="button quiet" data-do="ask_empty" data-t="page.gallery.do.empty"></button>
  </div>
  <button type="button" class="gallery-new" hidden></button>
  <ul class="gallery-grid"></ul>
  <p class="gallery-loading" data-t="page.gallery.loading" hidden></p>
  <div class="gallery-empty" hidden>
    <h2></h2><p></p>
    <button type="button" class="button" data-do="first" data-t="page.gallery.first.go"></button>
  </div>
</section>
<dialog class="gallery-detail">
  <div class="gallery-view"><div class="gallery-screen">
    <video loop playsinline data-label="page.player.label"></video>
    <p class="gallery-missing" role="alert" hidden></p>
    <button type="button" class="icon gallery-before" data-do="before" data-label="page.gallery.do.before"></button>
    <button type="button" class="icon gallery-after" data-do="after" data-label="page.gallery.do.after"></button>
  </div>{REEL}</div>
  <div class="gallery-side">
    <header><h2 tabindex="-1"></h2>
      <button type="button" class="icon gallery-star" data-do="star" aria-pressed="false"></button>
      <button type="button" class="icon gallery-close" data-do="close" data-label="page.gallery.do.close"></button>
    </header>
    <p class="gallery-facts"></p>
    {STARS}
    <div class="gallery-use"><h3 data-t="page.gallery.use.title"></h3><div>
      <button type="button" class="button" data-recall="all" data-t="page.gallery.use.all"></button>
      <button type="button" class="button quiet" data-recall="but_seed" data-t="page.gallery.use.seed"></button>
      <button type="button" class="button quiet" data-recall="motion" data-t="page.gallery.use.motion"></button></div>
      <h3 data-t="page.gallery.use.on"></h3><div>
      <button type="button" class="button quiet" data-sweep="clip" data-t="page.sweep.more"></button>
      {MORE}
      <button type="button" class="button quiet" data-wipe="with" data-t="page.wipe.with"></button>
      <button type="button" class="button quiet gallery-compare" data-compare data-t="page.compare.see"></button></div>
    </div>
    <dl class="gallery-words"></dl>
    <section class="gallery-made"><h3 data-t="page.gallery.made"></h3><ol class="gallery-stages"></ol></section>
    <details class="gallery-recipe"><summary data-t="page.clip.recipe"></summary><pre tabindex="0"></pre>
      <button type="button" class="button quiet" data-copy="recipe" data-t="page.clip.copy"></button>
      <button type="button" class="button quiet" data-copy="recipe_json" data-t="page.clip.json"></button>
      <a class="button quiet bare" download data-t="page.clip.download_bare"></a></details>
    <footer>
      <span class="take"><a class="button quiet" download data-t="page.clip.download"></a>{AS}</span>
      <button type="button" class="button quiet" data-do="folder" data-t="page.gallery.do.folder"></button>
      <button type="button" class="button quiet" data-do="trash" data-t="page.gallery.do.trash"></button>
      <button type="button" class="button" data-do="restore" data-t="page.gallery.do.restore"></button>
      <button type="button" class="button" data-do="forget" data-t="page.gallery.do.forget"></button>
    </footer>
  </div>
</dialog>
<dialog class="gallery-sure"><p></p><div>
  <button type="button" class="button" data-do="empty" data-t="page.gallery.do.empty_sure"></button>
  <button type="button" class="button quiet" data-do="keep" data-t="page.gallery.do.keep"></button></div></dialog>
<p class="gallery-undo" role="status" hidden><span></span>
  <button type="button" data-do="undo" data-t="page.gallery.do.undo"></button></p>
{WIPE}"""


def heard(handler: Handler) -> Handler:
    """Answer every question with its number, also when it was refused: the script asks one at a time."""

    @wraps(handler)
    def answered(self: "GalleryTab", sent: dict[str, Any], language: str, request: gr.Request) -> View:
        try:
            view = handler(self, sent, language, request)
        except StudioError as error:
            view = {"notice": say(error.message, language)}
        return view | {"gallery_heard": asked_number(sent)}

    return answered


class GalleryTab:
    """Draw the page and answer what its script asks."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.actions = GalleryActions(studio)

    def draw(self, language: Component) -> None:
        """Put the page into its room."""
        asked = {"look": self.look, "news": self.news, "details": self.details, "act": self.act}
        draw_room("gallery", SKELETON, asked, language)

    @heard
    def look(self, sent: dict[str, Any], language: str, request: gr.Request) -> View:
        """One page of clips."""
        wanted = asked_filter(sent, seen_by(owner_of(request)))
        return {"gallery": look(self.studio, wanted, asked_cursor(sent), language) | {"number": asked_number(sent)}}

    @heard
    def news(self, sent: dict[str, Any], language: str, request: gr.Request) -> View:
        """The clips that were finished since the page looked last, and what became of the marks of those in sight."""
        wanted, mark = asked_filter(sent, seen_by(owner_of(request))), sent.get("mark")
        now = self.studio.clips.mark(wanted.owner)
        known = mark if type(mark) is int and 0 <= mark <= now else now
        news: View = {"mark": now, "clips": [], "marks": asked_marks(self.studio, sent, wanted.owner)}
        if known != now and not wanted.in_trash:
            news["clips"] = cards(self.studio, self.studio.clips.since(known, wanted), wanted, language)
            news |= surroundings(self.studio, wanted.owner, language)
        return {"gallery_news": news}

    @heard
    def details(self, sent: dict[str, Any], language: str, request: gr.Request) -> View:
        """All that is known of one clip."""
        owner = owner_of(request)
        clip = self.actions.clip(sent.get("clip"), owner)
        view = details(clip, language, is_own=clip.owner == owner)
        compared = self.studio.comparisons.of_jobs([clip.job_id], clip.owner).get(clip.job_id or 0)
        return {"gallery_clip": view | {"can_open": is_at_this_machine(owner, request), "comparison": compared}}

    @heard
    def act(self, sent: dict[str, Any], language: str, request: gr.Request) -> View:
        """Do what a button asks; clips that a refusal left as they were come back as they are."""
        owner = owner_of(request)
        try:
            view: View = {"gallery_done": self.actions.act(sent, owner, language, request)}
        except StudioError as error:
            view = {"notice": say(error.message, language), "gallery_again": True}
        if said := view.get("gallery_done", {}).pop("notice", None):
            view["notice"] = said
        return view | {"gallery_around": surroundings(self.studio, seen_by(owner), language)}
