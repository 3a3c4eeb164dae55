// What stands beside the form's fields: the clip's length, the motion in a word, and what a speed gives up.
(() => {
  const { element, join, send } = window.studio;
  const PLACES = { frames: ".head label > span", motion_bucket: ".head label > span" };

  function paintBeside(said) {
    for (const [name, words] of Object.entries(said)) {
      const field = document.getElementById("field-" + name.replace(/[._]/g, "-"));
      if (!field) continue;
      let line = field.querySelector(".beside");
      if (!line) {
        line = element("output", "");
        line.className = "beside";
        (field.querySelector(PLACES[name]) || field).append(line);
      }
      if (line.textContent !== words) line.textContent = words;
    }
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".native")) send("animate", "native", {});
  });
  join("form", { painters: { beside: paintBeside } });
})();
