// Menus: a few buttons in the top layer, which go by themselves.
(() => {
  const { text, element } = window.studio;

  // An entry is [code of its words, what it does, whether it is chosen]; the last only where one of them is.
  window.studio.openMenu = (anchor, entries) => {
    const menu = element("div", "");
    menu.className = "menu";
    menu.popover = "auto";
    menu.setAttribute("role", "menu");
    menu.append(...entries.map((entry) => item(menu, ...entry)));
    menu.addEventListener("keydown", (event) => move(event, menu));
    menu.addEventListener("toggle", (event) => { if (event.newState === "closed") menu.remove(); });
    (anchor.closest("dialog") || document.body).append(menu);  // what lies behind a dialog cannot be pressed
    menu.showPopover();
    place(menu, anchor.getBoundingClientRect());
    (menu.querySelector("[aria-checked=true]") || menu.firstElementChild).focus();
    menu.anchor = anchor;
  };

  function item(menu, code, act, chosen) {
    const button = element("button", text(code));
    button.type = "button";
    button.setAttribute("role", chosen === undefined ? "menuitem" : "menuitemradio");
    if (chosen !== undefined) button.setAttribute("aria-checked", String(chosen));
    button.addEventListener("click", () => { menu.hidePopover(); menu.anchor.focus(); act(); });
    return button;
  }

  function place(menu, at) {
    const size = menu.getBoundingClientRect();
    menu.style.left = `${Math.max(8, Math.min(at.right - size.width, innerWidth - size.width - 8))}px`;
    menu.style.top = `${at.bottom + size.height + 8 > innerHeight ? at.top - size.height - 4 : at.bottom + 4}px`;
  }

  function move(event, menu) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") menu.anchor.focus();
    if (event.key === "Tab") menu.hidePopover();
    if (!step) return;
    event.preventDefault();
    const items = [...menu.children];
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  }
})();
