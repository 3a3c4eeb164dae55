// The job that runs: how far it is, what it looks like by now, and how the last one ended.
(() => {
  const { text, join, put, state, arrange, holdGenerate } = window.studio;
  const find = (selector) => document.querySelector(selector);

  function paintJob(job) {
    const before = state.job;
    state.job = job;
    if (before && job && before.id !== job.id) delete find(".preview").dataset.src;
    const active = job && (job.status === "queued" || job.status === "running");
    state.busy = !!active;
    if (!active) loading = null;
    document.title = (active ? job.title : "") + "SVD Studio";
    const outcome = find(".outcome");
    if (active) {
      outcome.hidden = true;
      find(".track i").style.width = job.percent + "%";
      find(".running .track").setAttribute("aria-valuenow", job.percent);
      put(".line", state.stopping === job.id ? text("page.job.stopping") : job.line);
      put(".eta", job.eta);
      put(".job-note", job.note || "");
      put(".waiting span", job.line);
      paintPreview(job);
    } else if (job && (job.status === "failed" || job.status === "cancelled")) {
      outcome.textContent = job.line;
      outcome.classList.toggle("is-bad", job.status === "failed");
      outcome.hidden = false;
    } else if (job && job.status === "done") outcome.hidden = true;
    holdGenerate();
    if (!active && before) state.stopping = null;
  }

  let loading = null;
  function paintPreview(job) {
    const image = find(".preview");
    if (!job.preview || image.dataset.src === job.preview || loading === job.preview) return;
    loading = job.preview;
    const next = new Image();  // swapped only when it is whole, so that nothing blinks
    next.onload = () => { image.src = next.src; image.dataset.src = job.preview; image.hidden = false; arrange(); };
    next.src = job.preview;
  }

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#cancel") || !state.job) return;
    state.stopping = state.job.id;
    put(".line", text("page.job.stopping"));
  });

  join("job", { painters: { job: paintJob } });
})();
