// The Models page: rows that stay in place while their words change, so that a typed path and the focus stay, too.
// One question at a time; every answer brings the whole page. Looks again soon while something is at work.
(() => {
  const { text, element, write: put, join } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const LOOK_MS = 700, IDLE_MS = 4000, PATIENCE_MS = 15000;
  let here = false, shown = null;

  const { ask, act, goOn, stopLooking } = window.studio.asking("models", { patience: PATIENCE_MS, again });
  function again() {
    const busy = shown?.rows.some((row) => row.state === "busy" || row.measuring);
    return here ? (document.hidden || !busy ? IDLE_MS : LOOK_MS) : null;
  }

  // ---- painting ----------------------------------------------------------------------------
  function paint(models) {
    shown = models;
    find(".models-offline").setAttribute("aria-checked", String(models.offline));
    put(find(".models"), ".models-folder", models.folder);
    const list = find(".models-list");
    const rows = Object.fromEntries([...list.children].map((row) => [row.dataset.model, row]));
    for (const model of models.rows) {
      const row = rows[model.name] || makeRow(model, list);
      paintRow(row, model);
    }
    goOn();
  }

  function makeRow(model, list) {
    const row = find(".model-row").content.firstElementChild.cloneNode(true);
    row.dataset.model = model.name;
    for (const part of row.querySelectorAll("[data-t]")) part.textContent = text(part.dataset.t);
    for (const part of row.querySelectorAll("[data-label]")) part.setAttribute("aria-label", text(part.dataset.label));
    list.append(row);
    return row;
  }

  function paintRow(row, model) {
    row.dataset.state = model.state;
    put(row, "h3", model.title);
    put(row, ".model-badge", model.badge);
    paintFacts(row.querySelector("dl"), model);
    put(row, ".model-licence b", model.licence);
    paintLink(row.querySelector(".model-licence a"), model.link);
    paintLink(row.querySelector(".model-page"), model.link);
    paintProgress(row.querySelector(".model-progress"), model);
    paintProblems(row.querySelector(".model-problems"), model.problems);
    put(row, ".model-sound", model.sound);
    put(row, ".model-measuring", model.measuring);
    paintGate(row.querySelector(".model-gate"), model);
    put(row, ".model-use p", model.hint);
    paintButtons(row.querySelector(".model-acts"), model);
    if (model.state === "installed") row.querySelector(".model-use").hidden = true;  // a wrong path stays to be mended
  }

  function paintFacts(list, model) {
    const told = JSON.stringify([model.facts, model.mood]);
    if (list.dataset.told === told) return;
    list.dataset.told = told;
    list.replaceChildren(...model.facts.flatMap((fact) => {
      const words = element("dd", fact.text);
      if (fact.kind === "here" && model.mood) words.classList.add(`is-${model.mood}`);
      return [element("dt", fact.label), words];
    }));
  }

  function paintLink(link, address) {
    link.hidden = !address;
    if (address) link.href = address; else link.removeAttribute("href");
  }

  function paintProgress(place, model) {
    place.hidden = model.percent === null;
    const track = place.querySelector(".track");
    track.firstElementChild.style.width = `${model.percent || 0}%`;
    track.setAttribute("aria-valuenow", model.percent || 0);
    put(place, "p", model.line);
  }

  function paintProblems(list, problems) {
    if (list.dataset.told === problems.join("\n")) return;
    list.dataset.told = problems.join("\n");
    list.replaceChildren(...problems.map((problem) => element("li", problem)));
  }

  function paintGate(gate, model) {
    gate.hidden = !model.gated;
    const state = gate.querySelector(".model-token-state");
    state.hidden = !shown.token;
    if (shown.token) put(state, "span", text(`page.models.token.${shown.token}`));
    state.querySelector("button").hidden = shown.token !== "saved";
  }

  function paintButtons(place, model) {
    const told = JSON.stringify([model.acts, window.studio.state.language]);
    if (place.dataset.told === told) return;
    place.dataset.told = told;
    const held = place.contains(document.activeElement);
    place.replaceChildren(...model.acts.map((name, at) => {
      const main = at === 0 && ["get", "resume"].includes(name);
      const button = element("button", text(`page.models.act.${name}`));
      Object.assign(button, { type: "button", className: main ? "button" : "button quiet" });
      button.dataset.act = name;
      button.setAttribute("aria-label", `${button.textContent}: ${model.title}`);
      return button;
    }));
    if (held) place.firstElementChild?.focus();
  }

  // ---- hands ---------------------------------------------------------------------------------
  const row = (button) => button.closest(".model");
  const modelOf = (button) => shown.rows.find((one) => one.name === row(button)?.dataset.model);
  const askSure = (question, button) =>
    window.studio.sure(question, text(`page.models.sure.${button.dataset.act}`), () => act(button.dataset.act, { name: modelOf(button).name }));

  function openUse(button, open) {
    const form = row(button).querySelector(".model-use");
    form.hidden = !open;
    (open ? form.querySelector("input") : row(button).querySelector("[data-act=use]"))?.focus();
  }

  const GIVEN = {
    offline: (button) => act("offline", { on: button.getAttribute("aria-checked") !== "true" }),
    use: (button) => openUse(button, true),
    close_use: (button) => openUse(button, false),
    forget_token: () => act("forget_token"),
    delete: (button) => askSure(modelOf(button).sure, button),
    cancel: (button) => {
      if (modelOf(button).acts.length < 2) act("cancel", { name: modelOf(button).name });  // a check loses nothing
      else askSure(text("page.models.sure_cancel"), button);
    },
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#room-models [data-act]");
    if (!button || !shown) return;
    const name = button.dataset.act;
    (GIVEN[name] || (() => act(name, { name: modelOf(button).name })))(button);
  });

  document.addEventListener("submit", (event) => {
    const form = event.target.closest?.("#room-models form");
    if (!form || !shown) return;
    event.preventDefault();
    const field = form.querySelector("input"), name = modelOf(form).name;
    if (form.matches(".model-token")) {
      act("token", { token: field.value });
      field.value = "";  // the page keeps no secret
    } else act("use", { name, folder: field.value });
  });

  function paintOwner(isOwner) {  // a guest is not shown what he would be refused
    for (const room of ["models", "system"]) find(`.rooms [data-room="${room}"]`).hidden = !isOwner;
  }

  join("models", {
    painters: { models: paint, is_owner: paintOwner },
    heard: (view) => { if (view.language && here) ask("look"); },
    enter: () => { here = true; ask("look"); },
    leave: () => { here = false; stopLooking(); },
  });
})();
