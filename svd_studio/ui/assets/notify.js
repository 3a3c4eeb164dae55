// Tell somebody who looks elsewhere that the clips are made: by a message of the browser, by a sound, or not at all.
// It speaks once, when nothing of one's own waits or runs any more. The choice is this browser's own.
(() => {
  const { text, fill, join, show } = window.studio;
  const find = (selector) => document.querySelector(selector);
  const KEPT = "svd-studio-notify", WAYS = ["off", "sound", "message"];
  const NOTES = [[660, 0], [880, 0.14]];  // hertz, seconds after the first
  let ended = [], active = null, speaker = null;

  // ---- what is chosen --------------------------------------------------------------------------
  function chosen() {
    let kept = null;
    try { kept = localStorage.getItem(KEPT); } catch { /* a browser that keeps nothing */ }
    if (!WAYS.includes(kept)) return "off";
    return kept === "message" && window.Notification?.permission !== "granted" ? "off" : kept;
  }

  function keep(way) {
    try { localStorage.setItem(KEPT, way); } catch { /* it holds until the page is left, as far as it can */ }
    paint();
  }

  async function choose(way) {
    if (way === "message" && !(await mayTell())) return;
    keep(way);
    if (way === "sound") ring();  // heard at once, and browsers let only those ring who were pressed
  }

  async function mayTell() {
    if (!window.isSecureContext || !window.Notification) return refuse("page.notify.elsewhere");
    if ((await Notification.requestPermission()) === "granted") return true;
    return refuse("page.notify.refused");
  }

  function refuse(code) {
    show({ notice: text(code) });
    return false;
  }

  function paint() {
    const bell = find(".bell");
    if (!bell) return;
    bell.dataset.way = chosen();
    bell.title = `${text("page.notify.label")}: ${text(`page.notify.${chosen()}`)}`;
    bell.setAttribute("aria-label", bell.title);
  }

  // ---- hearing and telling -----------------------------------------------------------------------
  function heard({ job }) {
    if (job === undefined) return;
    const runs = job && (job.status === "queued" || job.status === "running");
    if (job && !runs && active === job.id && job.status !== "cancelled") ended.push({ title: job.name, status: job.status });
    active = runs ? job.id : null;
    if (job || !ended.length) return;  // there is more to come, or nothing to tell
    tell(ended);
    ended = [];
  }

  function tell(jobs) {
    const way = chosen();
    if (way === "sound") ring();
    if (way === "message" && !(document.visibilityState === "visible" && document.hasFocus())) post(sentence(jobs));
  }

  function sentence(jobs) {  // without a number: a page that nobody sees looks so rarely that it may miss some
    const failed = jobs.some((job) => job.status === "failed");
    if (jobs.length === 1) return fill(text(failed ? "page.notify.one_failed" : "page.notify.one"), jobs[0]);
    return text(failed ? "page.notify.some_failed" : "page.notify.many");
  }

  function post(words) {
    try {
      const message = new Notification("SVD Studio", { body: words, tag: "svd-studio", icon: find("link[rel~=icon]")?.href });
      message.onclick = () => { window.focus(); message.close(); };
    } catch {  // phones show messages of installed pages only
      ring();
    }
  }

  function ring() {
    speaker ||= new AudioContext();
    speaker.resume();
    for (const [pitch, after] of NOTES) {
      const tone = speaker.createOscillator(), loud = speaker.createGain(), at = speaker.currentTime + after;
      tone.frequency.value = pitch;
      loud.gain.setValueAtTime(0.18, at);
      loud.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
      tone.connect(loud).connect(speaker.destination);
      tone.start(at);
      tone.stop(at + 0.5);
    }
  }

  // ---- hands -----------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const bell = event.target.closest?.(".bell");
    const entry = (way) => [`page.notify.${way}`, () => choose(way), way === chosen()];
    if (bell) window.studio.openMenu(bell, WAYS.map(entry));
  });
  document.addEventListener("pointerdown", () => {  // after a reload a browser lets nobody ring before the first press
    if (chosen() === "sound") (speaker ||= new AudioContext()).resume();
  }, { once: true });

  join("notify", { heard });
  new MutationObserver(paint).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
})();
