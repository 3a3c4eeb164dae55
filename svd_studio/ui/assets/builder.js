// The prompt builder: four parts, suggestions to press, and what comes of it is plain words in the prompt.
(() => {
  const { text, element } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const dialog = () => find(".builder-dialog");
  const parts = () => [...dialog().querySelectorAll("[data-builder-part]")];
  const chinese = (words) => /[\u4e00-\u9fff]/.test(words);

  const words = () => {
    const said = parts().map((part) => part.value.trim()).filter(Boolean);
    return said.join(said.some(chinese) ? "，" : ", ");
  };

  function write(field, value) {  // Gradio hears of it as if it had been typed
    const area = find(`#field-${field} textarea, #field-${field} input`);
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(area), "value").set.call(area, value);
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  }

  function open() {
    for (const row of dialog().querySelectorAll("[data-builder-chips]")) {
      const suggested = text(`page.builder.${row.dataset.builderChips}_words`).split("|");
      row.replaceChildren(...suggested.map((word) => {
        const chip = element("button", word.trim());
        Object.assign(chip, { type: "button", className: "chip" });
        return chip;
      }));
    }
    dialog().querySelector(".builder-note").textContent = find(".prompt-note").textContent;
    paint();
    dialog().showModal();
    parts()[0].focus();
  }

  function press(chip) {  // in, or out again
    const row = chip.closest("[data-builder-chips]");
    const part = dialog().querySelector(`[data-builder-part=${row.dataset.builderChips}]`);
    const said = part.value.split(/\s*[,，]\s*/).filter(Boolean), word = chip.textContent;
    const left = said.filter((one) => one !== word);
    part.value = (left.length < said.length ? left : [...said, word]).join(chinese(word) ? "，" : ", ");
    paint();
  }

  function paint() {
    const made = words();
    dialog().querySelector(".builder-words").textContent = made || text("page.builder.empty");
    dialog().querySelector("[type=submit]").disabled = !made;
    for (const row of dialog().querySelectorAll("[data-builder-chips]")) {
      const said = dialog().querySelector(`[data-builder-part=${row.dataset.builderChips}]`).value.split(/\s*[,，]\s*/);
      for (const chip of row.children) chip.setAttribute("aria-pressed", String(said.includes(chip.textContent)));
    }
  }

  function addNegatives() {  // only what is not there yet
    const area = find("#field-negative-prompt textarea, #field-negative-prompt input");
    const said = area.value.trim(), usual = text("page.builder.negative_words").split("|").map((word) => word.trim());
    const missing = usual.filter((word) => !said.includes(word));
    const between = missing.some(chinese) ? "，" : ", ";
    write("negative-prompt", [said, ...missing].filter(Boolean).join(between));
  }

  document.addEventListener("click", (event) => {
    const chip = event.target.closest?.(".builder-dialog .chip"), tool = event.target.closest?.("[data-builder]");
    if (chip) press(chip);
    else if (tool?.dataset.builder === "open") open();
    else if (tool?.dataset.builder === "negatives") addNegatives();
  });
  document.addEventListener("input", (event) => { if (event.target.matches?.("[data-builder-part]")) paint(); });
  document.addEventListener("submit", (event) => {
    if (event.target.parentElement !== dialog()) return;
    write("prompt", words());
  });
})();
