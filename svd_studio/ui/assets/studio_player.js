// The player of the stage: the clip in it, the transport below it, and the clips before.
(() => {
  const { text, fill, element, put, join, state, arrange } = window.studio;
  const find = (selector) => document.querySelector(selector);

  function playClip(clip, play, keep) {
    const video = find(".player");
    if (keep && state.clip) clip = state.clips[state.clip.id] || clip;
    const same = state.clip?.id === clip.id;
    state.clip = clip;
    put(".clip-title", clip.title);
    put(".clip-facts", `${clip.facts} · ${clip.took}`);
    window.studio.paintRecipe(find(".clip .recipe"), clip);
    find(".clip .download").href = clip.download;
    for (const button of document.querySelectorAll(".recent button"))
      button.setAttribute("aria-pressed", String(button.dataset.clip === clip.id));
    if (same) return;
    video.src = clip.url;
    if (clip.poster) video.poster = clip.poster; else video.removeAttribute("poster");
    video.playbackRate = state.speed || 1;
    if (play || !matchMedia("(prefers-reduced-motion: reduce)").matches) video.play().catch(() => {});
  }

  function paintRecent(clips) {
    state.recent = clips;
    state.clips = Object.fromEntries(clips.map((clip) => [clip.id, clip]));
    const section = find(".recent");
    section.hidden = clips.length < 2;
    section.querySelector("ul").replaceChildren(...clips.map((clip) => {
      const button = element("button", "");
      Object.assign(button, { type: "button", title: `${clip.title} · ${clip.facts}` });
      button.dataset.clip = clip.id;
      button.setAttribute("aria-label", button.title);
      button.setAttribute("aria-pressed", String(state.clip?.id === clip.id));
      if (clip.poster) {
        const image = element("img", "");
        Object.assign(image, { src: clip.poster, alt: "", loading: "lazy" });
        button.append(image);
      }
      const item = element("li", "");
      item.append(button);
      return item;
    }));
  }

  function paintPosition() {
    const video = find(".player"), scrub = find(".scrub");
    if (!state.clip || !video.duration) return;
    const all = state.clip.frames;
    const frame = Math.min(all, Math.floor((video.currentTime / video.duration) * all + 1e-3) + 1);
    if (!scrub.dataset.held) scrub.value = Math.round((1000 * video.currentTime) / video.duration);
    scrub.style.setProperty("--fill", scrub.value / 10 + "%");
    put(".counter", fill(text("page.player.frame"), { n: frame, all }));
  }
  function follow() {
    paintPosition();
    if (!find(".player").paused) requestAnimationFrame(follow);
  }
  const onPlayer = (name, react) =>  // media events do not bubble, but they can be caught on their way down
    document.addEventListener(name, (event) => event.target.matches?.(".player") && react(event.target), true);
  onPlayer("play", () => { find(".play").classList.add("is-playing"); follow(); });
  onPlayer("pause", () => find(".play").classList.remove("is-playing"));
  onPlayer("loadedmetadata", (video) => { video.playbackRate = state.speed || 1; paintPosition(); });
  onPlayer("seeked", paintPosition);
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.(".scrub")) return;
    const video = find(".player");
    event.target.dataset.held = "1";
    video.pause();
    if (video.duration) video.currentTime = (event.target.value / 1000) * Math.max(0, video.duration - 1e-3);
  });

  const toggle = (video) => (video.paused ? video.play().catch(() => {}) : video.pause());

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest?.(selector);
    const video = find(".player");
    if (on(".recent button")) {
      find(".outcome").hidden = true;
      playClip(state.clips[on(".recent button").dataset.clip], true);
      arrange();
    } else if (on(".play") || on(".player")) toggle(video);
    else if (on(".transport .loop")) {
      video.loop = !video.loop;
      on(".loop").setAttribute("aria-pressed", String(video.loop));
    } else if (on("[data-speed]")) {
      state.speed = video.playbackRate = Number(on("[data-speed]").dataset.speed);
      for (const button of document.querySelectorAll("[data-speed]"))
        button.setAttribute("aria-pressed", String(button === on("[data-speed]")));
    } else if (on(".transport .full")) (video.requestFullscreen || video.webkitEnterFullscreen)?.call(video);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches?.(".scrub")) delete event.target.dataset.held;
  });

  join("player", {
    painters: { recent: paintRecent },
    heard: (view) => { if (view.clip) playClip(view.clip, view.play === true, view.keep_clip === true); },
  });
})();
