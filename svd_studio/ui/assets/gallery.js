// The Gallery page. The list may hold ten thousand clips: only the rows in sight are on the page, the others are
// numbers. One question at a time goes to Python, and every answer carries its number back as gallery_heard.
(() => {
  const { text, fill, element, join, state } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const part = (selector) => find(".gallery-detail").querySelector(selector);
  const ROW_GAP = 18, COLUMN_GAP = 14, CAPTION = 46, NARROWEST = 216, FEWEST = 2;
  const NEWS_MS = 3000, PATIENCE_MS = 8000, TYPING_MS = 200, HOVER_MS = 160, PRESS_MS = 450, UNDO_MS = 10000;
  const filter = { words: "", engine: "", starred: false, trash: false, best: false, rated: 0 };
  const cards = new Map();  // id → element, of the rows in sight
  let clips = [], fresh = [], more = false, loaded = false, around = {}, mark = null;
  let here = false, scrolled = 0, columns = 1, rowHeight = 1, current = null, thrown = [];

  // ---- asking --------------------------------------------------------------------------------
  const asked = [];
  let number = 0, waiting = null, looking = 0;

  function ask(event, data, alone = false) {  // `alone`: an earlier question of this kind need not be answered
    if (alone) for (let at = asked.length - 1; at >= 0; at--) if (asked[at][0] === event) asked.splice(at, 1);
    asked.push([event, { ...data, number: ++number }]);
    if (!waiting) askNext();
    return number;
  }

  function askNext() {
    clearTimeout(waiting);
    waiting = null;
    const question = asked.shift();
    if (!question) return;
    waiting = setTimeout(() => heard(looking), PATIENCE_MS);  // an answer that never comes must not hold the page
    window.studio.send("gallery", ...question);
  }

  function heard(answered) {
    if (answered === looking) looking = 0;  // refused, or lost on the way
    askNext();
  }

  function reset() {  // from the top, with the filter as it is now
    scrollTo(0, 0);
    more = false;
    looking = ask("look", filter, true);
  }

  function loadMore() {
    if (!more || looking) return;
    find(".gallery-loading").hidden = false;
    looking = ask("look", { ...filter, after: clips[clips.length - 1].cursor }, true);
  }

  function paintPage(page) {
    if (page.number !== looking) return;  // the filter was changed meanwhile
    looking = 0;
    if ("mark" in page) {
      clips = page.clips;
      fresh = [];
      mark = page.mark;
      loaded = true;
      paintEngines(page.engines);
    } else add(page.clips);
    more = page.more;
    find(".gallery-loading").hidden = true;
    paintAround(page);
    paint();
  }

  function add(some) {  // each in its place, once
    const known = new Set(clips.map((clip) => clip.id));
    clips.push(...some.filter((clip) => !known.has(clip.id)));
    const order = (a, b) => b.cursor[0] - a.cursor[0] || (b.cursor[1] > a.cursor[1] ? 1 : -1);
    clips.sort(order);
  }

  // ---- what is new -----------------------------------------------------------------------------
  setInterval(() => {
    if (here && loaded && !document.hidden && !waiting) ask("news", { ...filter, mark, shown: inSight() });
  }, NEWS_MS);

  const inSight = () => [...new Set([...cards.keys(), ...(current ? [current] : [])])];

  function paintMarks(marks) {  // given in another window; what was pressed here meanwhile comes with the next news
    if (asked.length) return;
    for (const [id, [rating, starred]] of Object.entries(marks)) {
      window.studio.hearRating(id, rating);
      const clip = find_clip(id);
      if (!clip || clip.starred === starred) continue;
      clip.starred = starred;
      paintStars(clip);
    }
  }

  function paintStars(clip) {
    if (cards.has(clip.id)) paintStar(cards.get(clip.id).querySelector(".gallery-star"), clip);
    if (current === clip.id) paintStar(part(".gallery-star"), clip);
  }

  function paintNews(news) {
    mark = news.mark;
    paintMarks(news.marks);
    const known = new Set([...clips, ...fresh].map((clip) => clip.id));
    fresh.push(...news.clips.filter((clip) => !known.has(clip.id)));
    if ("summary" in news) paintAround(news);
    settle();
  }

  function settle() {  // new clips come in by themselves only where that moves nothing that is looked at
    const grid = find(".gallery-grid");
    const looks = scrollY > 40 || current || grid.matches(":hover") || grid.contains(document.activeElement);
    if (fresh.length && !looks) comeIn();
    const line = find(".gallery-new");
    line.hidden = !fresh.length;
    line.textContent = fill(text("page.gallery.new"), { n: fresh.length });
  }

  function comeIn() {
    add(fresh);
    fresh = [];
    paint();
  }

  // ---- the grid: rows in sight, and room for the others ----------------------------------------
  function measure() {
    const width = find(".gallery-grid").clientWidth;
    if (!width) return;
    columns = Math.max(FEWEST, Math.floor((width + COLUMN_GAP) / (NARROWEST + COLUMN_GAP)));
    const card = ((width - COLUMN_GAP * (columns - 1)) / columns) * (9 / 16) + CAPTION;
    rowHeight = card + ROW_GAP;
    const style = find(".gallery-grid").style;
    style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    style.gridAutoRows = card + "px";
    style.gap = `${ROW_GAP}px ${COLUMN_GAP}px`;
  }

  function paint() {
    if (!here) return;
    const grid = find(".gallery-grid"), rows = Math.ceil(clips.length / columns);
    const top = grid.getBoundingClientRect().top, extra = innerHeight;
    const first = Math.min(rows, Math.max(0, Math.floor((-top - extra) / rowHeight)));
    const last = Math.max(first, Math.min(rows, Math.ceil((innerHeight - top + extra) / rowHeight)));
    grid.style.paddingTop = first * rowHeight + "px";
    grid.style.paddingBottom = (rows - last) * rowHeight + "px";
    const shown = clips.slice(first * columns, last * columns), kept = new Set(shown.map((clip) => clip.id));
    for (const [id, card] of cards) if (!kept.has(id)) { card.remove(); cards.delete(id); }
    shown.forEach((clip, at) => {
      const card = cards.get(clip.id) || makeCard(clip);
      paintCard(card, clip);
      if (grid.children[at] !== card) grid.insertBefore(card, grid.children[at] || null);
    });
    paintEmpty();
    if (last >= rows - 1) loadMore();
  }

  let painting = false;
  function paintSoon() {
    if (painting || !here) return;
    painting = true;
    requestAnimationFrame(() => { painting = false; paint(); });
  }
  addEventListener("scroll", paintSoon, { passive: true });
  addEventListener("resize", () => { if (here) { measure(); paint(); } });

  function makeCard(clip) {
    const card = made("li", "gallery-card"), open = made("button", "gallery-open"), star = made("button", "icon gallery-star");
    card.dataset.clip = clip.id;
    open.type = star.type = "button";
    star.dataset.do = "star";
    if (clip.poster) open.append(Object.assign(element("img", ""), { src: clip.poster, alt: "", loading: "lazy", decoding: "async", draggable: false }));
    open.append(made("span", "gallery-length"), made("span", "gallery-gone"));
    const caption = made("div", "gallery-caption");
    caption.append(made("p", "gallery-title"), made("p", "gallery-about"));
    card.append(open, star, caption);
    cards.set(clip.id, card);
    return card;
  }

  function paintCard(card, clip) {
    const when = moment(clip.created), about = [clip.rating && "★".repeat(clip.rating), clip.differs, when, clip.prompt].filter(Boolean).join(" · ");
    put(card, ".gallery-title", clip.title);
    put(card, ".gallery-about", about);
    put(card, ".gallery-length", fill(text("page.gallery.seconds"), { n: clip.seconds.toFixed(1) }));
    put(card, ".gallery-gone", clip.here ? "" : text("page.gallery.gone"));
    card.classList.toggle("is-gone", !clip.here);
    card.querySelector(".gallery-caption").title = clip.prompt ? `${clip.title}\n${clip.prompt}` : clip.title;
    card.querySelector(".gallery-open").setAttribute("aria-label", [clip.title, clip.differs, when].filter(Boolean).join(", "));
    paintStar(card.querySelector(".gallery-star"), clip);
  }

  function paintStar(button, clip) {
    button.hidden = filter.trash;
    button.setAttribute("aria-pressed", String(clip.starred));
    button.title = text(clip.starred ? "page.gallery.unstar" : "page.gallery.star");
    button.setAttribute("aria-label", `${button.title}: ${clip.title}`);
  }

  function moment(seconds) {
    const date = new Date(seconds * 1000), now = new Date();
    const today = date.toDateString() === now.toDateString();
    const day = { day: "numeric", month: "short", year: date.getFullYear() === now.getFullYear() ? undefined : "numeric" };
    return date.toLocaleString(state.language, { ...(today ? {} : day), hour: "2-digit", minute: "2-digit" });
  }

  // ---- what stands around the grid ---------------------------------------------------------------
  function paintEngines(engines) {
    const list = find(".gallery-engine:not(.gallery-order)");
    const options = [{ name: "", title: text("page.gallery.engine.all") }, ...engines];
    list.replaceChildren(...options.map(({ name, title }) => Object.assign(element("option", title), { value: name })));
    list.value = filter.engine;
    list.hidden = engines.length < 2 && !filter.engine;
  }

  function paintAround(view) {
    around = view;
    put(document, ".gallery-summary", filter.trash || !view.kept ? "" : view.summary);
    put(document, ".gallery-trash-bar p", view.thrown ? view.trash_summary : "");
    put(document, ".gallery-thrown", view.thrown ? String(view.thrown) : "");
    find(".gallery-trash-bar").hidden = !filter.trash || !view.thrown;
    find(".gallery-head").hidden = !view.kept && !view.thrown;
  }

  function paintEmpty() {
    const box = find(".gallery-empty"), empty = loaded && !clips.length && !looking;
    box.hidden = !empty;
    if (!empty) return;
    const narrowed = filter.words || filter.engine || filter.starred || filter.rated;
    const kind = narrowed ? "none" : filter.trash ? "trash_empty" : "first";
    put(box, "h2", text(`page.gallery.${kind}.title`));
    put(box, "p", text(`page.gallery.${kind}.text`));
    box.querySelector("button").hidden = kind !== "first";
  }

  function narrow(changed) {
    Object.assign(filter, changed);
    find(".gallery-starred").setAttribute("aria-pressed", String(filter.starred));
    find(".gallery-trash").setAttribute("aria-pressed", String(filter.trash));
    reset();
  }

  // ---- playing under the pointer -----------------------------------------------------------------
  const sample = Object.assign(made("video", "gallery-sample"), { muted: true, loop: true, playsInline: true });
  let soon = null, pressed = null, held = false;
  sample.addEventListener("playing", () => sample.classList.add("is-playing"));

  function play(card, after) {
    clearTimeout(soon);
    if (card && sample.parentNode === card.firstChild) return;
    stop();
    const clip = card && find_clip(card.dataset.clip);
    if (!clip || !clip.here) return;
    soon = setTimeout(() => {
      card.firstChild.append(sample);
      sample.src = clip.url;
      sample.play().catch(() => {});
    }, after);
  }

  function stop() {
    clearTimeout(soon);
    if (!sample.parentNode) return;
    sample.classList.remove("is-playing");
    sample.remove();
    sample.removeAttribute("src");
    sample.load();  // lets go of the file, so that it can be moved
  }

  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const cardAt = (event) => event.target.closest?.(".gallery-card");
  document.addEventListener("pointerover", (event) => { if (event.pointerType === "mouse" && !still.matches && here) play(cardAt(event), HOVER_MS); });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.(".gallery-open:focus-visible") && !still.matches) play(cardAt(event), HOVER_MS);
  });
  document.addEventListener("focusout", (event) => { if (event.target.matches?.(".gallery-open")) stop(); });
  document.addEventListener("pointerdown", (event) => {
    held = false;
    const card = event.pointerType === "touch" && event.target.closest(".gallery-open") && cardAt(event);
    if (card) pressed = setTimeout(() => { held = true; play(card, 0); }, PRESS_MS);
  });
  for (const name of ["pointerup", "pointercancel"])
    document.addEventListener(name, (event) => { clearTimeout(pressed); if (event.pointerType === "touch" && here) stop(); });
  document.addEventListener("contextmenu", (event) => { if (held && cardAt(event)) event.preventDefault(); });

  // ---- one clip ------------------------------------------------------------------------------------
  function open(id) {
    const clip = find_clip(id), dialog = find(".gallery-detail");
    if (!clip) return;
    stop();
    current = id;
    const video = part("video");
    video.muted = true;
    video.dataset.frames = clip.frames;
    if (clip.poster) video.poster = clip.poster; else video.removeAttribute("poster");
    video.hidden = part(".reel").hidden = !clip.here;
    if (clip.here) video.src = clip.url; else video.removeAttribute("src");
    put(dialog, "h2", clip.title);
    paintStar(part(".gallery-star"), clip);
    part(".gallery-side").classList.add("is-waiting");
    const at = clips.indexOf(clip);
    part(".gallery-before").disabled = at === 0;
    part(".gallery-after").disabled = at === clips.length - 1;
    if (at > clips.length - 5) loadMore();
    if (!dialog.open) {
      dialog.showModal();
      dialog.append(find(".notice"), find(".gallery-undo"));  // what lies behind a dialog cannot be pressed
      part("h2").focus();
    }
    if (clip.here && !still.matches) video.play().catch(() => {});
    ask("details", { clip: id }, true);
  }

  function paintDetails(clip) {
    if (clip.id !== current) return;
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
    const next = clips[clips.findIndex((clip) => clip.id === current) + by];
    if (next) open(next.id);
  }

  const close = () => find(".gallery-detail").close();
  document.addEventListener("close", (event) => {
    if (!event.target.matches?.(".gallery-detail")) return;
    const id = current;
    current = null;
    part("video").removeAttribute("src");
    part("video").load();
    find(".masthead").after(find(".notice"));
    find(".gallery").after(find(".gallery-undo"));
    if (here) focusCard(clips.findIndex((clip) => clip.id === id));
    settle();
  }, true);

  // ---- doing -----------------------------------------------------------------------------------------
  const find_clip = (id) => clips.find((clip) => clip.id === id);
  const act = (what, ids, data) => ask("act", { what, clips: ids, ...data });

  function star(id) {
    const clip = find_clip(id);
    clip.starred = !clip.starred;
    paintStars(clip);
    act(clip.starred ? "star" : "unstar", [id]);
  }

  function takeOff(what, id) {  // trash, restore and forget all take a clip off this list; the next one takes its place
    const at = clips.findIndex((clip) => clip.id === id);
    if (at < 0) return;
    const [clip] = clips.splice(at, 1);
    stop();
    if (what === "trash") thrown.push(clip);
    const focused = cards.get(id)?.contains(document.activeElement);
    const next = clips[Math.min(at, clips.length - 1)];
    if (current === id) next ? open(next.id) : close();  // first: a file that plays cannot be moved on Windows
    act(what, [id]);
    paint();
    if (focused && next) focusCard(clips.indexOf(next));
    if (what === "restore") window.studio.show({ notice: fill(text("page.gallery.did.restore"), clip) });
  }

  let undoing = null;
  function paintDone(done) {
    if ("emptied" in done) {
      window.studio.show({ notice: text("page.gallery.did.emptied") });
      reset();
    } else if (done.done?.what === "trash" && thrown.length) offerUndo();
    else if (done.done?.what === "restore" && !filter.trash) paint();
  }

  function offerUndo() {
    const line = find(".gallery-undo"), one = thrown.length === 1;
    const words = one ? fill(text("page.gallery.did.trash"), thrown[0]) : fill(text("page.gallery.did.trash_many"), { n: thrown.length });
    put(line, "span", words);
    line.hidden = false;
    clearTimeout(undoing);
    undoing = setTimeout(() => { line.hidden = true; thrown = []; }, UNDO_MS);
  }

  function undo() {
    clearTimeout(undoing);
    find(".gallery-undo").hidden = true;
    act("restore", thrown.map((clip) => clip.id));
    if (!filter.trash) add(thrown);
    else reset();
    const last = thrown.pop();
    thrown = [];
    paint();
    if (current === null) focusCard(clips.indexOf(last));
  }

  function recall(what) {
    const clip = current;
    close();
    window.studio.send("animate", "recall", { clip, what });
    window.studio.go("animate");
  }

  // ---- hands -------------------------------------------------------------------------------------------
  const DO = {
    star: (button) => star(cardAt({ target: button })?.dataset.clip || current),
    before: () => step(-1),
    after: () => step(1),
    close,
    folder: () => ask("act", { what: "folder", clip: current }),
    trash: () => takeOff("trash", current),
    restore: () => takeOff("restore", current),
    forget: () => takeOff("forget", current),
    undo,
    first: () => window.studio.go("animate"),
    ask_empty: () => { put(find(".gallery-sure"), "p", around.empty_question); find(".gallery-sure").showModal(); },
    empty: () => { find(".gallery-sure").close(); act("empty"); },
    keep: () => find(".gallery-sure").close(),
  };

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest?.(selector);
    if (!on("#room-gallery")) return;
    if (on("[data-do]")) DO[on("[data-do]").dataset.do](on("[data-do]"));
    else if (on("[data-recall]")) recall(on("[data-recall]").dataset.recall);
    else if (on(".gallery-open")) held ? (held = false) : open(cardAt(event).dataset.clip);
    else if (on(".gallery-starred")) narrow({ starred: !filter.starred });
    else if (on(".gallery-trash")) narrow({ trash: !filter.trash });
    else if (on(".gallery-new")) { comeIn(); scrollTo(0, 0); find(".gallery-new").hidden = true; }
    else if (event.target.matches(".gallery-detail")) close();
  });

  let typing = null;
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.(".gallery-search")) return;
    clearTimeout(typing);
    typing = setTimeout(() => narrow({ words: event.target.value }), TYPING_MS);
  });
  document.addEventListener("change", ({ target }) => {
    if (target.matches?.(".gallery-order")) narrow({ best: target.value !== "new", rated: Number(target.value) || 0 });
    else if (target.matches?.(".gallery-engine")) narrow({ engine: target.value });
  });

  function focusCard(at) {
    const clip = clips[at];
    if (!clip) return;
    const grid = find(".gallery-grid"), top = grid.getBoundingClientRect().top + scrollY + Math.floor(at / columns) * rowHeight;
    if (top < scrollY || top + rowHeight > scrollY + innerHeight) scrollTo(0, top - (innerHeight - rowHeight) / 2);
    paint();
    cards.get(clip.id)?.querySelector(".gallery-open").focus({ preventScroll: true });
  }

  const WAYS = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -columns, ArrowDown: () => columns };
  document.addEventListener("keydown", (event) => {
    if (!here || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = WAYS[event.key]?.(), target = event.target;
    if (current) {
      if (target.matches("video, pre, input")) return;
      if (Math.abs(way) === 1) step(way);
      else if (event.key === "Delete" && !filter.trash && find_clip(current)?.here) takeOff("trash", current);
    } else if (target.matches?.(".gallery-open")) {
      const id = target.parentNode.dataset.clip, at = clips.findIndex((clip) => clip.id === id);
      if (way) { event.preventDefault(); focusCard(Math.max(0, Math.min(clips.length - 1, at + way))); }
      else if (event.key === "Delete" && !filter.trash && clips[at].here) takeOff("trash", id);
    }
  });

  // ---- small things --------------------------------------------------------------------------------------
  function made(tag, classes) {
    return Object.assign(element(tag, ""), { className: classes });
  }

  function put(place, selector, words) {
    const line = place.querySelector(selector);
    if (line.textContent !== (words || "")) line.textContent = words || "";
  }

  new MutationObserver(() => {
    const search = find(".gallery-search");
    if (search) search.placeholder = text("page.gallery.search");
    loaded = false;
    if (here) reset();
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });

  window.studio.gallery = {
    clip: find_clip,
    rated: (id, rating) => { const clip = find_clip(id); if (clip) { clip.rating = rating; paint(); } },
  };

  join("gallery", {
    painters: {
      gallery: paintPage,
      gallery_news: paintNews,
      gallery_clip: paintDetails,
      gallery_around: paintAround,
      gallery_done: paintDone,
      gallery_again: reset,
      gallery_heard: heard,
    },
    enter: () => {
      here = true;
      measure();
      if (!loaded) return reset();
      paint();
      scrollTo(0, scrolled);
      paint();
    },
    leave: () => {
      scrolled = scrollY;
      if (current) close();
      here = false;
      stop();
    },
  });
})();
