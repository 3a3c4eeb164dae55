// Clips abreast: browsers offer no common clock, so one clip leads and the others are held to within a part of a frame
// of it by playing a little faster or slower, and put back beside it where that is not enough.
(() => {
  const NUDGE = 0.12, NEAR = 0.15, FAR = 1;  // of the rate; of a frame

  const frameOf = (video) => video.duration / Number(video.dataset.frames);
  const timeOf = (video, frame) => (Math.min(frame, Number(video.dataset.frames) - 1) + 0.5) * frameOf(video);
  const shownBy = (video, frames = Number(video.dataset.frames)) =>
    Math.min(frames - 1, Math.floor((video.currentTime / video.duration) * frames + 1e-3)) || 0;

  function keepUp(video, lead, rate) {
    if (video.seeking) return;
    const off = (video.currentTime - lead.currentTime) / frameOf(lead);
    if (Math.abs(off) > FAR) video.currentTime = lead.currentTime;
    video.playbackRate = rate * (off > NEAR ? 1 - NUDGE : off < -NEAR ? 1 + NUDGE : 1);
    if (video.paused && !video.ended) video.play().catch(() => {});
  }

  const settled = (video) =>
    new Promise((done) => (video.seeking ? video.addEventListener("seeked", done, { once: true }) : done()));

  window.studio.abreast = { frameOf, timeOf, shownBy, keepUp, settled };
})();
