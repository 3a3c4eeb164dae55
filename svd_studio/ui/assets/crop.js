// The crop editor: the clip's frame over the whole picture, dragged, zoomed and moved by keys. What comes of it is
// written into three unseen fields of the form, so that memory, recall and Generate need to know nothing of it.
(() => {
  const { text, fill, join } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const FIELDS = { x: "focus-x", y: "focus-y", zoom: "crop-zoom" };
  const MOST_ENLARGED = 1.3, MOST_ZOOM = 4, STEP = 0.01, BIG_STEP = 0.1;
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  let frame = null;  // what Python says of it: size of the picture, width and height of the clip, fit, and the place
  let point = null;  // what the person looks at, which another shape keeps
  let sent = null;  // the place that Python has not confirmed yet: what it says of an older one is not believed
  let soft = "", hand = null;
  const fingers = new Map();

  const within = (value, low, high) => Math.min(high, Math.max(low, value));
  const tidy = (value) => Math.round(value * 1e4) / 1e4;
  const place = ({ x, y, zoom }) => ({ x, y, zoom });
  const same = (one, other) => !!one && !!other && Object.keys(FIELDS).every((key) => one[key] === other[key]);

  // ---- the sum: the same as crop_box in video/pictures.py -----------------------------------------
  function kept() {  // how much of the picture the frame holds, as parts of its sides
    const [width, height] = frame.size;
    const scale = Math.max(frame.width / width, frame.height / height) * frame.zoom;
    return { x: Math.min(frame.width / scale / width, 1), y: Math.min(frame.height / scale / height, 1) };
  }
  const centre = (part = kept()) => ({
    x: (1 - part.x) * frame.x + part.x / 2, y: (1 - part.y) * frame.y + part.y / 2,
  });
  function aim() {  // as near to the point as the picture's edges allow
    const part = kept();
    for (const side of ["x", "y"])
      if (part[side] < 1 - 1e-9) frame[side] = tidy(within((point[side] - part[side] / 2) / (1 - part[side]), 0, 1));
  }

  // ---- what Python says ----------------------------------------------------------------------------
  function paintFrame(view) {
    if (!view) { frame = sent = null; paint(); return; }
    const is_same = frame?.of === view.of;
    const is_old = is_same && (hand || (sent && Date.now() < sent.until && !same(view, sent)));
    const before = frame && place(frame);
    if (same(view, sent)) sent = null;
    frame = { ...view, ...(is_old ? before : {}) };
    if (is_same && same(frame, before)) {
      aim();
      if (!hand && !same(frame, before)) tell();
    } else point = centre();
    paint();
  }

  function paint() {
    const crops = frame?.fit === "crop", window_ = find(".crop-window");
    find(".crop").hidden = find(".zoom").hidden = !crops;
    find(".picture").classList.toggle("is-cropped", crops);
    warn();
    if (!crops) return;
    const part = kept(), [width, height] = frame.size;
    find(".crop").style.setProperty("--ratio", width / height);
    const sides = { left: (1 - part.x) * frame.x, top: (1 - part.y) * frame.y, width: part.x, height: part.y };
    for (const [name, value] of Object.entries(sides)) window_.style[name] = 100 * value + "%";
    const moves = { x: part.x < 1 - 1e-9, y: part.y < 1 - 1e-9 };
    find(".crop").style.touchAction = { 3: "none", 2: "pan-y", 1: "pan-x", 0: "pan-x pan-y" }[2 * moves.x + moves.y];
    find(".crop").classList.toggle("is-fixed", !moves.x && !moves.y);
    const range = find("#crop-zoom");
    range.value = frame.zoom;
    range.style.setProperty("--fill", (100 * (frame.zoom - 1)) / (MOST_ZOOM - 1) + "%");
    find(".zoom output").textContent = `${frame.zoom.toFixed(frame.zoom % 0.1 > 0.001 && frame.zoom % 0.1 < 0.099 ? 2 : 1)}×`;
  }

  function warn() {  // one thing at a time: what is enlarged is soft anyway
    const line = find(".picture-warning"), said = frame ? small() || soft : "";
    line.hidden = !said;
    if (line.textContent !== said) line.textContent = said;
  }

  function small() {
    const [width, height] = frame.size, { fit } = frame;
    const part = fit === "crop" ? kept() : { x: 1, y: 1 };
    const scales = [frame.width / (part.x * width), frame.height / (part.y * height)];
    if ((fit === "pad" ? Math.min : Math.max)(...scales) <= MOST_ENLARGED) return "";
    const values = { have: `${Math.round(part.x * width)} × ${Math.round(part.y * height)}` };
    values.clip = `${frame.width} × ${frame.height}`;
    return fill(text(fit === "crop" && frame.zoom > 1 ? "page.picture.zoomed" : "page.picture.small"), values);
  }

  // ---- what the person does ----------------------------------------------------------------------------
  function tell() {
    sent = { ...place(frame), until: Date.now() + 4000 };
    for (const [key, field] of Object.entries(FIELDS)) write(find(`#field-${field} input`), frame[key]);
  }
  function write(input, value) {  // Gradio hears of it as if it had been typed
    if (!input || input.value === String(value)) return;
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(input), "value").set.call(input, value);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function look(at, zoom = frame.zoom) {
    frame.zoom = tidy(within(zoom, 1, MOST_ZOOM));
    point = { x: at.x, y: at.y };
    aim();
    if (!hand) point = visible();
    paint();
  }
  function visible() {  // a side that cannot move keeps what was looked at before
    const part = kept(), now = centre(part);
    return { x: part.x < 1 - 1e-9 ? now.x : point.x, y: part.y < 1 - 1e-9 ? now.y : point.y };
  }
  function act(at, zoom) { look(at, zoom); tell(); }

  function grasp() {  // from where a finger moves on, or two
    const [one, other] = [...fingers.values()];
    hand = {
      before: hand?.before || place(frame), at: centre(), zoom: frame.zoom, middle: middle(),
      spread: other ? Math.hypot(one.x - other.x, one.y - other.y) : 0,
    };
  }
  function middle() {
    const all = [...fingers.values()];
    return { x: all.reduce((sum, one) => sum + one.x, 0) / all.length, y: all.reduce((sum, one) => sum + one.y, 0) / all.length };
  }
  function drag() {
    const box = find(".crop").getBoundingClientRect(), now = middle(), [one, other] = [...fingers.values()];
    const zoom = other && hand.spread ? hand.zoom * (Math.hypot(one.x - other.x, one.y - other.y) / hand.spread) : hand.zoom;
    look({ x: hand.at.x + (now.x - hand.middle.x) / box.width, y: hand.at.y + (now.y - hand.middle.y) / box.height }, zoom);
  }
  function release(event) {
    if (!fingers.delete(event.pointerId)) return;
    if (fingers.size) { grasp(); return; }
    hand = null;
    find(".crop").classList.remove("is-held");
    point = visible();
    tell();
  }

  document.addEventListener("pointerdown", (event) => {
    const crop = event.target.closest?.(".crop");
    if (!crop || !frame || event.button) return;
    event.preventDefault();
    find(".crop-window").focus({ preventScroll: true });
    crop.setPointerCapture(event.pointerId);
    crop.classList.add("is-held");
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    grasp();
  });
  document.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    drag();
  });
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, release);

  document.addEventListener("wheel", (event) => {  // the page scrolls on where the picture would be in its way
    const crop = event.target.closest?.(".crop");
    if (!crop || !frame || !(crop.contains(document.activeElement) || event.ctrlKey || scrollY === 0)) return;
    const zoom = within(frame.zoom * Math.exp(-event.deltaY / 500), 1, MOST_ZOOM);
    if (tidy(zoom) === frame.zoom) return;
    event.preventDefault();
    act(point, zoom);
  }, { passive: false });

  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.(".crop-window") || !frame || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = ARROWS[event.key], step = event.shiftKey ? BIG_STEP : STEP;
    if (event.key === "Escape" && hand) {
      Object.assign(frame, hand.before);
      fingers.clear();
      hand = null;
      act(centre());
    } else if (way) act({ x: point.x + step * way[0], y: point.y + step * way[1] });
    else if (event.key === "+" || event.key === "=") act(point, frame.zoom + 0.1);
    else if (event.key === "-") act(point, frame.zoom - 0.1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.addEventListener("input", (event) => {
    if (event.target.id === "crop-zoom" && frame) act(point, Number(event.target.value));
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-crop=whole]") && frame) act({ x: 0.5, y: 0.5 }, 1);
  });

  join("crop", {
    painters: { frame: paintFrame },
    heard: (view) => {
      if ("picture" in view) soft = view.picture?.soft || "";
      if (frame && ("picture" in view || "language" in view)) warn();
    },
  });
})();
