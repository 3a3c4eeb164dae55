// A clip of the Gallery plays under the pointer, under the keyboard's focus, or under a finger that rests on it.
(() => {
  const { element, gallery } = window.studio;
  const HOVER_MS = 160, PRESS_MS = 450;

  const sample = Object.assign(element("video", ""), { className: "gallery-sample", muted: true, loop: true, playsInline: true });
  let soon = null, pressed = null, held = false;
  sample.addEventListener("playing", () => sample.classList.add("is-playing"));

  function play(card, after) {
    clearTimeout(soon);
    if (card && sample.parentNode === card.firstChild) return;
    stop();
    const clip = card && gallery.clip(card.dataset.clip);
    if (!clip || !clip.here) return;
    soon = setTimeout(() => {
      card.firstChild.append(sample);
      sample.src = clip.url;
      sample.play().catch(() => {});
    }, after);
  }

  function stop() {
    clearTimeout(soon);
    if (!sample.parentNode) return;
    sample.classList.remove("is-playing");
    sample.remove();
    sample.removeAttribute("src");
    sample.load();  // lets go of the file, so that it can be moved
  }

  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const cardAt = (event) => event.target.closest?.(".gallery-card");
  document.addEventListener("pointerover", (event) => { if (event.pointerType === "mouse" && !still.matches && gallery.here) play(cardAt(event), HOVER_MS); });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.(".gallery-open:focus-visible") && !still.matches) play(cardAt(event), HOVER_MS);
  });
  document.addEventListener("focusout", (event) => { if (event.target.matches?.(".gallery-open")) stop(); });
  document.addEventListener("pointerdown", (event) => {
    held = false;
    const card = event.pointerType === "touch" && event.target.closest(".gallery-open") && cardAt(event);
    if (card) pressed = setTimeout(() => { held = true; play(card, 0); }, PRESS_MS);
  });
  for (const name of ["pointerup", "pointercancel"])
    document.addEventListener(name, (event) => { clearTimeout(pressed); if (event.pointerType === "touch" && gallery.here) stop(); });
  document.addEventListener("contextmenu", (event) => { if (held && cardAt(event)) event.preventDefault(); });

  function wasHeld() {  // a finger that rested on a card plays it, and opens nothing when it is lifted
    const was = held;
    held = false;
    return was;
  }

  Object.assign(gallery, { stop, cardAt, held: wasHeld, still });
})();
