// Paints what the studio says onto the page. Knows no settings and makes no decisions:
// Python sends a "view" after every event, and each part of it has one painter here.
// Rooms (queue.js, gallery.js) and parts of Animate's (studio_picture.js, studio_player.js) join with
// window.studio.join(name, {painters, heard, enter, leave}).
window.studio = (() => {
  const find = (selector) => document.querySelector(selector);
  const text = (code) => (window.STUDIO_WORDS[state.language] || window.STUDIO_WORDS.en)[code] || code;
  const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const state = { language: "en", clip: null, recent: [], job: null, busy: false, heard: 0, clips: {} };
  const bridges = {}, rooms = {};  // by name; each room sends on its own

  // ---- words -------------------------------------------------------------------------------
  function speak() {
    document.documentElement.lang = state.language;
    for (const part of document.querySelectorAll("[data-t]")) part.textContent = text(part.dataset.t);
    for (const part of document.querySelectorAll("[data-label]")) {
      part.setAttribute("aria-label", text(part.dataset.label));
      if (part.matches("button, a")) part.title = text(part.dataset.label);
    }
    find("#dice button, button#dice")?.setAttribute("title", text("page.button.dice"));
    find("#prompt-note")?.removeAttribute("aria-hidden");
  }

  // ---- one painter for each part of a view ---------------------------------------------------
  const painters = {
    language: (language) => { state.language = language; speak(); },
    errors: paintErrors,
    prompt_note: (sentence) => put(".prompt-note", sentence),
    promise: (sentence) => put(".promise", sentence),
    rounded: (notes) => find(".rounded")?.replaceChildren(...notes.map((note) => element("li", note))),
    gauge: (html) => { const place = find(".gauge"); if (place && place.innerHTML !== html) place.innerHTML = html; },
    offer: paintOffer,
    counts: paintCounts,
    notice: paintNotice,
    ready: () => document.body.classList.add("is-ready"),
  };

  function show(view) {
    if (!view || typeof view !== "object") return;
    state.heard = Date.now();
    document.body.classList.remove("is-away");
    if (view.framed_for && isLate(view)) return;
    if (view.timed_for && differs(view.timed_for)) { delete view.promise; delete view.beside; }
    for (const name of Object.keys(painters)) if (name in view) painters[name](view[name], view);
    for (const room of Object.values(rooms)) room.heard?.(view);
    if (view.pressed && matchMedia("(max-width: 900px)").matches) find(".stage")?.scrollIntoView({ behavior: "smooth" });
    arrange();
  }

  function isLate({ picture, framed_for }) {  // answers do not always come in the order of their questions
    return (picture && state.shown && picture.bytes !== state.shown.bytes) || differs(framed_for);
  }

  function differs(fields) {
    return Object.entries(fields).some(([name, asked]) => {
      const now = find(`#field-${name} :is(input[type=radio]:checked, input:not([type=radio]), textarea)`);
      return now && (typeof asked === "number" ? Number(now.value) !== asked : now.value !== (asked ?? ""));
    });
  }

  function arrange() {  // what the stage shows: a preview, that one is waited for, a clip, or a welcome
    const stage = find(".stage");
    if (!stage) return;
    const image = stage.querySelector(".preview");
    if (!state.busy) delete image.dataset.src;
    const mode = state.busy ? (image.dataset.src ? "preview" : "waiting") : state.clip ? "clip" : "welcome";
    document.body.dataset.mode = mode;
    for (const [name, part] of [["preview", ".preview"], ["waiting", ".waiting"], ["clip", ".player"], ["welcome", ".welcome"]])
      stage.querySelector(part).hidden = mode !== name;
    stage.querySelector(".transport").hidden = mode !== "clip";
    stage.querySelector(".running").hidden = !state.busy;
    if (mode !== "clip") stage.querySelector(".player").pause();
    find(".clip").hidden = !state.clip;
  }

  // ---- the rooms -----------------------------------------------------------------------------
  function go(name) {
    const before = document.body.dataset.room || "animate";
    if (name === before) return;
    rooms[before]?.leave?.();
    document.body.dataset.room = name;
    for (const link of document.querySelectorAll(".rooms [data-room]"))
      link.toggleAttribute("aria-current", link.dataset.room === name);
    if (name !== "animate") find(".player").pause();
    window.scrollTo(0, 0);
    rooms[name]?.enter?.();
  }

  function join(name, { painters: more = {}, ...room }) {
    rooms[name] = room;
    Object.assign(painters, more);
  }

  function send(name, event, data) { bridges[name]?.send(event, data || {}); }

  function paintCounts(counts) {  // such as {queue: 3}: how much is waiting in a room
    for (const [name, number] of Object.entries(counts)) {
      const badge = find(`.rooms [data-room="${name}"] .count`);
      if (!badge) continue;
      badge.hidden = !number;
      badge.textContent = number;
    }
  }

  let noticed = null;
  function paintNotice(sentence) {  // one line that goes by itself, for what has no place of its own
    const line = find(".notice");
    clearTimeout(noticed);
    put(".notice", sentence || "");
    line.hidden = !sentence;
    if (sentence) noticed = setTimeout(() => (line.hidden = true), 8000);
  }

  // ---- what is wrong, beside what it is about --------------------------------------------------
  function showProblem(place, sentence) {
    if (!place) return;
    let line = place.querySelector(":scope > .problem");
    if (!sentence) {
      line?.remove();
      place.classList.remove("has-problem");
      return;
    }
    if (!line) {
      line = element("p", "");
      line.className = "problem";
      line.setAttribute("role", "alert");
      place.append(line);
    }
    if (line.textContent !== sentence) line.textContent = sentence;
    place.classList.add("has-problem");
  }

  function paintErrors(errors) {
    for (const field of document.querySelectorAll(".field.has-problem")) {
      const name = Object.keys(errors).find((key) => fieldId(key) === field.id);
      if (!name) showProblem(field, null);
    }
    for (const [name, sentence] of Object.entries(errors)) {
      if (!name) continue;
      const show = () => showProblem(find("#" + CSS.escape(fieldId(name))), sentence);
      const field = find("#" + CSS.escape(fieldId(name)));
      if (field?.offsetParent) show();
      else {  // it is folded away, and Gradio draws it only when it is opened
        find("#more > button")?.click();
        setTimeout(show, 150);
      }
    }
    put(".form-error", errors[""] || "");
  }
  const fieldId = (name) => "field-" + name.replace(/[._]/g, "-");

  // ---- Generate ------------------------------------------------------------------------------
  function holdGenerate() {
    const generate = find("#generate");
    if (generate) generate.disabled = !!(state.sending || state.pressed);
  }

  function press() {  // a double click is one press; the next one is another clip for the queue
    if (state.pressed) return false;
    state.pressed = setTimeout(() => { state.pressed = null; holdGenerate(); }, 1000);
    holdGenerate();
    return true;
  }

  // ---- what this machine can do ------------------------------------------------------------------
  function paintOffer(offer) {
    const place = find(".offer");
    if (!place) return;
    place.hidden = !offer;
    if (!offer) return;
    put(".offer-text", offer.text);
    const more = find(".offer-more");
    more.classList.toggle("is-bad", !!offer.bad);
    if (more.dataset.shown !== (offer.more || "") + state.language) {
      more.dataset.shown = (offer.more || "") + state.language;
      more.textContent = (offer.more || "") + " ";
      if (offer.link) {
        const link = element("a", offer.link_text);
        Object.assign(link, { href: offer.link, target: "_blank", rel: "noreferrer" });
        more.append(link);
      }
    }
    const track = place.querySelector(".track");
    track.hidden = offer.percent === undefined;
    if (!track.hidden) track.firstElementChild.style.width = offer.percent + "%";
    const button = place.querySelector(".get");
    button.hidden = !offer.button;
    button.textContent = offer.button || "";
  }

  // ---- small things ----------------------------------------------------------------------------------
  function element(tag, words) {
    const made = document.createElement(tag);
    made.textContent = words;
    return made;
  }
  const made = (tag, classes) => Object.assign(element(tag, ""), { className: classes });
  function write(place, selector, words) {  // only what differs, so that nothing blinks or is read out again
    const line = place.querySelector(selector);
    if (line && line.textContent !== (words || "")) line.textContent = words || "";
  }
  const put = (selector, words) => write(document, selector, words);

  // ---- hands ---------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest?.(selector);
    if (on(".rooms [data-room]")) go(on(".rooms [data-room]").dataset.room);
    else if (on(".again")) { if (press()) send("animate", "again", { clip: state.clip.id }); }
    else if (on("#generate")) press();
    else if (on(".get")) send("animate", "get");
  });

  document.addEventListener("visibilitychange", () => { if (state.heard) state.heard = Date.now(); });  // hidden pages hear little
  setInterval(() => {  // the page says so itself when nobody answers any more
    if (!state.heard || document.hidden) return;
    const away = Date.now() - state.heard > 8000;
    document.body.classList.toggle("is-away", away);
    document.body.dataset.away = away ? text("page.error.away") : "";
  }, 1000);

  return {
    show, arrange, join, go, send, text, fill, element, made, write, put, state, rooms, showProblem, holdGenerate,
    upload: (file) => bridges.animate.upload(file),
    connect: (name, bridge) => {
      bridges[name] = bridge;
      if (name === "animate") speak();
    },
  };
})();
