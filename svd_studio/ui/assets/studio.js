// Paints what the studio says onto the page. Knows no settings and makes no decisions:
// Python sends a "view" after every event, and each part of it has one painter here.
// Other rooms (queue.js, gallery.js) join with window.studio.join(name, {painters, heard, enter, leave}).
window.studio = (() => {
  const find = (selector) => document.querySelector(selector);
  const text = (code) => (window.STUDIO_WORDS[state.language] || window.STUDIO_WORDS.en)[code] || code;
  const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const state = { language: "en", clip: null, recent: [], job: null, busy: false, heard: 0, clips: {} };
  let bridge = null;  // Animate's; other rooms send on their own
  const bridges = {}, rooms = {};

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
    picture: paintPicture,
    picture_error: (sentence) => showProblem(find("#picture"), sentence),
    taken: () => nextPicture(),
    errors: paintErrors,
    prompt_note: (sentence) => put(".prompt-note", sentence),
    promise: (sentence) => put(".promise", sentence),
    rounded: (notes) => find(".rounded")?.replaceChildren(...notes.map((note) => element("li", note))),
    gauge: (html) => { const place = find(".gauge"); if (place && place.innerHTML !== html) place.innerHTML = html; },
    offer: paintOffer,
    recent: paintRecent,
    job: paintJob,
    clip: () => {},
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
    if (view.clip) playClip(view.clip, view.play === true, view.keep_clip === true);
    if (view.pressed && matchMedia("(max-width: 900px)").matches) find(".stage")?.scrollIntoView({ behavior: "smooth" });
    arrange();
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

  // ---- the picture ---------------------------------------------------------------------------
  function isLate({ picture, framed_for }) {  // answers do not always come in the order of their questions
    return (picture && state.shown && picture.bytes !== state.shown.bytes) || differs(framed_for);
  }

  function differs(fields) {
    return Object.entries(fields).some(([name, asked]) => {
      const now = find(`#field-${name} :is(input[type=radio]:checked, input:not([type=radio]), textarea)`);
      return now && (typeof asked === "number" ? Number(now.value) !== asked : now.value !== (asked ?? ""));
    });
  }

  function paintPicture(picture) {
    const box = find(".picture");
    if (!box) return;
    if (state.sending) { state.shown = picture; return; }  // shown when what is on its way has come or failed
    state.shown = picture;
    box.dataset.state = picture ? "ready" : "empty";
    const image = box.querySelector(".framed");
    image.hidden = !picture;
    if (picture) {
      image.src = picture.src;
      image.alt = picture.name;
    } else image.removeAttribute("src");
    box.querySelector(".picture-facts").textContent = picture ? picture.facts : "";
    for (const button of box.querySelectorAll("[data-sample]"))
      button.setAttribute("aria-pressed", String(picture?.sample === button.dataset.sample));
  }

  // Pictures are numbered: the last one given wins, however long an earlier one takes. Until Python has seen it,
  // Generate is held back, because it would animate the picture before.
  let given = 0, asking = false, next = null;

  async function takeFile(file) {
    const number = ++given;
    if (!file || !bridge) return;
    holdPicture(true);
    try {
      const { path } = await bridge.upload(file);
      if (number === given) giveFile({ path, name: file.name || "" });
    } catch {
      if (number !== given) return;
      holdPicture(false);
      showProblem(find("#picture"), text("page.picture.not_sent"));
    }
  }

  function takeFiles(files) {  // one picture for the form, or many for the queue
    if (files.length > 1) rooms.many.take([...files]);
    else takeFile(files[0]);
  }

  function giveFile(file) {  // recall.js gives it again, `plain`, when a poster is wanted as a picture
    state.file = file;
    holdPicture(true);
    givePicture("picture", file);
  }

  function takeSample(name) {
    given += 1;
    holdPicture(true);
    givePicture("sample", { name });
  }

  function givePicture(event, data) {  // one at a time, so that answers come in order
    if (asking) { next = [event, data]; return; }
    asking = true;
    setTimeout(() => { if (asking) nextPicture(); }, 20000);  // an answer that never comes must not hold the page
    bridge.send(event, data);
  }

  function nextPicture() {
    if (!asking) return;
    asking = false;
    if (next) { const [event, data] = next; next = null; givePicture(event, data); }
    else holdPicture(false);
  }

  function holdPicture(held) {
    state.sending = held;
    if (held) {
      showProblem(find("#picture"), null);
      find(".picture").dataset.state = "busy";
    } else paintPicture(state.shown);
    holdGenerate();
  }

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

  // ---- the job that runs -----------------------------------------------------------------------
  function paintJob(job) {
    const before = state.job;
    state.job = job;
    if (before && job && before.id !== job.id) delete find(".preview").dataset.src;
    const active = job && (job.status === "queued" || job.status === "running");
    state.busy = !!active;
    document.title = (active ? job.title : "") + "SVD Studio";
    const outcome = find(".outcome");
    if (active) {
      outcome.hidden = true;
      find(".track i").style.width = job.percent + "%";
      find(".running .track").setAttribute("aria-valuenow", job.percent);
      put(".line", state.stopping === job.id ? text("page.job.stopping") : job.line);
      put(".eta", job.eta);
      put(".job-note", job.note || "");
      put(".waiting span", job.line);
      paintPreview(job);
    } else if (job && (job.status === "failed" || job.status === "cancelled")) {
      outcome.textContent = job.line;
      outcome.classList.toggle("is-bad", job.status === "failed");
      outcome.hidden = false;
    } else if (job && job.status === "done") outcome.hidden = true;
    holdGenerate();
    if (!active && before) state.stopping = null;
  }

  let loading = null;
  function paintPreview(job) {
    const image = find(".preview");
    if (!job.preview || image.dataset.src === job.preview || loading === job.preview) return;
    loading = job.preview;
    const next = new Image();  // swapped only when it is whole, so that nothing blinks
    next.onload = () => { image.src = next.src; image.dataset.src = job.preview; image.hidden = false; arrange(); };
    next.src = job.preview;
  }

  function arrange() {
    const stage = find(".stage");
    if (!stage) return;
    const image = stage.querySelector(".preview");
    if (!state.busy) { delete image.dataset.src; loading = null; }
    const mode = state.busy ? (image.dataset.src ? "preview" : "waiting") : state.clip ? "clip" : "welcome";
    document.body.dataset.mode = mode;
    for (const [name, part] of [["preview", ".preview"], ["waiting", ".waiting"], ["clip", ".player"], ["welcome", ".welcome"]])
      stage.querySelector(part).hidden = mode !== name;
    stage.querySelector(".transport").hidden = mode !== "clip";
    stage.querySelector(".running").hidden = !state.busy;
    if (mode !== "clip") stage.querySelector(".player").pause();
    find(".clip").hidden = !state.clip;
  }

  // ---- the player ------------------------------------------------------------------------------
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

  // ---- the camera ----------------------------------------------------------------------------------
  async function openCamera() {
    const dialog = find(".webcam"), video = dialog.querySelector("video"), problem = dialog.querySelector(".webcam-problem");
    problem.textContent = "";
    dialog.showModal();
    if (!navigator.mediaDevices) {  // browsers give no camera to a page of another machine without https
      problem.textContent = text("page.camera.elsewhere");
      return;
    }
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1920 } } });
    } catch {
      problem.textContent = text("page.camera.refused");
    }
  }
  function closeCamera() {
    const dialog = find(".webcam"), video = dialog.querySelector("video");
    video.srcObject?.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    dialog.close();
  }
  function shoot() {
    const video = find(".webcam video");
    if (!video.videoWidth) return;
    const canvas = element("canvas", "");
    Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => takeFile(new File([blob], "camera.png", { type: "image/png" })), "image/png");
    closeCamera();
  }

  // ---- small things ----------------------------------------------------------------------------------
  function element(tag, words) {
    const made = document.createElement(tag);
    made.textContent = words;
    return made;
  }
  function put(selector, words) {
    const place = find(selector);
    if (place && place.textContent !== words) place.textContent = words;
  }

  // ---- hands ---------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest?.(selector);
    const video = find(".player");
    if (on(".rooms [data-room]")) go(on(".rooms [data-room]").dataset.room);
    else if (on("[data-sample]")) takeSample(on("[data-sample]").dataset.sample);
    else if (on(".swap")) find(".drop input").click();
    else if (on(".camera")) openCamera();
    else if (on(".shoot")) shoot();
    else if (on(".webcam .close")) closeCamera();
    else if (on(".recent button")) {
      find(".outcome").hidden = true;
      playClip(state.clips[on(".recent button").dataset.clip], true);
      arrange();
    } else if (on(".again")) { if (press()) bridge?.send("again", { clip: state.clip.id }); }
    else if (on("#generate")) press();
    else if (on(".get")) bridge?.send("get", {});
    else if (on(".play") || on(".player")) toggle(video);
    else if (on(".transport .loop")) {
      video.loop = !video.loop;
      on(".loop").setAttribute("aria-pressed", String(video.loop));
    } else if (on("[data-speed]")) {
      state.speed = video.playbackRate = Number(on("[data-speed]").dataset.speed);
      for (const button of document.querySelectorAll("[data-speed]"))
        button.setAttribute("aria-pressed", String(button === on("[data-speed]")));
    } else if (on(".transport .full")) (video.requestFullscreen || video.webkitEnterFullscreen)?.call(video);
    else if (on("#cancel") && state.job) { state.stopping = state.job.id; put(".line", text("page.job.stopping")); }
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches?.(".scrub")) delete event.target.dataset.held;
    if (event.target.matches?.(".drop input")) {
      takeFiles(event.target.files);
      event.target.value = "";
    }
  });
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files || [])].find((one) => /^(image|video)\//.test(one.type) || !one.type);
    if (file) { event.preventDefault(); go("animate"); takeFile(file); }
  });
  for (const name of ["dragover", "dragenter"])
    document.addEventListener(name, (event) => {
      if (![...(event.dataTransfer?.types || [])].includes("Files")) return;
      event.preventDefault();
      document.body.classList.add("is-dropping");
    });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("is-dropping"); });
  document.addEventListener("drop", (event) => {
    document.body.classList.remove("is-dropping");
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    go("animate");
    takeFiles(event.dataTransfer.files);
  });

  document.addEventListener("visibilitychange", () => { if (state.heard) state.heard = Date.now(); });  // hidden pages hear little
  setInterval(() => {  // the page says so itself when nobody answers any more
    if (!state.heard || document.hidden) return;
    const away = Date.now() - state.heard > 8000;
    document.body.classList.toggle("is-away", away);
    document.body.dataset.away = away ? text("page.error.away") : "";
  }, 1000);

  return {
    show, join, go, send, text, fill, element, state, giveFile, upload: (file) => bridge.upload(file),
    connect: (name, given) => {
      bridges[name] = given;
      if (name === "animate") { bridge = given; speak(); }
    },
  };
})();
