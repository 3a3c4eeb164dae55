// One clip of the Gallery, open: what it is, how it was made, and what can be done with it.
(() => {
  const { text, element, made, write: put, join, state, gallery } = window.studio;
  const { ask, loadMore, settle, takeOff } = gallery;
  const find = (selector) => document.querySelector(selector);
  const part = (selector) => find(".gallery-detail").querySelector(selector);

  function open(id) {
    const clip = gallery.clip(id), dialog = find(".gallery-detail");
    if (!clip) return;
    gallery.stop();
    gallery.current = id;
    const video = part("video");
    video.muted = true;
    video.dataset.frames = clip.frames;
    if (clip.poster) video.poster = clip.poster; else video.removeAttribute("poster");
    video.hidden = part(".reel").hidden = !clip.here;
    if (clip.here) video.src = clip.url; else video.removeAttribute("src");
    put(dialog, "h2", clip.title);
    gallery.paintStar(part(".gallery-star"), clip);
    part(".gallery-side").classList.add("is-waiting");
    const at = gallery.clips.indexOf(clip);
    part(".gallery-before").disabled = at === 0;
    part(".gallery-after").disabled = at === gallery.clips.length - 1;
    if (at > gallery.clips.length - 5) loadMore();
    if (!dialog.open) {
      dialog.showModal();
      dialog.append(find(".notice"), find(".gallery-undo"));  // what lies behind a dialog cannot be pressed
      part("h2").focus();
    }
    if (clip.here && !gallery.still.matches) video.play().catch(() => {});
    ask("details", { clip: id }, true);
  }

  function paintDetails(clip) {
    if (clip.id !== gallery.current) return;
    const dialog = find(".gallery-detail");
    part(".gallery-side").classList.remove("is-waiting");
    put(dialog, ".gallery-facts", clip.facts);
    put(dialog, ".gallery-missing", clip.missing);
    part(".gallery-missing").hidden = !clip.missing;
    part("video").hidden = part(".reel").hidden = !!clip.missing;
    const created = new Date(clip.created * 1000).toLocaleString(state.language, { dateStyle: "long", timeStyle: "short" });
    const words = { prompt: clip.prompt, negative: clip.negative, seed: String(clip.seed), engine: clip.engine, created, memory: clip.memory, file_size: clip.size, owner: clip.owner };
    part(".gallery-words").replaceChildren(...Object.entries(words).filter(([, value]) => value).flatMap(
      ([name, value]) => [element("dt", text(`page.gallery.${name}`)), element("dd", value)]));
    part(".gallery-made").hidden = !clip.stages.length;
    part(".gallery-stages").replaceChildren(...clip.stages.map(makeStage));
    window.studio.paintRecipe(part(".gallery-recipe"), clip);
    part("footer a").href = clip.download;
    part("[data-sweep]").clip = clip;
    part("[data-compare]").dataset.compare = clip.comparison || "";
    const gone = !!clip.missing, shown = {
      ".take": !gone, ".stars": !clip.trashed, "[data-wipe=with]": !gone, "[data-do=folder]": clip.can_open && !gone, "[data-do=trash]": !clip.trashed && !gone,
      "[data-do=restore]": clip.trashed, "[data-do=forget]": gone && !clip.trashed, ".gallery-use": !clip.trashed, "[data-compare]": clip.comparison,
    };
    for (const [selector, is] of Object.entries(shown)) part(selector).hidden = !is;
  }

  function makeStage({ name, seconds, percent }) {
    const line = element("li", ""), bar = made("span", "gallery-bar"), full = element("i", "");
    full.style.width = percent + "%";
    bar.append(full);
    line.append(element("span", name), bar, element("b", seconds));
    return line;
  }

  function step(by) {
    const next = gallery.clips[gallery.clips.findIndex((clip) => clip.id === gallery.current) + by];
    if (next) open(next.id);
  }

  const close = () => find(".gallery-detail").close();
  document.addEventListener("close", (event) => {
    if (!event.target.matches?.(".gallery-detail")) return;
    const id = gallery.current;
    gallery.current = null;
    part("video").removeAttribute("src");
    part("video").load();
    find(".masthead").after(find(".notice"));
    find(".gallery").after(find(".gallery-undo"));
    if (gallery.here) gallery.focusCard(gallery.clips.findIndex((clip) => clip.id === id));
    settle();
  }, true);

  document.addEventListener("keydown", (event) => {
    if (!gallery.here || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = gallery.way(event.key), target = event.target;
    if (gallery.current) {
      if (target.matches("video, pre, input")) return;
      if (Math.abs(way) === 1) step(way);
      else if (event.key === "Delete" && !gallery.filter.trash && gallery.clip(gallery.current)?.here) takeOff("trash", gallery.current);
    } else if (target.matches?.(".gallery-open")) {
      const id = target.parentNode.dataset.clip, at = gallery.clips.findIndex((clip) => clip.id === id);
      if (way) { event.preventDefault(); gallery.focusCard(Math.max(0, Math.min(gallery.clips.length - 1, at + way))); }
      else if (event.key === "Delete" && !gallery.filter.trash && gallery.clips[at].here) takeOff("trash", id);
    }
  });

  Object.assign(gallery, { open, close, step });
  join("gallery_clip", { painters: { gallery_clip: paintDetails } });
})();
