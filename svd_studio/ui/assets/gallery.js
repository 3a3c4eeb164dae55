// The Gallery page. The list may hold ten thousand clips: only the rows in sight are on the page, the others are
// numbers. One question at a time goes to Python, and every answer carries its number back as gallery_heard.
(() => {
  const { text, fill, element, write: put, join } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const NEWS_MS = 3000, PATIENCE_MS = 8000, TYPING_MS = 200, UNDO_MS = 10000;
  const filter = { words: "", engine: "", starred: false, trash: false, best: false, rated: 0 };
  let fresh = [], more = false, around = {}, mark = null, scrolled = 0, thrown = [];

  // What its parts share: the rows in sight (gallery_grid.js), a clip under the pointer (gallery_sample.js) and one
  // that is open (gallery_clip.js) add what they can do.
  const gallery = (window.studio.gallery = {
    filter, clips: [], loaded: false, here: false, current: null,
    clip: (id) => gallery.clips.find((clip) => clip.id === id),
    rated: (id, rating) => { const clip = gallery.clip(id); if (clip) { clip.rating = rating; gallery.paint(); } },
    ask, loadMore, settle, takeOff, paintEmpty,
  });

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
    looking = ask("look", { ...filter, after: gallery.clips[gallery.clips.length - 1].cursor }, true);
  }

  function paintPage(page) {
    if (page.number !== looking) return;  // the filter was changed meanwhile
    looking = 0;
    if ("mark" in page) {
      gallery.clips = page.clips;
      fresh = [];
      mark = page.mark;
      gallery.loaded = true;
      paintEngines(page.engines);
    } else add(page.clips);
    more = page.more;
    find(".gallery-loading").hidden = true;
    paintAround(page);
    gallery.paint();
  }

  function add(some) {  // each in its place, once
    const known = new Set(gallery.clips.map((clip) => clip.id));
    gallery.clips.push(...some.filter((clip) => !known.has(clip.id)));
    const order = (a, b) => b.cursor[0] - a.cursor[0] || (b.cursor[1] > a.cursor[1] ? 1 : -1);
    gallery.clips.sort(order);
  }

  // ---- what is new -----------------------------------------------------------------------------
  setInterval(() => {
    if (gallery.here && gallery.loaded && !document.hidden && !waiting) ask("news", { ...filter, mark, shown: inSight() });
  }, NEWS_MS);

  const inSight = () => [...new Set([...gallery.cards.keys(), ...(gallery.current ? [gallery.current] : [])])];

  function paintMarks(marks) {  // given in another window; what was pressed here meanwhile comes with the next news
    if (asked.length) return;
    for (const [id, [rating, starred]] of Object.entries(marks)) {
      window.studio.hearRating(id, rating);
      const clip = gallery.clip(id);
      if (!clip || clip.starred === starred) continue;
      clip.starred = starred;
      gallery.paintStars(clip);
    }
  }

  function paintNews(news) {
    mark = news.mark;
    paintMarks(news.marks);
    const known = new Set([...gallery.clips, ...fresh].map((clip) => clip.id));
    fresh.push(...news.clips.filter((clip) => !known.has(clip.id)));
    if ("summary" in news) paintAround(news);
    settle();
  }

  function settle() {  // new clips come in by themselves only where that moves nothing that is looked at
    const grid = find(".gallery-grid");
    const looks = scrollY > 40 || gallery.current || grid.matches(":hover") || grid.contains(document.activeElement);
    if (fresh.length && !looks) comeIn();
    const line = find(".gallery-new");
    line.hidden = !fresh.length;
    line.textContent = fill(text("page.gallery.new"), { n: fresh.length });
  }

  function comeIn() {
    add(fresh);
    fresh = [];
    gallery.paint();
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
    const box = find(".gallery-empty"), empty = gallery.loaded && !gallery.clips.length && !looking;
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

  // ---- doing -----------------------------------------------------------------------------------------
  const act = (what, ids, data) => ask("act", { what, clips: ids, ...data });

  function star(id) {
    const clip = gallery.clip(id);
    clip.starred = !clip.starred;
    gallery.paintStars(clip);
    act(clip.starred ? "star" : "unstar", [id]);
  }

  function takeOff(what, id) {  // trash, restore and forget all take a clip off this list; the next one takes its place
    const at = gallery.clips.findIndex((clip) => clip.id === id);
    if (at < 0) return;
    const [clip] = gallery.clips.splice(at, 1);
    gallery.stop();
    if (what === "trash") thrown.push(clip);
    const focused = gallery.cards.get(id)?.contains(document.activeElement);
    const next = gallery.clips[Math.min(at, gallery.clips.length - 1)];
    if (gallery.current === id) next ? gallery.open(next.id) : gallery.close();  // first: a file that plays cannot be moved on Windows
    act(what, [id]);
    gallery.paint();
    if (focused && next) gallery.focusCard(gallery.clips.indexOf(next));
    if (what === "restore") window.studio.show({ notice: fill(text("page.gallery.did.restore"), clip) });
  }

  let undoing = null;
  function paintDone(done) {
    if ("emptied" in done) {
      window.studio.show({ notice: text("page.gallery.did.emptied") });
      reset();
    } else if (done.done?.what === "trash" && thrown.length) offerUndo();
    else if (done.done?.what === "restore" && !filter.trash) gallery.paint();
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
    gallery.paint();
    if (gallery.current === null) gallery.focusCard(gallery.clips.indexOf(last));
  }

  function recall(what) {
    const clip = gallery.current;
    gallery.close();
    window.studio.send("animate", "recall", { clip, what });
    window.studio.go("animate");
  }

  // ---- hands -------------------------------------------------------------------------------------------
  const DO = {
    star: (button) => star(gallery.cardAt({ target: button })?.dataset.clip || gallery.current),
    before: () => gallery.step(-1),
    after: () => gallery.step(1),
    close: () => gallery.close(),
    folder: () => ask("act", { what: "folder", clip: gallery.current }),
    trash: () => takeOff("trash", gallery.current),
    restore: () => takeOff("restore", gallery.current),
    forget: () => takeOff("forget", gallery.current),
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
    else if (on(".gallery-open")) gallery.held() || gallery.open(gallery.cardAt(event).dataset.clip);
    else if (on(".gallery-starred")) narrow({ starred: !filter.starred });
    else if (on(".gallery-trash")) narrow({ trash: !filter.trash });
    else if (on(".gallery-new")) { comeIn(); scrollTo(0, 0); find(".gallery-new").hidden = true; }
    else if (event.target.matches(".gallery-detail")) gallery.close();
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

  // ---- small things --------------------------------------------------------------------------------------
  new MutationObserver(() => {
    const search = find(".gallery-search");
    if (search) search.placeholder = text("page.gallery.search");
    gallery.loaded = false;
    if (gallery.here) reset();
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });

  join("gallery", {
    painters: {
      gallery: paintPage,
      gallery_news: paintNews,
      gallery_around: paintAround,
      gallery_done: paintDone,
      gallery_again: reset,
      gallery_heard: heard,
    },
    enter: () => {
      gallery.here = true;
      gallery.measure();
      if (!gallery.loaded) return reset();
      gallery.paint();
      scrollTo(0, scrolled);
      gallery.paint();
    },
    leave: () => {
      scrolled = scrollY;
      if (gallery.current) gallery.close();
      gallery.here = false;
      gallery.stop();
    },
  });
})();
