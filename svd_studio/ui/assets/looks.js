// The looks: the row is drawn from the view key "looks"; one's own have a menu. Python keeps them.
(() => {
  const { text, fill, element, send, join } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const LARGEST_FILE = 64 * 1024;
  const state = { shown: "", list: [], chosen: "", said: null };

  // ---- the row ---------------------------------------------------------------------------------
  function paintLooks(view) {
    const shown = JSON.stringify(view);
    if (shown === state.shown) return;  // it comes with every answer, and rarely changes
    state.shown = shown;
    state.list = view.list;
    state.broken = view.broken;
    const focused = document.activeElement?.closest?.(".looks") && document.activeElement.id;
    find(".looks").replaceChildren(...view.list.map(cell));
    if (focused) document.getElementById(focused)?.focus();
    mark();
  }

  function cell(look) {
    const place = element("div", ""), button = element("button", "");
    place.className = look.own ? "look is-own" : "look";
    Object.assign(button, { type: "button", id: `look-${look.name}`, title: look.about || look.title });
    button.dataset.look = look.name;
    button.append(still(look), element("span", look.title));
    place.append(button);
    if (look.own) {
      const more = element("button", "");
      Object.assign(more, { type: "button", id: `look-menu-${look.name}`, className: "icon dots" });
      more.dataset.lookMenu = look.name;
      more.setAttribute("aria-haspopup", "menu");
      more.setAttribute("aria-label", fill(text("page.look.menu"), { title: look.title }));
      place.append(more);
    }
    return place;
  }

  function still(look) {  // the sample's own thumbnail, which the page has already
    const frame = element("i", ""), image = element("img", "");
    Object.assign(image, { src: find(`[data-sample="${look.picture}"] img`).src, alt: "" });
    frame.dataset.moves = look.own ? "own" : look.name;
    frame.append(image);
    return frame;
  }

  function mark() {
    for (const button of document.querySelectorAll("[data-look]")) {
      button.classList.toggle("is-chosen", button.dataset.look === state.chosen);
      button.setAttribute("aria-pressed", String(button.dataset.look === state.chosen));
    }
    if (!state.said) tell(state.list.find((look) => look.name === state.chosen)?.about || state.broken || "");
  }

  function choose(name) {
    state.said = null;
    state.chosen = name;
    mark();
  }

  // ---- what became of it: one line below the row, with a way back where there is one ---------------
  function tell(sentence, undo) {
    const line = find(".look-about");
    if (!undo && line.textContent === sentence) return;
    line.replaceChildren(sentence);
    if (!undo) return;
    const button = element("button", text("page.look.undo"));
    Object.assign(button, { type: "button", className: "link" });
    button.addEventListener("click", undo);
    line.append(" ", button);
  }

  function paintDone(done) {
    const dialog = find(".look-dialog");
    if (done.problem) {
      if (dialog.open) refuse(done);
      else tell((state.said = done.problem));
      return;
    }
    if (dialog.open) dialog.close();
    if (done.file) keepFile(done.file);
    if (!done.said) return;
    state.said = done.said;
    tell(done.said, done.undo && (() => send("animate", "looks", { do: "restore", name: done.name })));
  }

  function keepFile({ name, text: content }) {
    const link = element("a", "");
    link.href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // ---- the dialog that asks for a name -----------------------------------------------------------
  let asking = null;
  function ask(what) {
    asking = what;
    const dialog = find(".look-dialog"), field = dialog.querySelector("input");
    dialog.querySelector("h3").textContent = text(what.do === "save" ? "page.look.save_title" : "page.look.rename_title");
    dialog.querySelector(".sheet-note").hidden = what.do !== "save";
    field.value = what.title || "";
    refuse({ problem: "" });
    dialog.showModal();
    field.select();
  }

  function refuse({ problem, may_replace: mayReplace }) {
    const dialog = find(".look-dialog");
    asking.replace = mayReplace && asking.do === "save";
    dialog.querySelector(".sheet-problem").textContent = problem;
    dialog.querySelector("[type=submit]").textContent =
      text(asking.replace ? "page.look.replace" : asking.do === "save" ? "page.look.keep" : "page.look.rename_now");
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.closest?.(".look-dialog")) return;
    event.preventDefault();
    send("animate", "looks", { ...asking, title: find(".look-dialog input").value });
  });
  document.addEventListener("input", (event) => {
    if (event.target.closest?.(".look-dialog") && asking) refuse({ problem: "" });
  });

  // ---- hands of one's own looks ---------------------------------------------------------------------
  function menuOf(name) {
    const look = state.list.find((one) => one.name === name);
    return [
      ["page.look.rename", () => ask({ do: "rename", name, title: look.title })],
      ["page.look.export", () => send("animate", "looks", { do: "export", name })],
      ["page.look.remove", () => send("animate", "looks", { do: "remove", name })],
    ];
  }

  // ---- hands --------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest?.(selector);
    if (on("[data-look]")) send("animate", "look", { name: on("[data-look]").dataset.look });
    else if (on("[data-look-menu]")) window.studio.openMenu(on("[data-look-menu]"), menuOf(on("[data-look-menu]").dataset.lookMenu));
    else if (on(".save-look")) ask({ do: "save" });
    else if (on(".looks-more")) window.studio.openMenu(on(".looks-more"), window.studio.looksMenu);
    else if (on(".sheet-close")) on("dialog").close();
  });
  document.addEventListener("change", async (event) => {
    if (!event.target.matches?.(".look-file")) return;
    const file = event.target.files[0];
    const content = await file.slice(0, LARGEST_FILE + 1).text();
    event.target.value = "";
    send("animate", "looks", { do: "import", file: file.name, text: content });
  });

  window.studio.looksMenu = [["page.look.import", () => find(".look-file").click()]];
  join("looks", { painters: { looks: paintLooks, look: choose, look_done: paintDone } });
})();
