// Variants side by side: one play, pause and scrub for all. One clip leads, the others keep up (abreast.js).
(() => {
  const { text, fill, element, made, write, send, go, join } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const part = (selector) => find(".compare").querySelector(selector);
  const LOOK_MS = 1000, IDLE_MS = 4000, PATIENCE_MS = 8000;
  let shown = null, wanted = null, here = false;
  const again = () => (here && wanted ? (shown?.waits && !document.hidden ? LOOK_MS : IDLE_MS) : null);
  const whole = (data) => ({ comparison: wanted, ...data });
  const { ask, act, goOn, forget: askNoMore, holds } = window.studio.asking("compare", { patience: PATIENCE_MS, again, whole });
  const players = window.studio.players({ room: () => find(".compare"), frames: () => shown?.frames || 0, isHere: () => here, paint: paintBar });
  let chosen = null, offered = null;

  // ---- asking ----------------------------------------------------------------------------------
  function open(id) {
    wanted = id;
    if (shown?.id !== id) forget();
    history.replaceState(null, "", `#variants-${encodeURIComponent(id)}`);
    document.querySelector("dialog[open]")?.close();
    go("compare");
    ask("look");
  }

  function paintComparison(view, whole) {
    if (whole.room === "compare") open(view.id);  // just begun; it was not asked for here
    const isNews = view.id === wanted && !holds("act");  // else it shows what was before
    if (isNews) {
      shown = view;
      paint();
    }
    if (whole.room !== "compare") goOn();
  }

  // ---- painting ----------------------------------------------------------------------------------
  function paint() {
    const ready = readyTiles();
    put(".compare-title", shown.title ? fill(text("page.compare.title"), shown) : "");
    put(".compare-summary", shown.tiles.length ? shown.summary : "");
    put(".compare-blocked", shown.blocked || "");
    part(".compare-blocked").hidden = !shown.blocked;
    part(".compare-empty").hidden = !!shown.tiles.length;
    part(".compare-bar").hidden = !ready.length;
    const stop = part("[data-variant=stop]");
    if (stop === document.activeElement && !shown.waits) part(".compare-title").focus();
    stop.hidden = !shown.waits;
    const grid = part(".compare-grid"), rows = Object.fromEntries([...grid.children].map((row) => [row.dataset.job, row]));
    grid.style.setProperty("--columns", shown.columns);
    grid.style.setProperty("--frame", shown.shape);
    shown.tiles.forEach((tile, at) => {
      const row = rows[tile.job] || makeTile(tile);
      delete rows[tile.job];
      paintTile(row, tile, at);
      if (grid.children[at] !== row) grid.insertBefore(row, grid.children[at] || null);
    });
    for (const row of Object.values(rows)) { players.unload(row); row.remove(); }
    if (!ready.some((tile) => tile.job === chosen)) chosen = ready.length ? ready[0].job : null;
    paintChosen();
    players.repaint();
  }

  const readyTiles = () => (shown?.tiles || []).filter((tile) => tile.state === "clip");
  const rowOf = (job) => part(`.compare-grid > [data-job="${job}"]`);

  function makeTile(tile) {
    const row = made("li", "compare-tile"), pick = made("button", "compare-pick"), track = made("div", "track");
    row.dataset.job = tile.job;
    pick.type = "button";
    pick.append(Object.assign(made("img", ""), { alt: "", decoding: "async", draggable: false }));
    track.append(element("i", ""));
    const about = made("div", "compare-about"), retry = made("button", "link");
    Object.assign(retry, { type: "button" }).dataset.variant = "retry";
    about.append(made("p", "compare-line"), track, retry);
    const caption = made("div", "compare-caption");
    caption.append(made("span", "compare-number"), made("p", "compare-label"), made("i", "compare-star"));
    row.append(pick, about, caption);
    return row;
  }

  function paintTile(row, tile, at) {
    row.dataset.state = tile.state;
    row.classList.toggle("is-kept", !!tile.starred);
    write(row, ".compare-number", String(at + 1));
    write(row, ".compare-label", tile.label);
    row.querySelector(".compare-caption").title = tile.label;
    write(row, ".compare-line", tile.line);
    const track = row.querySelector(".track"), retry = row.querySelector("[data-variant=retry]");
    track.hidden = tile.state !== "running";
    track.firstElementChild.style.width = `${tile.percent || 0}%`;
    retry.hidden = tile.state !== "failed";
    write(row, "[data-variant=retry]", text("page.compare.retry"));
    const pick = row.querySelector(".compare-pick");
    pick.disabled = tile.state !== "clip";
    pick.setAttribute("aria-label", fill(text("page.compare.pick"), { n: at + 1, label: tile.label }));
    paintStill(row.querySelector("img"), tile.poster);
    if (tile.state === "clip") players.load(row.querySelector(".compare-pick"), tile);
    else players.unload(row);
  }

  function paintStill(image, src) {  // swapped only when it is whole, so that nothing blinks
    if (!src || image.dataset.src === src) return;
    image.dataset.src = src;
    const fresh = new Image();
    fresh.onload = () => { if (image.dataset.src === src) image.src = src; };
    fresh.src = src;
  }

  function paintChosen() {
    for (const row of part(".compare-grid").children) {
      const is = Number(row.dataset.job) === chosen;
      row.classList.toggle("is-chosen", is);
      row.querySelector(".compare-pick").setAttribute("aria-pressed", String(is));
    }
    const tile = readyTiles().find((one) => one.job === chosen), keep = part("[data-variant=keep]");
    part(".compare-chosen").hidden = !tile;
    if (!tile) return;
    put(".compare-name", `${shown.tiles.indexOf(tile) + 1} · ${tile.label}`);
    part(".compare-name").title = tile.label;
    keep.setAttribute("aria-pressed", String(tile.starred));
    write(part(".compare-chosen"), "[data-variant=keep]", text(tile.starred ? "page.compare.kept" : "page.compare.keep"));
  }

  // ---- the bar below the players ------------------------------------------------------------------
  function paintBar({ held, playing }) {
    part(".compare-play").classList.toggle("is-playing", playing);
    const scrub = part(".compare-scrub"), last = Math.max(1, (shown?.frames || 2) - 1);
    const words = fill(text("page.player.frame"), { n: held + 1, all: shown?.frames || 0 });
    if (scrub.max !== String(last)) scrub.max = last;
    if (scrub.value !== String(held)) scrub.value = held;
    scrub.style.setProperty("--fill", `${(100 * held) / last}%`);
    scrub.setAttribute("aria-valuetext", words);
    put(".compare-counter", words);
  }

  function forget() {
    shown = chosen = offered = null;
    players.forget();
    for (const row of [...part(".compare-grid").children]) { players.unload(row); row.remove(); }
    for (const name of [".compare-title", ".compare-summary"]) put(name, "");
    for (const name of [".compare-bar", ".compare-empty", ".compare-offer", "[data-variant=stop]"]) part(name).hidden = true;
  }

  // ---- keep the best --------------------------------------------------------------------------------
  function choose(job, focus) {
    if (!readyTiles().some((tile) => tile.job === job)) return;
    chosen = job;
    paintChosen();
    if (focus) rowOf(job).querySelector(".compare-pick").focus();
  }

  function keep() {
    const tile = readyTiles().find((one) => one.job === chosen);
    tile.starred = !tile.starred;
    rowOf(chosen).classList.toggle("is-kept", tile.starred);
    paintChosen();
    const others = readyTiles().filter((one) => !one.starred).length;
    if (tile.starred && others) offer(fill(text("page.compare.others"), { n: others }), ["throw", "dismiss"]);
    else offer("");
    act(tile.starred ? "star" : "unstar", { clip: tile.clip });
  }

  function offer(sentence, buttons = []) {
    const line = part(".compare-offer");
    if (line.contains(document.activeElement)) part("[data-variant=keep]").focus();
    put(".compare-offer span", sentence);
    for (const button of line.querySelectorAll("button")) button.hidden = !buttons.includes(button.dataset.variant);
    line.hidden = !sentence;
  }

  function throwOthers() {
    offer("");
    for (const tile of readyTiles()) if (!tile.starred) players.unload(rowOf(tile.job));  // Windows moves no file that plays
    act("throw");
  }

  function paintDone(done) {
    if (done.what === "throw" && done.clips.length) {
      offered = done.clips;
      offer(done.said, ["undo", "dismiss"]);
    } else if (done.what === "undo") offer("");
  }

  function use() {
    const tile = readyTiles().find((one) => one.job === chosen);
    send("animate", "recall", { clip: tile.clip, what: "all" });
    go("animate");
  }

  // ---- hands ---------------------------------------------------------------------------------------
  const DO = {
    play: players.toggle,
    back: () => players.step(-1),
    on: () => players.step(1),
    keep,
    use,
    throw: throwOthers,
    undo: () => act("undo", { clips: offered }),
    dismiss: () => offer(""),
    stop: () => act("stop"),
    go: () => go("animate"),
    retry: (button) => act("retry", { job: Number(button.closest("[data-job]").dataset.job) }),
  };

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest?.(selector);
    if (on("[data-compare]")) open(on("[data-compare]").dataset.compare);
    else if (on("[data-variant]")) DO[on("[data-variant]").dataset.variant](on("[data-variant]"));
    else if (on(".compare-pick")) choose(Number(on("[data-job]").dataset.job));
    else if (on("[data-rate]")) {
      players.hurry(Number(on("[data-rate]").dataset.rate));
      for (const button of part(".compare-rates").children) button.setAttribute("aria-pressed", String(button === on("[data-rate]")));
    }
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.(".compare-scrub")) return;
    players.seek(Number(event.target.value));
  });
  document.addEventListener("keydown", (event) => {
    if (!here || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open], .menu")) return;
    const target = event.target, tile = target.closest?.(".compare-pick");
    if (target.matches?.("input, textarea, select")) return;
    const ways = { ArrowLeft: -1, ArrowRight: 1 }, digit = /^[0-9]$/.test(event.key) && (Number(event.key) + 9) % 10;
    if (event.key in ways) players.step(ways[event.key]);
    else if (event.key === " " && (tile || !target.closest?.("button, a"))) players.toggle();  // Enter chooses a clip
    else if (digit !== false && shown?.tiles[digit]) choose(shown.tiles[digit].job, true);
    else return;
    event.preventDefault();
  });
  document.addEventListener("keyup", (event) => {
    if (here && event.key === " " && event.target.matches?.(".compare-pick")) event.preventDefault();
  });

  // ---- small things -----------------------------------------------------------------------------------
  const put = (selector, words) => write(find(".compare"), selector, words);

  function ready() {  // a page that was loaded again comes back to its variants
    const asked = /^#variants-([\w%-]{1,60})$/.exec(location.hash);
    if (asked && !wanted) open(decodeURIComponent(asked[1]));
  }
  new MutationObserver(() => { if (here) ask("look"); }).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });

  join("compare", {
    painters: { comparison: paintComparison, compared: paintDone },
    heard: (view) => { if (view.ready) ready(); },
    enter: () => { here = true; part(".compare-title").focus({ preventScroll: true }); },
    leave: () => {
      here = false;
      askNoMore();
      history.replaceState(null, "", location.pathname + location.search);
      forget();
      wanted = null;
    },
  });
})();
