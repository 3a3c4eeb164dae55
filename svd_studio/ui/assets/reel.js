// The transport below a clip in a dialog (the Gallery's and the Queue's): by frames and tenths of seconds, because
// browsers' own controls call a clip of less than a second 0:00.
(() => {
  const { text, fill } = window.studio;
  const { timeOf, shownBy } = window.studio.abreast;
  const reelOf = (part) => part.closest?.("dialog")?.querySelector(".reel");
  const videoOf = (part) => part.closest("dialog").querySelector("video");
  const isOurs = (video) => video.matches?.("dialog video") && reelOf(video);

  // ---- painting --------------------------------------------------------------------------------
  function paint(video) {
    const reel = reelOf(video), all = Number(video.dataset.frames), scrub = reel.querySelector(".reel-scrub");
    const shown = video.duration ? shownBy(video) : 0, seconds = video.duration || 0;
    scrub.max = Math.max(1, all - 1);
    scrub.value = shown;
    scrub.style.setProperty("--fill", `${(100 * shown) / scrub.max}%`);
    const frame = fill(text("page.player.frame"), { n: shown + 1, all });
    const time = fill(text("page.player.time"), { at: video.currentTime.toFixed(1), all: seconds.toFixed(1) });
    scrub.setAttribute("aria-valuetext", frame);
    const words = `${frame} · ${time}`, counter = reel.querySelector(".reel-counter");
    if (counter.textContent !== words) counter.textContent = words;
    reel.querySelector(".reel-play").classList.toggle("is-playing", !video.paused);
  }

  function follow(video) {
    paint(video);
    if (!video.paused) requestAnimationFrame(() => follow(video));
  }

  // ---- hands -----------------------------------------------------------------------------------
  const toggle = (video) => (video.paused ? video.play().catch(() => {}) : video.pause());

  function step(video, to) {
    const all = Number(video.dataset.frames);
    if (!video.duration) return;
    video.pause();
    video.currentTime = timeOf(video, (to + all) % all);
  }

  const DO = {
    play: toggle,
    back: (video) => step(video, shownBy(video) - 1),
    on: (video) => step(video, shownBy(video) + 1),
    loop: (video, button) => {
      video.loop = !video.loop;
      button.setAttribute("aria-pressed", String(video.loop));
    },
    full: (video) => (video.requestFullscreen || video.webkitEnterFullscreen)?.call(video),
  };

  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-reel]");
    if (button) DO[button.dataset.reel](videoOf(button), button);
    else if (isOurs(target)) toggle(target);
  });
  document.addEventListener("input", ({ target }) => {
    if (target.matches?.(".reel-scrub")) step(videoOf(target), Number(target.value));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !reelOf(event.target) || event.target.closest("button, a, summary, input, select")) return;
    event.preventDefault();
    toggle(videoOf(event.target));
  });
  for (const name of ["loadedmetadata", "play", "pause", "seeked"])
    document.addEventListener(name, ({ target }) => { if (isOurs(target)) follow(target); }, true);
})();
