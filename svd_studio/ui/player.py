"""The skeleton of the stage: what never changes, so nothing on the page jumps. assets/studio_*.js fill it.

`data-t` names a text of ui/texts that the browser puts in, `data-label` one for a title and aria-label.
"""

from svd_studio.ui.result_view import AS, MORE, STARS

STAGE = """
<section class="stage" data-label="page.stage.label">
  <div class="screen">
    <div class="welcome" hidden>
      <h2 data-t="page.welcome.title"></h2>
      <ol>
        <li data-t="page.welcome.one"></li>
        <li data-t="page.welcome.two"></li>
        <li data-t="page.welcome.three"></li>
      </ol>
    </div>
    <img class="preview" alt="" data-label="page.preview.label" hidden>
    <video class="player" muted loop playsinline preload="auto" data-label="page.player.label" hidden></video>
    <div class="waiting" hidden><span></span></div>
    <p class="outcome" role="alert" hidden></p>
  </div>
  <div class="deck"><div class="transport" hidden>
    <button type="button" class="icon compare-back" data-step="-1" data-label="page.wipe.back"></button>
    <button type="button" class="icon play" data-label="page.player.play"></button>
    <button type="button" class="icon compare-on" data-step="1" data-label="page.wipe.on"></button>
    <input type="range" class="scrub" min="0" max="1000" value="0" data-label="page.player.position">
    <output class="counter"></output>
    <button type="button" class="icon loop" aria-pressed="true" data-label="page.player.loop"></button>
    <div class="speeds" role="group" data-label="page.player.speed">
      <button type="button" data-speed="0.5" aria-pressed="false">½×</button>
      <button type="button" data-speed="1" aria-pressed="true">1×</button>
      <button type="button" data-speed="2" aria-pressed="false">2×</button>
    </div>
    <button type="button" class="icon full" data-label="page.player.full"></button>
  </div>
  <div class="running" hidden>
    <div class="track" role="progressbar" aria-valuemin="0" aria-valuemax="100" data-label="page.job.label">
      <i></i>
    </div>
    <p class="status"><span class="line" role="status"></span><span class="eta"></span></p>
    <p class="job-note" role="status"></p>
  </div></div>
</section>
"""

CLIP = f"""
<section class="clip" data-label="page.clip.label" hidden>
  <div class="clip-head">
    <div><h3 class="clip-title"></h3><p class="clip-facts"></p>{STARS}</div>
    <div class="clip-actions">
      <span class="take"><a class="button download" download data-t="page.clip.download"></a>{AS}</span>
      {MORE}
      <button type="button" class="button quiet again" data-t="page.clip.again"></button>
      <button type="button" class="button quiet" data-sweep="clip" data-t="page.sweep.more"></button>
      <button type="button" class="button quiet recall" data-t="page.clip.recall"></button>
    </div>
  </div>
  <details class="recipe">
    <summary data-t="page.clip.recipe"></summary>
    <pre tabindex="0"></pre>
    <button type="button" class="button quiet" data-copy="recipe" data-t="page.clip.copy"></button>
    <button type="button" class="button quiet" data-copy="recipe_json" data-t="page.clip.json"></button>
    <a class="button quiet bare" download data-t="page.clip.download_bare"></a>
  </details>
</section>
<section class="recent" data-label="page.recent.label" hidden>
  <h3 data-t="page.recent.label"></h3><ul></ul>
</section>
"""

PICTURE = """
<div class="picture" data-state="empty">
  <div class="drop">
    <input type="file" multiple accept="image/*,.heic,.heif,.avif,.tif,.tiff,video/mp4,.json,.txt"
      data-label="page.picture.choose">
    <img class="framed" alt="" hidden>
    <div class="crop" hidden><div class="crop-window" tabindex="0" role="application" data-label="page.crop.window"
      aria-describedby="picture-facts"></div></div>
    <span class="drop-words"><b data-t="page.picture.drop"></b><span data-t="page.picture.ways"></span></span>
    <span class="drop-busy" data-t="page.picture.loading"></span>
  </div>
  <div class="zoom" hidden>
    <label for="crop-zoom" data-t="page.crop.zoom"></label>
    <input type="range" id="crop-zoom" min="1" max="4" step="0.05" value="1">
    <output for="crop-zoom"></output>
    <button type="button" class="link" data-crop="whole" data-t="page.crop.whole"></button>
  </div>
  <p class="picture-warning" role="status" hidden></p>
  <div class="picture-foot">
    <span class="picture-facts" id="picture-facts"></span>
    <button type="button" class="link swap" data-t="page.picture.swap"></button>
    <button type="button" class="link camera" data-t="page.picture.camera"></button>
  </div>
  <div class="many" role="status" hidden>
    <p class="many-line"></p><ul class="many-refused"></ul>
    <button type="button" class="link" data-many="stop" data-t="page.many.stop"></button>
    <button type="button" class="link" data-many="show" data-t="page.many.show"></button>
    <button type="button" class="link" data-many="back" data-t="page.many.back"></button>
    <button type="button" class="link" data-many="close" data-t="page.many.close"></button>
  </div>
  <div class="samples" role="group" data-label="page.picture.samples">{samples}</div>
</div>
<dialog class="webcam"><video autoplay muted playsinline></video><p class="webcam-problem" role="alert"></p>
  <div><button type="button" class="button shoot" data-t="page.camera.shoot"></button>
  <button type="button" class="button quiet close" data-t="page.camera.close"></button></div></dialog>
"""

HEADER = """
<header class="masthead">
  <svg viewBox="0 0 32 32" aria-hidden="true"><rect x="1" y="5" width="30" height="22" rx="6"/>
  <path d="M13 11.2v9.6l8.4-4.8z"/></svg>
  <h1>SVD&nbsp;Studio</h1><p data-t="page.tagline"></p>
</header>
<p class="notice" role="status" hidden></p>
"""

BELL = """
<div class="head-tools"><button type="button" class="icon bell" aria-haspopup="menu"></button>
<button type="button" class="icon keys" popovertarget="shortcuts" data-label="page.keys.title"></button></div>
<div class="keys-card" id="shortcuts" popover><h3 data-t="page.keys.title"></h3><dl></dl></div>
"""
NATIVE = '<button type="button" class="link native" data-t="page.form.native"></button>'
QUEUE_STATE = """
<div class="editing" hidden><p role="status"></p>
<button type="button" class="link" data-act="leave" data-t="page.editing.leave"></button></div>
<div class="standing" hidden><p data-t="page.paused"></p>
<button type="button" class="link" data-act="resume" data-t="page.queue.act.resume"></button></div>
"""
GAUGE = """
<div class="gauge" data-label="page.gauge.label"></div>
<details class="history"><summary data-t="page.history.title"></summary>
<div class="history-body"></div>
<p class="history-scale" aria-hidden="true"><span data-t="page.history.from"></span>
<span data-t="page.history.to"></span></p></details>
"""
NOTES = (
    '<div class="notes"><p class="form-error" role="alert"></p><p class="promise"></p><ul class="rounded"></ul></div>'
)
OFFER = """
<aside class="offer" hidden><p class="offer-text"></p><p class="offer-more"></p>
<div class="track" hidden><i></i></div><button type="button" class="button get"></button></aside>
"""


def picture_html(thumbs: dict[str, str]) -> str:
    """The picture box with its row of samples."""
    buttons = "".join(
        f'<button type="button" data-sample="{name}" data-label="page.sample.{name}">'
        f'<img src="{src}" alt="" width="96" height="64"></button>'
        for name, src in thumbs.items()
    )
    return PICTURE.replace("{samples}", buttons)
