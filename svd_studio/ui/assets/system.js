// The System page: cards of what was found, limits, folders. Examined when somebody comes and when he asks;
// only the line about the workers is looked at again by itself.
(() => {
  const { text, element, join, send } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const LOOK_MS = 2500;
  let here = false, next = null, shown = null;

  const act = (what, data) => send("system", "act", { what, ...data });

  function lookOn() {
    clearTimeout(next);
    if (here) next = setTimeout(() => { if (!document.hidden) send("system", "workers"); lookOn(); }, LOOK_MS);
  }

  // ---- painting ----------------------------------------------------------------------------
  function paint(system) {
    shown = system;
    const summary = find(".system-summary");
    delete summary.dataset.t;
    summary.textContent = system.summary;
    summary.classList.toggle("is-bad", !system.is_sound);
    find(".system-cards").replaceChildren(...system.cards.map(makeCard));
    for (const part of document.querySelectorAll(".system-part")) part.hidden = false;
    paintLimits(system.heat);
    paintPower(system.power);
    find(".system-guests").textContent = system.guests;
    find(".system-guests").hidden = !system.guests;
    find(".system-folders").replaceChildren(...system.folders.map(makeFolder));
  }

  function makeCard(card) {
    const made = Object.assign(element("section", ""), { className: "system-card" });
    const list = element("ul", "");
    list.append(...card.lines.map((line) => Object.assign(element("li", line.text), { className: `is-${line.level}` })));
    made.append(element("h3", card.title), list);
    return made;
  }

  function paintLimits(limits) {
    const fields = limits.map((limit) => {
      const label = element("label", ""), field = element("input", "");
      Object.assign(field, { type: "number", name: limit.name, min: limit.low, max: limit.high, step: 1, value: limit.value });
      label.append(element("span", limit.label), field, element("i", `${limit.low}–${limit.high} °C`));
      return label;
    });
    find(".system-heat > div").replaceChildren(...fields);
  }

  function paintHeatProblem(sentence) {
    const line = find(".system-heat .problem");
    line.textContent = sentence;
    line.hidden = !sentence;
  }

  function paintPower(cards) {
    find(".system-power").hidden = !cards.length;
    find(".system-power ul").replaceChildren(...cards.map((card) => {
      const item = element("li", ""), line = Object.assign(element("div", ""), { className: "system-copied" });
      line.append(element("code", card.command), makeCopy(card.command));
      item.append(element("p", card.text), line);
      return item;
    }));
  }

  function makeFolder(folder) {
    const row = element("li", ""), about = element("div", ""), path = Object.assign(element("div", ""), { className: "system-copied" });
    path.append(element("code", folder.path), makeCopy(folder.path));
    about.append(element("b", folder.label), element("p", folder.about), path);
    const size = Object.assign(element("p", ""), { className: "system-size" });
    size.append(element("b", folder.size), element("span", folder.limit));
    const clear = Object.assign(element("button", text("page.system.clear")), { type: "button", className: "button quiet" });
    Object.assign(clear.dataset, { act: "clear", kind: folder.kind });
    clear.setAttribute("aria-label", `${clear.textContent}: ${folder.label}`);
    clear.hidden = !folder.may_go;
    row.append(about, size, clear);
    return row;
  }

  function makeCopy(words) {
    const button = Object.assign(element("button", text("page.system.copy")), { type: "button", className: "link" });
    Object.assign(button.dataset, { act: "copy", words });
    button.setAttribute("aria-label", `${button.textContent}: ${words}`);
    return button;
  }

  function paintWorkers(workers) {
    const line = find(".system-workers");
    if (line.textContent !== workers.line) line.textContent = workers.line;
    line.dataset.up = workers.up;
    find("#room-system [data-act=restart]").dataset.busy = workers.busy;
  }

  // ---- copying -----------------------------------------------------------------------------
  async function copy(words) {
    let done = true;
    try {
      await navigator.clipboard.writeText(words);
    } catch {  // without https, on another machine, browsers have only the old way
      const area = element("textarea", words);
      find(".system").append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
    }
    window.studio.show({ notice: text(done ? "page.system.copied" : "page.system.not_copied") });
  }

  const browser = () => text("page.system.browser").replace("{name}", navigator.userAgent);

  // ---- hands -------------------------------------------------------------------------------
  const GIVEN = {
    look: () => send("system", "look"),
    copy_report: () => shown && copy(`${shown.report}\n· ${browser()}\n`),
    copy: (button) => copy(button.dataset.words),
    clear: (button) => {
      const folder = shown.folders.find((one) => one.kind === button.dataset.kind);
      window.studio.sure(folder.sure, text("page.system.clear"), () => act("clear", { kind: folder.kind }));
    },
    restart: (button) => {
      if (button.dataset.busy !== "true") act("restart");
      else window.studio.sure(text("page.system.sure.restart"), text("page.system.restart"), () => act("restart"));
    },
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#room-system [data-act]");
    if (button) (GIVEN[button.dataset.act] || (() => act(button.dataset.act)))(button);
  });

  document.addEventListener("submit", (event) => {
    if (!event.target.matches?.(".system-heat")) return;
    event.preventDefault();
    const fields = [...event.target.querySelectorAll("input")];
    act("heat", { limits: Object.fromEntries(fields.map((field) => [field.name, Number(field.value)])) });
  });

  join("system", {
    painters: {
      system: paint,
      workers: paintWorkers,
      heat_limits: paintLimits,
      heat_problem: paintHeatProblem,
      system_done: () => here && send("system", "look"),
    },
    heard: (view) => { if (view.language && here) send("system", "look"); },
    enter: () => { here = true; send("system", "look"); lookOn(); },
    leave: () => { here = false; clearTimeout(next); },
  });
})();
