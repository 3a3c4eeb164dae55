"""The transport below a clip that plays in a dialog: frame by frame, with tenths of seconds. assets/reel.js runs it."""

REEL = """
<div class="reel">
  <button type="button" class="icon compare-back" data-reel="back" data-label="page.wipe.back"></button>
  <button type="button" class="icon compare-play reel-play" data-reel="play" data-label="page.player.play"></button>
  <button type="button" class="icon compare-on" data-reel="on" data-label="page.wipe.on"></button>
  <input type="range" class="reel-scrub" min="0" max="1" step="1" value="0" data-label="page.player.position">
  <output class="reel-counter"></output>
  <button type="button" class="icon loop" data-reel="loop" aria-pressed="true" data-label="page.player.loop"></button>
  <button type="button" class="icon full" data-reel="full" data-label="page.player.full"></button>
</div>
"""
