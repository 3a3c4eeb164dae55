// The Queue page: rows that stay in place while their words change, and what their buttons ask.
// One question at a time, in the order of the presses; every answer brings the whole page.
(() => {
  const { text, element, write: put, join, send, go } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const LOOK_MS = 1000, IDLE_MS = 3000, PATIENCE_MS = 8000;
  let here = false, shown = null, dragged = null, hidden = null;

  const BUTTONS = {
    running: ["cancel"],
    waiting: ["top", "up", "down", "edit", "duplicate", "remove"],
    failed: ["retry", "remove"],
    done: ["watch", "duplicate", "remove"],
  };
  const WORDS = ["cancel", "edit", "retry", "watch"];  // the others are icons

  const again = () => (here ? (document.hidden || !shown?.busy ? IDLE_MS : LOOK_MS) : null);
  const { ask, act, goOn, stopLooking } = window.studio.asking("queue", { patience: PATIENCE_MS, again });

  // ---- painting ------------------------------------------------------------------------------
  function paintQueue(queue) {
    shown = { ...queue, busy: queue.groups.some((group) => group.total && ["running", "waiting"].includes(group.name)) };
    if (!dragged) paint();
    goOn();
  }

  function paint() {
    const focused = document.activeElement?.closest?.(".queue [data-act]");
    const held = focused && [focused.closest("[data-job]")?.dataset.job, focused.dataset.act];
    const room = find(".queue");
    put(room, ".queue-summary", shown.summary);
    put(room, ".queue-blocked", shown.blocked);
    room.querySelector(".queue-blocked").hidden = !shown.blocked;
    room.querySelector(".queue-paused").hidden = !shown.paused;
    room.querySelector("[data-act=pause]").hidden = shown.paused || !shown.is_owner;
    room.querySelector("[data-act=resume]").hidden = !shown.paused || !shown.is_owner;
    room.querySelector(".queue-empty").hidden = shown.groups.some((group) => group.total);
    for (const group of shown.groups) paintGroup(room.querySelector(`[data-group=${group.name}]`), group);
    if (held && (document.activeElement === document.body || focused.disabled)) focusAgain(room, ...held);
  }

  function paintGroup(section, group) {
    section.hidden = !group.total;
    put(section, ".queue-total", group.total > 1 ? String(group.total) : "");
    put(section, ".queue-more", group.more);
    section.querySelector("[data-act=clear]").hidden = !["failed", "done"].includes(group.name);
    section.querySelector("[data-act=retry_failed]").hidden = group.name !== "failed" || shown.failed < 2;
    const list = section.querySelector("ol");
    const rows = Object.fromEntries([...list.children].map((row) => [row.dataset.job, row]));
    group.rows.forEach((job, at) => {
      const row = rows[job.id] || makeRow(job, group.name);
      delete rows[job.id];
      paintRow(row, job, at, group.rows.length);
      if (list.children[at] !== row) list.insertBefore(row, list.children[at] || null);
    });
    for (const row of Object.values(rows)) row.remove();
  }

  function makeRow(job, group) {
    const row = element("li", "");
    row.dataset.job = job.id;
    row.draggable = group === "waiting";
    if (row.draggable) row.append(Object.assign(element("span", ""), { className: "queue-grip" }));
    const image = Object.assign(element("img", ""), { alt: "", loading: "lazy", width: 72, height: 48, draggable: false });
    const about = Object.assign(element("div", ""), { className: "queue-about" });
    for (const name of ["title", "facts", "prompt", "line"])
      about.append(Object.assign(element("p", ""), { className: `queue-${name}` }));
    const track = Object.assign(element("div", ""), { className: "track" });
    track.append(element("i", ""));
    about.append(track);
    const buttons = Object.assign(element("div", ""), { className: "queue-buttons" });
    const compare = Object.assign(element("button", ""), { type: "button", className: "icon queue-compare" });
    compare.dataset.compare = "";
    buttons.append(compare, ...BUTTONS[group].map(makeButton));
    row.append(image, about, Object.assign(element("p", ""), { className: "queue-eta" }), buttons);
    return row;
  }

  function makeButton(name) {
    const button = element("button", "");
    button.type = "button";
    button.dataset.act = name;
    button.className = WORDS.includes(name) ? "button quiet" : "icon";
    return button;
  }

  function paintRow(row, job, at, all) {
    const image = row.querySelector("img");
    if (image.getAttribute("src") !== job.picture) image.src = job.picture;
    for (const name of ["title", "facts", "prompt", "line", "eta"]) put(row, `.queue-${name}`, job[name]);
    row.querySelector(".queue-line").classList.toggle("is-bad", job.status === "failed");
    const track = row.querySelector(".track"), runs = job.status === "running";
    track.hidden = !runs;
    track.firstElementChild.style.width = job.percent + "%";
    Object.assign(row.dataset, { clip: job.clip || "", frames: job.frames });
    for (const button of row.querySelectorAll("[data-act]")) paintButton(button, job, at, all);
    const compare = row.querySelector("[data-compare]");
    compare.hidden = !job.comparison;
    compare.dataset.compare = job.comparison || "";
    compare.title = text("page.compare.see");
    compare.setAttribute("aria-label", `${compare.title}: ${job.title}`);
    const grip = row.querySelector(".queue-grip");
    if (grip) grip.title = text("page.queue.drag");
  }

  function paintButton(button, job, at, all) {
    const name = button.dataset.act, words = text(`page.queue.act.${name}`);
    if (WORDS.includes(name)) button.textContent = words;
    else button.title = words;
    button.setAttribute("aria-label", `${words}: ${job.title}`);
    const last = at === all - 1 && !shown.groups.find((group) => group.name === "waiting").more;
    button.disabled = (["up", "top"].includes(name) && at === 0) || (name === "down" && last) || (name === "watch" && !job.clip);
  }

  function focusAgain(room, job, name) {  // a row that moved keeps the focus that was on it
    const buttons = room.querySelectorAll(job ? `[data-job="${job}"] [data-act]` : `[data-act=${name}]`);
    const same = [...buttons].find((button) => button.dataset.act === name && !button.disabled);
    (same || [...buttons].find((button) => !button.disabled))?.focus();
  }

  function paintKept(sentence) {
    put(find(".queue"), ".queue-kept", sentence);
    goOn();
  }

  function paintRemoved(sentence) {  // what was taken off the list can be put back for a while
    const line = find(".queue-removed");
    clearTimeout(hidden);
    line.hidden = !sentence;
    put(line, "span", sentence);
    if (sentence) hidden = setTimeout(() => (line.hidden = true), 12000);
  }

  // ---- what Animate says of the queue ----------------------------------------------------------
  function paintPaused(paused) {
    const place = find(".standing");
    place.hidden = !paused;
    place.querySelector("button").hidden = !paused?.may_resume;
  }

  function paintEditing(editing) {
    find(".editing").hidden = !editing;
    put(find(".editing"), "p", editing?.line);
  }

  // ---- watching ------------------------------------------------------------------------------
  function watch({ clip, frames }) {
    const dialog = find(".queue-player"), video = dialog.querySelector("video");
    video.dataset.frames = frames;
    video.src = `/media/${encodeURIComponent(clip)}`;
    video.onerror = () => { dialog.close(); window.studio.show({ notice: text("page.queue.clip_gone") }); };
    dialog.querySelector("a").href = `${video.getAttribute("src")}/download`;
    dialog.showModal();
    video.play().catch(() => {});
  }

  // ---- hands ------------------------------------------------------------------------------
  const GIVEN = {
    up: (job) => act("shift", { job, way: "up" }),
    down: (job) => act("shift", { job, way: "down" }),
    top: (job) => act("shift", { job, way: "top" }),
    edit: (job) => { go("animate"); send("animate", "edit", { job }); },
    leave: () => send("animate", "leave"),
    go: () => go("animate"),
    clear: (job, button) => act("clear", { group: button.closest("[data-group]").dataset.group }),
    watch: (job, button) => watch(button.closest("[data-job]").dataset),
    close: () => find(".queue-player").close(),
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#room-queue [data-act], #queue-state [data-act]");
    if (!button) return;
    const job = Number(button.closest("[data-job]")?.dataset.job);
    (GIVEN[button.dataset.act] || ((number) => act(button.dataset.act, number ? { job: number } : {})))(job, button);
  });
  document.addEventListener("close", (event) => {
    if (!event.target.matches?.(".queue-player")) return;
    const video = event.target.querySelector("video");
    video.onerror = null;
    video.removeAttribute("src");
    video.load();
  }, true);

  // ---- dragging ------------------------------------------------------------------------------
  const rowAt = (event) => event.target.closest?.(".queue-group[data-group=waiting] [data-job]");
  document.addEventListener("dragstart", (event) => {
    dragged = rowAt(event);
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.job);
    dragged.classList.add("is-dragged");
  });
  document.addEventListener("dragover", (event) => {
    const row = dragged && rowAt(event);
    if (!row) return;
    event.preventDefault();
    const box = row.getBoundingClientRect();
    if (row !== dragged) row.parentNode.insertBefore(dragged, event.clientY < box.top + box.height / 2 ? row : row.nextSibling);
  });
  document.addEventListener("drop", (event) => { if (dragged) event.preventDefault(); });
  document.addEventListener("dragend", (event) => {
    if (!dragged) return;
    const row = dragged, job = Number(row.dataset.job);
    dragged = null;
    row.classList.remove("is-dragged");
    const was = shown.groups.find((group) => group.name === "waiting").rows.findIndex((one) => one.id === job);
    const behind = Number(row.previousElementSibling?.dataset.job), before = Number(row.nextElementSibling?.dataset.job);
    if (event.dataTransfer.dropEffect === "none" || [...row.parentNode.children].indexOf(row) === was) paint();
    else act("move", behind ? { job, behind } : { job, before });
  });

  join("queue", {
    painters: { queue: paintQueue, removed: paintRemoved, kept: paintKept, paused: paintPaused, editing: paintEditing, room: go },
    enter: () => { here = true; ask("look"); ask("kept"); },
    leave: () => { here = false; stopLooking(); paintRemoved(""); },
  });
})();
