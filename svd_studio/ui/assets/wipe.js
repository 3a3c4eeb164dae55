// Two clips of the Gallery, or one before and after finishing, one over the other: what lies left of the edge is the first, right of it the second.
(() => {
  const { text, fill, show, join } = window.studio;
  const { timeOf, shownBy, keepUp, settled } = window.studio.abreast;
  const find = (selector) => document.querySelector(selector);
  const part = (selector) => find(".wipe").querySelector(selector);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let first = null, shown = [], playing = false, held = 0;

  // ---- choosing the second -------------------------------------------------------------------------
  function pick(clip) {
    first = clip;
    find(".gallery-detail").close();
    find(".wipe-pick span").textContent = fill(text("page.wipe.pick"), clip);
    find(".wipe-pick").hidden = false;
  }

  function leave() {
    first = null;
    find(".wipe-pick").hidden = true;
  }

  function choose(second) {
    if (!second?.here) return;
    if (second.id === first.id) return show({ notice: text("page.wipe.itself") });
    const pair = [window.studio.gallery.clip(first.id) || first, second];
    leave();
    open(pair);
  }

  // ---- two players: the shorter one leads ------------------------------------------------------------
  const videos = () => [...find(".wipe").querySelectorAll("video")];
  const lead = () => videos().reduce((one, other) => (comesFirst(other, one) ? other : one));
  function comesFirst(one, other) {  // of two that take as long, the one with more frames to step through
    const longer = one.duration - other.duration;
    return Math.abs(longer) < 0.02 ? Number(one.dataset.frames) > Number(other.dataset.frames) : longer < 0;
  }
  const isReady = () => videos().every((video) => video.readyState > 1);

  function open(pair, title = "page.wipe.title") {
    shown = pair;
    const heading = part("h2");
    heading.dataset.t = title;
    heading.textContent = text(title);
    held = 0;
    setEdge(500);
    videos().forEach((video, at) => {
      video.src = pair[at].url;
      video.dataset.frames = pair[at].frames;
    });
    part(".wipe-left").textContent = pair[0].title;
    part(".wipe-right").textContent = pair[1].title;
    if (!find(".wipe").open) {
      find(".contain").append(find(".wipe"));  // out of the Gallery, which may not be the room that is seen
      find(".wipe").showModal();
    }
    part(".wipe-edge").focus();
  }

  function begin() {
    if (!isReady() || playing) return;
    part(".wipe-scrub").max = Math.max(1, lead().dataset.frames - 1);
    paint();
    if (!still.matches) play();
  }

  async function play() {
    playing = true;
    paintPlay();
    await gather(held >= lead().dataset.frames - 1 ? 0 : held);
    requestAnimationFrame(follow);
  }

  async function gather(frame) {
    const at = frame ? timeOf(lead(), frame) : 0;
    for (const video of videos()) {
      video.pause();
      video.currentTime = at;
    }
    await Promise.all(videos().map(settled));
    if (playing) for (const video of videos()) video.play().catch(() => {});
  }

  function follow() {
    if (!playing) return;
    const one = lead(), other = videos().find((video) => video !== one);
    held = shownBy(one);
    paint();
    if (one.ended || one.currentTime >= one.duration - 0.005) gather(0).then(() => requestAnimationFrame(follow));
    else {
      keepUp(other, one, 1);
      requestAnimationFrame(follow);
    }
  }

  function pause() {
    playing = false;
    for (const video of videos()) video.pause();
    paintPlay();
  }

  function step(to) {
    pause();
    const all = Number(lead().dataset.frames);
    held = (to + all) % all;
    for (const video of videos()) video.currentTime = timeOf(lead(), held);
    paint();
  }

  // ---- painting --------------------------------------------------------------------------------------
  function paint() {
    const scrub = part(".wipe-scrub");
    scrub.value = held;
    scrub.style.setProperty("--fill", `${(100 * held) / scrub.max}%`);
    const words = fill(text("page.player.frame"), { n: held + 1, all: lead().dataset.frames });
    scrub.setAttribute("aria-valuetext", words);
    part(".wipe-counter").textContent = words;
  }

  const paintPlay = () => part(".wipe-play").classList.toggle("is-playing", playing);

  function setEdge(value) {
    part(".wipe-edge").value = value;
    part(".wipe-screen").style.setProperty("--edge", `${value / 10}%`);
  }

  // ---- hands -----------------------------------------------------------------------------------------
  const DO = {
    with: () => pick(find(".gallery-recipe").clip),
    leave,
    close: () => find(".wipe").close(),
    play: () => (playing ? pause() : play()),
    back: () => step(held - 1),
    on: () => step(held + 1),
    swap: () => { pause(); open([shown[1], shown[0]], part("h2").dataset.t); },
  };

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest?.(selector);
    if (on("[data-wipe]")) DO[on("[data-wipe]").dataset.wipe]();
    else if (first && on(".gallery-open")) {
      event.stopPropagation();
      choose(window.studio.gallery.clip(on(".gallery-card").dataset.clip));
    } else if (event.target.matches?.(".wipe")) find(".wipe").close();
  }, true);
  document.addEventListener("input", (event) => {
    if (event.target.matches?.(".wipe-edge")) setEdge(event.target.value);
    else if (event.target.matches?.(".wipe-scrub")) step(Number(event.target.value));
  });
  document.addEventListener("loadeddata", (event) => { if (event.target.closest?.(".wipe")) begin(); }, true);
  document.addEventListener("close", (event) => {
    if (!event.target.matches?.(".wipe")) return;
    pause();
    for (const video of videos()) { video.removeAttribute("src"); video.load(); }  // lets go of the files
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && first) return leave();
    if (!find(".wipe")?.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === " " && !event.target.closest("button")) DO.play();
    else if (way && !event.target.matches("input")) step(held + way);
    else return;
    event.preventDefault();
  });

  window.studio.wipe = open;
  join("wipe", {});
  new MutationObserver(() => { if (document.body.dataset.room !== "gallery" && first) leave(); })
    .observe(document.body, { attributes: true, attributeFilter: ["data-room"] });
})();
