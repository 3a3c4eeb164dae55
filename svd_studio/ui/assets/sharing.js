// The line that says that the page is shared, and stops it.
(() => {
  const { join, send } = window.studio;
  const LOOK_MS = 30000;
  let next = null;

  function paint(sharing) {
    const line = document.querySelector(".sharing");
    clearTimeout(next);
    line.hidden = !sharing;
    if (!sharing) return;  // sharing begins only when the studio is started
    if (line.firstElementChild.textContent !== sharing.line) line.firstElementChild.textContent = sharing.line;
    next = setTimeout(() => send("sharing", "look"), LOOK_MS);
  }

  function heard(view) {
    if ("is_owner" in view) document.body.classList.toggle("is-guest", !view.is_owner);
    if (view.ready) send("sharing", "look");
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-sharing=stop]")) send("sharing", "stop");
  });
  join("sharing", { painters: { sharing: paint }, heard });
})();
