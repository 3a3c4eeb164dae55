// The last ten minutes under the gauge: asked for only while somebody looks, drawn as calm lines. Joins studio.js.
(() => {
  const studio = window.studio, EVERY_MS = 5000, HEIGHT = 34;
  const shape = (tag, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const isSeen = () => document.querySelector(".history")?.open && !document.hidden;
  const ask = () => studio.send("gauge", "history", {});

  function runs(points) {  // a line breaks where nothing was measured
    const found = [];
    points.forEach((value, place) => {
      if (value === null) return;
      if (!place || points[place - 1] === null) found.push([]);
      found.at(-1).push([place, (HEIGHT - 1) - value * (HEIGHT - 2)]);
    });
    return found.map((run) => (run.length > 1 ? run : [run[0], [run[0][0] + 0.6, run[0][1]]]));
  }

  function drawing(plot) {
    const last = plot.points.length - 1;
    const image = shape("svg", { viewBox: `0 0 ${last} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": plot.text });
    for (const run of runs(plot.points)) {
      const line = run.map(([x, y]) => `${x},${y.toFixed(1)}`).join(" ");
      image.append(
        shape("polygon", { points: `${run[0][0]},${HEIGHT} ${line} ${run.at(-1)[0]},${HEIGHT}`, class: "area" }),
        shape("polyline", { points: line, class: "line", "vector-effect": "non-scaling-stroke" }));
    }
    return image;
  }

  function row(plot) {
    const made = studio.element("div", "");
    made.className = `history-plot plot-${plot.kind}`;
    const words = studio.element("p", plot.text);
    words.setAttribute("aria-hidden", "true");  // the drawing says the same
    made.append(words, drawing(plot));
    return made;
  }

  function paint(history) {
    const body = document.querySelector(".history-body");
    if (!body) return;
    const parts = history.parts.map((part) => {
      const made = studio.element("section", "");
      made.append(studio.element("h4", part.title), ...part.plots.map(row));
      return made;
    });
    body.replaceChildren(...(history.empty ? [studio.element("p", history.empty)] : parts));
  }

  studio.join("gauge", { painters: { history: paint }, heard: (view) => { if (view.language && isSeen()) ask(); } });
  document.addEventListener("toggle", (event) => { if (event.target.matches?.(".history") && event.target.open) ask(); }, true);
  setInterval(() => { if (isSeen()) ask(); }, EVERY_MS);
})();
