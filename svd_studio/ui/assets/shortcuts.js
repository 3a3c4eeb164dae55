// The keys of the Animate page, the buttons that step by frames as they do, and the card that lists the keys; none of them works while somebody types.
(() => {
  const { text, element, state, go } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const LIST = [["generate", "Ctrl", "Enter"], ["play", "page.keys.space"], ["frame", "←", "→"], ["rate", "1", "…", "5"], ["crop", "←", "→", "↑", "↓"],
    ["zoom", "+", "−"], ["close", "Esc"], ["help", "?"]];
  const BUSY = "input, textarea, select, button, a, summary, pre, video, dialog, [contenteditable], [role=menu], [role=application]";

  const isAway = (event) => document.body.dataset.room && document.body.dataset.room !== "animate" || event.altKey;
  const isOpen = () => document.querySelector("dialog[open], .menu");
  const types = (target) => target.closest?.(BUSY) && !target.matches(".player");

  function paint() {
    find("#shortcuts dl").replaceChildren(...LIST.flatMap(([name, ...keys]) => {
      const term = element("dt", "");
      term.append(...keys.map((key) => element("kbd", key.startsWith("page.") ? text(key) : key)));
      return [term, element("dd", text(`page.keys.${name}`))];
    }));
  }

  function step(way) {
    const video = find(".player"), all = state.clip.frames;
    if (!video.duration) return;
    const now = Math.min(all - 1, Math.floor((video.currentTime / video.duration) * all + 1e-3));
    video.pause();
    video.currentTime = (((now + way + all) % all) + 0.5) * (video.duration / all);
  }

  function play() {
    const video = find(".player");
    if (video.paused) video.play().catch(() => {});
    else video.pause();
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      if (isOpen()) return;
      event.preventDefault();
      go("animate");
      find("#generate")?.click();
    } else if (event.key === "Escape" && !isOpen() && !isAway(event)) find(".editing:not([hidden]) [data-act=leave]")?.click();
    else if (event.ctrlKey || event.metaKey || isAway(event) || isOpen() || types(event.target)) return;
    else if (event.key === "?") find("#shortcuts").togglePopover();
    else if (document.body.dataset.mode !== "clip") return;
    else if (event.key === " ") { event.preventDefault(); play(); }
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      event.preventDefault();
      step(event.key === "ArrowLeft" ? -1 : 1);
    }
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-step]");
    if (button) step(Number(button.dataset.step));
  });
  document.addEventListener("beforetoggle", (event) => {
    if (event.target.id === "shortcuts" && event.newState === "open") paint();
  }, true);
})();
