// The line that says that the page is shared, and stops it; and the one that says who is signed in.
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

  function paintSignedIn(line) {
    const form = document.querySelector(".signed-in");
    form.hidden = !line;
    if (form.firstElementChild.textContent !== line) form.firstElementChild.textContent = line;
  }

  function heard(view) {
    if ("is_owner" in view) document.body.classList.toggle("is-guest", !view.is_owner);
    if (view.ready || "language" in view) send("sharing", "look");
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-sharing=stop]")) send("sharing", "stop");
  });
  join("sharing", { painters: { sharing: paint, signed_in: paintSignedIn }, heard });
})();
