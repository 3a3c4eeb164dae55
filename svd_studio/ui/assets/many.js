// Several pictures at once: they go to the studio one after another, and each that is taken is a job of its own.
(() => {
  const { text, fill, element, join, send, go, upload } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const MOST = 200, MOST_REFUSALS = 6, PATIENCE_MS = 60000;
  let heap = null;  // the pictures of one drop, until the next one
  let number = 0;  // of the picture that is on its way: a late answer counts for nothing

  function take(files) {
    if (heap?.asking) heap.left.push(...files);
    else heap = { left: files, taken: [], refused: [], all: 0, over: 0 };
    heap.all += files.length;
    if (heap.all > MOST) {
      heap.over += heap.all - MOST;
      heap.left.splice(heap.left.length - (heap.all - MOST));
      heap.all = MOST;
    }
    if (!heap.asking) next();
    paint();
  }

  async function next() {
    const file = heap.left.shift(), mine = heap;
    mine.asking = !!file;
    paint();
    if (!file) return;
    const lost = { number: ++number, refused: `${file.name}: ${text("page.picture.not_sent")}` };
    mine.patience = setTimeout(() => answer(lost), PATIENCE_MS);
    try {
      const { path } = await upload(file);
      if (lost.number !== number) return;  // it was told as lost, and must not become a clip in secret
      send("animate", "many", { path, name: file.name, number: lost.number });
    } catch {
      answer(lost);
    }
  }

  function answer({ number: answered, job, refused, stopped }) {
    if (!heap?.asking || answered !== number) return;
    number += 1;
    clearTimeout(heap.patience);
    if (job) heap.taken.push(job);
    if (refused) heap.refused.push(refused);
    if (stopped) {
      heap.refused.push(stopped);
      heap.left = [];
    }
    next();
  }

  function paint() {
    const place = find(".many"), busy = heap?.asking;
    place.hidden = !heap;
    if (!heap) return;
    const done = heap.taken.length + heap.refused.length;
    place.querySelector(".many-line").textContent = busy
      ? fill(text("page.many.busy"), { n: done + 1, all: heap.all })
      : fill(text(heap.taken.length ? "page.many.taken" : "page.many.none"), { n: heap.taken.length });
    const problems = heap.refused.slice(0, MOST_REFUSALS);
    if (heap.refused.length > MOST_REFUSALS) problems.push(fill(text("page.many.more"), { n: heap.refused.length - MOST_REFUSALS }));
    if (heap.over) problems.push(fill(text("page.many.over"), { most: MOST, n: heap.over }));
    place.querySelector(".many-refused").replaceChildren(...problems.map((sentence) => element("li", sentence)));
    for (const [name, shown] of Object.entries({ stop: busy, show: !busy && heap.taken.length, back: !busy && heap.taken.length, close: !busy }))
      place.querySelector(`[data-many=${name}]`).hidden = !shown;
  }

  const GIVEN = {
    stop: () => { heap.left = []; },
    show: () => go("queue"),
    back: () => { send("queue", "act", { what: "take_back", jobs: heap.taken }); heap = null; paint(); },
    close: () => { heap = null; paint(); },
  };
  document.addEventListener("click", (event) => GIVEN[event.target.closest?.("[data-many]")?.dataset.many]?.());

  join("many", { painters: { many: answer }, take });
})();
