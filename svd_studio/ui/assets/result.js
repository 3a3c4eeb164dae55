// What a finished clip gives, on the Animate page and in the Gallery: stars, one of its frames, a longer clip, a file of
// another kind. Python does all of it; here is only which clip and which frame are meant.
(() => {
  const { text, fill, send, go, join, show, state, openMenu } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const KINDS = ["1080x1920", "1920x1080", "1080x1080", "webm", "gif", "png"];
  const RATING = /^[0-5]$/;
  const rated = new Map();  // what was pressed since the clips were last told
  const asked = new Set();  // clips whose press Python has not answered yet

  // ---- which clip and which frame ----------------------------------------------------------------
  const detail = () => find(".gallery-detail[open]");
  const meant = (button) => (button.closest(".gallery-detail") ? inGallery() : onStage());
  const onStage = () => ({ clip: state.clip, video: find(".player"), place: find(".clip") });
  const inGallery = () => ({ clip: find(".gallery-recipe").clip, video: find(".gallery-detail video"), place: detail() });
  const shownFrame = ({ clip, video }) => (video.duration ? window.studio.abreast.shownBy(video, clip.frames) + 1 : 1);

  function toForm(event, data) {
    detail()?.close();
    send("animate", event, data);
    go("animate");
  }

  // ---- stars ---------------------------------------------------------------------------------------
  const ratingOf = (clip) => (rated.has(clip.id) ? rated.get(clip.id) : clip.rating);

  function paintStars(place, clip) {
    const given = ratingOf(clip);
    for (const star of place.querySelectorAll("[data-stars]")) {
      const number = Number(star.dataset.stars);
      star.setAttribute("aria-pressed", String(number <= given));
      star.title = number === given ? text("page.result.clear") : fill(text("page.result.stars"), { n: number });
      star.setAttribute("aria-label", star.title);
    }
  }

  function rate(of, number) {
    if (!of.clip) return;
    rated.set(of.clip.id, number === ratingOf(of.clip) ? 0 : number);
    paintEverywhere(of.clip.id);
    asked.add(of.clip.id);
    send("result", "rate", { clip: of.clip.id, rating: rated.get(of.clip.id) });
  }

  function paintRated({ clip, rating }) {
    asked.delete(clip);
    rated.set(clip, rating);
    paintEverywhere(clip);
  }

  window.studio.hearRating = (clip, rating) => {  // given in another window
    const known = rated.get(clip) ?? window.studio.gallery.clip(clip)?.rating;
    if (!asked.has(clip) && known !== rating) paintRated({ clip, rating });
  };

  function paintEverywhere(id) {
    for (const { clip, place } of [onStage(), inGallery()]) if (clip?.id === id && place) paintStars(place, clip);
    window.studio.gallery.rated(id, rated.get(id));
  }

  // ---- files ---------------------------------------------------------------------------------------
  function downloads(button) {
    const { clip } = meant(button);
    const plain = ["page.export.mp4", () => save(clip.download)];
    openMenu(button, [plain, ...KINDS.map((kind) => [`page.export.${kind}`, () => make(button, clip, kind)])]);
  }

  async function make(button, clip, kind) {  // HEAD waits until it is made; what failed says why when it is asked again
    const name = text(`page.export.${kind}`);
    button.setAttribute("aria-busy", "true");
    button.disabled = true;
    show({ notice: fill(text("page.result.making"), { name }) });
    await fetchAndSave(`/media/${clip.id}/as/${kind}`);
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }

  async function fetchAndSave(path) {
    const address = `${path}?language=${state.language}`;
    try {
      const made = await fetch(address, { method: "HEAD" });
      show({ notice: made.ok ? "" : await (await fetch(address)).text() });
      if (made.ok) save(address);
    } catch {
      show({ notice: text("page.result.lost") });
    }
  }

  function save(address) {
    const link = Object.assign(document.createElement("a"), { href: address, download: "" });
    document.body.append(link);
    link.click();
    link.remove();
  }

  // ---- a frame, and a longer clip ------------------------------------------------------------------
  function frames(button) {
    const of = meant(button), n = heldFrame(of), clip = of.clip.id;
    openMenu(button, [
      [fill(text("page.result.use_frame"), { n }), () => toForm("use_frame", { clip, frame: n })],
      [fill(text("page.result.save_frame"), { n }), () => fetchAndSave(`/media/${clip}/frame/${n}`)],
    ]);
  }

  function longer(button) {
    const of = meant(button), n = heldFrame(of), clip = of.clip.id;
    const choices = [["page.result.from_end", () => toForm("longer", { clip, frame: null })]];
    if (n > 1 && n < of.clip.frames)
      choices.push([fill(text("page.result.from_frame"), { n }), () => toForm("longer", { clip, frame: n })]);
    openMenu(button, choices);
  }

  function heldFrame(of) {  // what is spoken of must not run away
    of.video.pause();
    return shownFrame(of);
  }

  // ---- what finishing did to it --------------------------------------------------------------------
  function before(button) {
    const { clip, video } = meant(button);
    video.pause();
    window.studio.wipe([clip.before, { ...clip, title: text("page.wipe.after") }], "page.wipe.before_title");
  }

  // ---- hands ---------------------------------------------------------------------------------------
  const DO = { as: downloads, frame: frames, longer, before };

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest?.(selector);
    if (on("[data-result]")) DO[on("[data-result]").dataset.result](on("[data-result]"));
    else if (on("[data-stars]")) rate(meant(on("[data-stars]")), Number(on("[data-stars]").dataset.stars));
  });

  document.addEventListener("keydown", (event) => {
    if (!RATING.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable], .menu")) return;
    const open = detail(), stage = (document.body.dataset.room || "animate") === "animate";
    if (!open && (!stage || document.body.dataset.mode !== "clip" || find("dialog[open]"))) return;
    const of = open ? inGallery() : onStage(), number = Number(event.key);
    if (of.clip && number !== ratingOf(of.clip)) rate(of, number);
  });

  document.addEventListener("clip", (event) => {  // recall.js tells when another clip is looked at
    const place = event.target.closest(".clip, .gallery-detail");
    if (!place) return;
    paintStars(place, event.detail);
    place.querySelector("[data-result=before]").hidden = !event.detail.before;
  });

  join("result", { painters: { rated: paintRated } });
})();
