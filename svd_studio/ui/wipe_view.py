"""The skeleton of the wipe: two clips under one edge, or one before and after. assets/wipe.js makes it work."""

WIPE = """
<p class="wipe-pick" role="status" hidden><span></span>
  <button type="button" data-wipe="leave" data-t="page.wipe.leave"></button></p>
<dialog class="wipe" aria-labelledby="wipe-title">
  <header><h2 id="wipe-title" data-t="page.wipe.title"></h2>
    <button type="button" class="icon gallery-close" data-wipe="close" data-label="page.gallery.do.close"></button>
  </header>
  <div class="wipe-screen">
    <video muted playsinline preload="auto" aria-hidden="true"></video>
    <video muted playsinline preload="auto" aria-hidden="true"></video>
    <input type="range" class="wipe-edge" min="0" max="1000" step="10" value="500" data-label="page.wipe.edge">
    <i class="wipe-line"></i><span class="wipe-left"></span><span class="wipe-right"></span>
  </div>
  <div class="wipe-deck">
    <button type="button" class="icon compare-back" data-wipe="back" data-label="page.wipe.back"></button>
    <button type="button" class="icon compare-play wipe-play" data-wipe="play" data-label="page.player.play"></button>
    <button type="button" class="icon compare-on" data-wipe="on" data-label="page.wipe.on"></button>
    <input type="range" class="wipe-scrub" min="0" max="1" value="0" data-label="page.player.position">
    <output class="wipe-counter"></output>
    <button type="button" class="button quiet" data-wipe="swap" data-t="page.wipe.swap"></button>
  </div>
</dialog>
"""
