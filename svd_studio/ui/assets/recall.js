// Recall: a clip, poster or text that carries a recipe is offered in a dialog; what came back stands in a line with
// its undo. Python reads every recipe; here is only what was pointed at.
(() => {
  const { text, fill, element, write: put, send, go, join, show } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const LONGEST = 32768;  // Python reads no longer recipe
  const LAST_LINE = /(^|, )Recipe: \d+$|^Steps: \d+, .*\b(Sampler|Seed|CFG scale): /;  // of an infotext
  const SETTING = /"(settings|motion_bucket|frames|steps)"\s*:/;
  let source = null, before = null;  // what is being offered; what stood in the form before the last recall

  // ---- asking --------------------------------------------------------------------------------
  function read(what) {
    source = what;
    send("animate", "read", source);
  }

  function paintOffer(offer, view) {
    const dialog = find(".recall-dialog");
    if (view.taken) source = window.studio.state.file;  // a file that was dropped, and not asked for here
    find(".paste-dialog").close();
    put(dialog, "h3", fill(text("page.recall.title"), offer));
    put(dialog, ".recall-recipe", offer.recipe);
    list(dialog.querySelector(".recall-notes"), offer.notes);
    dialog.querySelector("[data-take=all] span").textContent =
      text(offer.has_picture ? "page.recall.all_more" : "page.recall.all_without");
    dialog.querySelector("[data-take=picture]").hidden = !offer.is_picture;
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("[data-take=all]").focus();
  }

  function paintProblem(sentence) {
    const paste = find(".paste-dialog");
    if (paste.open) put(paste, ".sheet-problem", sentence);
    else show({ notice: sentence });
    if (find(".recall-dialog").open) find(".recall-dialog").close();
  }

  function take(what) {
    find(".recall-dialog").close();
    if (what === "picture") window.studio.giveFile({ ...source, plain: true });
    else send("animate", "recall", { ...source, what });
    go("animate");
  }

  // ---- what came back ------------------------------------------------------------------------
  function paintRecalled(done) {
    const line = find(".recalled");
    line.hidden = !done;
    before = done && done.before;
    if (!done) return;
    put(line, "p", done.said);
    list(line.querySelector("ul"), done.notes);
    line.scrollIntoView({ block: "nearest" });
  }

  // ---- a text that is pasted -------------------------------------------------------------------
  function openPaste() {
    const dialog = find(".paste-dialog"), field = dialog.querySelector("textarea");
    put(dialog, ".sheet-problem", "");
    field.value = "";
    dialog.showModal();
    field.focus();
  }

  function isRecipe(words) {  // no expression over the whole text looks for its end: a hostile one would take minutes
    if (words.startsWith("{") && words.endsWith("}") && SETTING.test(words)) return true;
    return LAST_LINE.test(words.split("\n").pop());
  }

  const isWriting = (target) => target.matches?.("input, textarea, [contenteditable]");
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length || document.querySelector("dialog[open]")) return;
    if (isWriting(event.target) && !event.target.closest("#field-prompt")) return;
    const words = event.clipboardData?.getData("text/plain") || "";
    if (words.length > LONGEST || !isRecipe(words.trim())) return;
    event.preventDefault();
    read({ text: words });
  });

  // ---- a clip's recipe, to read, copy and leave out ---------------------------------------------
  function paintRecipe(details, clip) {
    details.clip = clip;
    put(details, "pre", clip.recipe);
    details.querySelector(".bare").href = clip.download_bare;
    details.dispatchEvent(new CustomEvent("clip", { bubbles: true, detail: clip }));
  }

  async function copyRecipe(button) {
    const details = button.closest("details"), words = details.clip[button.dataset.copy];
    const done = await copy(words, details);
    button.textContent = text(done ? "page.clip.copied" : "page.clip.copy_by_hand");
    setTimeout(() => (button.textContent = text(button.dataset.t)), done ? 1500 : 4000);
  }

  async function copy(words, details) {  // without https, on another machine, browsers have only the old way
    try {
      await navigator.clipboard.writeText(words);
      return true;
    } catch {
      const area = element("textarea", words);
      details.append(area);  // inside: what lies outside an open dialog cannot be selected
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      if (done) return true;
      put(details, "pre", words);
      getSelection().selectAllChildren(details.querySelector("pre"));
      return false;
    }
  }

  // ---- hands -----------------------------------------------------------------------------------
  document.addEventListener("submit", (event) => {
    if (!event.target.closest?.(".paste-dialog")) return;
    event.preventDefault();
    read({ text: find(".paste-dialog textarea").value });
  });
  document.addEventListener("input", (event) => {
    if (event.target.closest?.(".paste-dialog")) put(find(".paste-dialog"), ".sheet-problem", "");
  });
  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest?.(selector);
    if (on("[data-copy]")) copyRecipe(on("[data-copy]"));
    else if (on("[data-take]")) take(on("[data-take]").dataset.take);
    else if (on(".clip .recall")) read({ clip: window.studio.state.clip.id });
    else if (on("[data-recalled=close]")) paintRecalled(null);
    else if (on("[data-recalled=back]")) send("animate", "recall", { what: "back", before });
  });

  const list = (place, sentences) => place.replaceChildren(...sentences.map((sentence) => element("li", sentence)));

  window.studio.paintRecipe = paintRecipe;
  window.studio.looksMenu.push(["page.recall.paste", openPaste]);
  join("recall", {
    painters: {
      recall: paintOffer, recall_problem: paintProblem, recalled: paintRecalled,
      pressed: () => paintRecalled(null),
    },
  });
})();
