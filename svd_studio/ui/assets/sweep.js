// The dialog that asks for variants. Python says how many clips the chosen values make, how long they take and what
// is wrong with them; here is only what was chosen, and a number on every question so that late answers count nothing.
(() => {
  const { text, fill, element, write, state, send, join } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const dialog = () => find("dialog.sweep");
  const TYPING_MS = 250, PATIENCE_MS = 8000;
  let base = {}, asked = 0, soon = null, waiting = null, word = "", pressing = null, facts = {};

  function open(clip) {
    base = clip ? { clip: clip.id } : {};
    word = crypto.getRandomValues(new Uint32Array(3)).join("-");
    facts = { clip, count: 0 };
    release();
    const image = dialog().querySelector(".sweep-picture"), src = clip ? clip.poster : find(".framed").getAttribute("src");
    image.hidden = !src;
    if (src) image.src = src;
    put(".sweep-from", "");
    paintProblems({});
    paintSum("", [], 0);
    dialog().showModal();
    asked += 1;
    weigh();
  }

  function weigh() {  // one question at a time; the answer to an old one asks the new one
    clearTimeout(soon);
    if (waiting) return;
    waiting = setTimeout(() => { waiting = null; weigh(); }, PATIENCE_MS);
    send("animate", "weigh", { ...base, ...chosen(), fresh: !facts.begun, number: asked });
  }

  function chosen() {
    const checked = (name) => [...dialog().querySelectorAll(`[name=${name}]:checked`)].map((one) => one.value);
    return {
      motion_bucket: find("#sweep-motion").value,
      prompt: find("#sweep-prompts").value,
      seed: Number(checked("sweep-seed")[0] || 1),
      speed: checked("sweep-speed"),
    };
  }

  // ---- painting ------------------------------------------------------------------------------
  function paint(view) {
    if (!view) return dialog().close();
    if (view.refused) release();
    else {
      clearTimeout(waiting);
      waiting = null;
      if (!dialog().open) return;
      if (view.number !== asked) return weigh();
    }
    if (view.begin) begin(view.begin);
    paintProblems(view.problems);
    if (!view.refused) paintSum(view.line, view.notes, view.count || 0);
  }

  function begin(values) {
    facts.begun = true;
    find("#sweep-motion").value = values.motion_bucket;
    find("#sweep-prompts").value = values.prompt;
    find("#sweep-prompts").placeholder = values.words;
    for (const one of dialog().querySelectorAll("[name=sweep-seed]")) one.checked = Number(one.value) === values.seed;
    for (const one of dialog().querySelectorAll("[name=sweep-speed]")) one.checked = values.speed.includes(one.value);
    put(".sweep-from", fill(text(facts.clip ? "page.sweep.from_clip" : "page.sweep.from_form"), values));
  }

  function paintProblems(problems) {
    for (const axis of dialog().querySelectorAll("[data-axis]")) {
      const line = axis.matches("p") ? axis : axis.querySelector(".sheet-problem");
      const sentence = problems[axis.dataset.axis] || "";
      if (line.textContent !== sentence) line.textContent = sentence;
    }
  }

  function paintSum(line, notes, count) {
    facts.count = count;
    put(".sweep-line", line);
    dialog().querySelector(".sweep-notes").replaceChildren(...notes.map((note) => element("li", note)));
    hold();
  }

  function hold() {
    const go = dialog().querySelector(".sweep-go");
    go.disabled = !facts.count || !!pressing;
    const words = facts.count ? fill(text("page.sweep.go"), { n: facts.count }) : text("page.sweep.go_none");
    if (go.textContent !== words) go.textContent = words;
  }

  function release() {
    clearTimeout(pressing);
    pressing = null;
    hold();
  }

  // ---- hands -----------------------------------------------------------------------------------
  document.addEventListener("submit", (event) => {
    if (!event.target.closest?.("dialog.sweep")) return;
    event.preventDefault();
    if (!facts.count || pressing) return;
    pressing = setTimeout(release, 20000);  // the same word: what arrived the first time is not made again
    hold();
    send("animate", "variants", { ...base, ...chosen(), press: word });
  });
  document.addEventListener("input", (event) => {
    if (!event.target.closest?.("dialog.sweep")) return;
    clearTimeout(soon);
    asked += 1;
    soon = setTimeout(weigh, event.target.matches("[type=text], textarea") ? TYPING_MS : 0);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-sweep]");
    if (button) open(button.dataset.sweep === "clip" ? button.clip || state.clip : null);
  });

  const put = (selector, words) => write(dialog(), selector, words);

  join("sweep", { painters: { sweep: paint } });
})();
