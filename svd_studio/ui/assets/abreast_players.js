// The clips of a room that play abreast: one leads, the others keep up (abreast.js), and what nobody sees rests.
// `room` is the element that holds them, `frames` how many the longest has, `paint` is told where they are.
window.studio.players = ({ room, frames, isHere, paint }) => {
  const { frameOf, timeOf, keepUp, settled } = window.studio.abreast;
  const SETTLE_MS = 600;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let playing = false, gathering = false, rate = 1, held = 0;

  function load(place, tile) {
    let video = place.querySelector("video");
    if (video?.dataset.clip === tile.clip) return;
    unload(place);
    video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, preload: "auto", src: tile.url, tabIndex: -1 });
    video.dataset.clip = tile.clip;
    video.dataset.frames = tile.frames;
    video.setAttribute("aria-hidden", "true");
    video.addEventListener("loadeddata", () => {
      video.classList.add("is-ready");
      if (playing) return;
      video.currentTime = timeOf(video, held);
      if (!video.isConnected || still.matches || room().dataset.touched) return;
      play();
    });
    place.append(video);
    watcher.observe(video);
  }

  function unload(place) {
    const video = place.querySelector("video");
    if (!video) return;
    watcher.unobserve(video);
    video.remove();
    video.removeAttribute("src");
    video.load();  // lets go of the file, so that it can be moved
  }

  const watcher = new IntersectionObserver((seen) => {  // what nobody sees costs nothing
    for (const { target, isIntersecting } of seen) target.dataset.seen = isIntersecting ? "1" : "";
  }, { rootMargin: "200px" });

  const videos = () => [...room().querySelectorAll("video.is-ready")];
  const seen = () => videos().filter((video) => video.dataset.seen);

  function play() {
    const all = videos();
    if (playing || !all.length) return;
    playing = true;
    gather(held >= frames() - 1 ? 0 : held);
    requestAnimationFrame(follow);
    repaint();
  }

  async function gather(frame) {  // all to one frame, and off together
    gathering = true;
    const all = videos();
    for (const video of all) {
      video.pause();
      video.playbackRate = rate;
      video.currentTime = frame ? timeOf(video, frame) : 0;
    }
    await Promise.race([Promise.all(all.map(settled)), new Promise((done) => setTimeout(done, SETTLE_MS))]);
    gathering = false;
    if (playing) for (const video of seen()) video.play().catch(() => {});
  }

  function pause() {
    playing = false;
    for (const video of videos()) video.pause();
    show(held);
  }

  function follow() {
    if (!playing || !isHere()) return;
    requestAnimationFrame(follow);
    const all = seen(), lead = all[0];
    if (gathering) return;
    for (const video of videos()) if (!video.dataset.seen && !video.paused) video.pause();
    if (lead) {
      held = Math.min(Number(lead.dataset.frames) - 1, Math.floor(lead.currentTime / frameOf(lead) + 1e-3));
      repaint();
      if (lead.ended || lead.currentTime >= lead.duration - 0.005) gather(0);
      else for (const video of all) keepUp(video, lead, rate);
    }
  }

  function show(frame) {
    held = frame;
    for (const video of videos()) video.currentTime = timeOf(video, frame);
    repaint();
  }

  function step(by) {
    if (frames()) seek((held + by + frames()) % frames());
  }

  const touch = () => { room().dataset.touched = "1"; };  // from now on it plays only when asked to

  function toggle() {
    touch();
    if (playing) pause();
    else play();
  }

  function seek(frame) {
    if (playing) pause();
    touch();
    show(frame);
  }

  function hurry(to) {
    rate = to;
    for (const video of videos()) video.playbackRate = rate;
  }

  function forget() {
    held = 0;
    playing = false;
    delete room().dataset.touched;
    repaint();
  }

  const repaint = () => paint({ held, playing });

  return { load, unload, step, toggle, seek, hurry, forget, repaint };
};
