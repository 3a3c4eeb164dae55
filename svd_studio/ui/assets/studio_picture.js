// The start picture: dropped, chosen, pasted or one of ours; what it is, and that it is on its way.
(() => {
  const { text, join, go, send, upload, state, rooms, showProblem, holdGenerate } = window.studio;
  const find = (selector) => document.querySelector(selector);

  function paintPicture(picture) {
    const box = find(".picture");
    if (!box) return;
    if (state.sending) { state.shown = picture; return; }  // shown when what is on its way has come or failed
    state.shown = picture;
    box.dataset.state = picture ? "ready" : "empty";
    const image = box.querySelector(".framed");
    image.hidden = !picture;
    if (picture) {
      image.src = picture.src;
      image.alt = picture.name;
    } else image.removeAttribute("src");
    box.querySelector(".picture-facts").textContent = picture ? picture.facts : "";
    for (const button of box.querySelectorAll("[data-sample]"))
      button.setAttribute("aria-pressed", String(picture?.sample === button.dataset.sample));
  }

  // Pictures are numbered: the last one given wins, however long an earlier one takes. Until Python has seen it,
  // Generate is held back, because it would animate the picture before.
  let given = 0, asking = false, next = null;

  async function takeFile(file) {
    const number = ++given;
    if (!file) return;
    holdPicture(true);
    try {
      const { path } = await upload(file);
      if (number === given) giveFile({ path, name: file.name || "" });
    } catch {
      if (number !== given) return;
      holdPicture(false);
      showProblem(find("#picture"), text("page.picture.not_sent"));
    }
  }

  function takeFiles(files) {  // one picture for the form, or many for the queue
    if (files.length > 1) rooms.many.take([...files]);
    else takeFile(files[0]);
  }

  function giveFile(file) {  // recall.js gives it again, `plain`, when a poster is wanted as a picture
    state.file = file;
    holdPicture(true);
    givePicture("picture", file);
  }

  function takeSample(name) {
    given += 1;
    holdPicture(true);
    givePicture("sample", { name });
  }

  function givePicture(event, data) {  // one at a time, so that answers come in order
    if (asking) { next = [event, data]; return; }
    asking = true;
    setTimeout(() => { if (asking) nextPicture(); }, 20000);  // an answer that never comes must not hold the page
    send("animate", event, data);
  }

  function nextPicture() {
    if (!asking) return;
    asking = false;
    if (next) { const [event, data] = next; next = null; givePicture(event, data); }
    else holdPicture(false);
  }

  function holdPicture(held) {
    state.sending = held;
    if (held) {
      showProblem(find("#picture"), null);
      find(".picture").dataset.state = "busy";
    } else paintPicture(state.shown);
    holdGenerate();
  }

  // ---- hands ---------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const sample = event.target.closest?.("[data-sample]");
    if (sample) takeSample(sample.dataset.sample);
    else if (event.target.closest?.(".swap")) find(".drop input").click();
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.(".drop input")) return;
    takeFiles(event.target.files);
    event.target.value = "";
  });
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files || [])].find((one) => /^(image|video)\//.test(one.type) || !one.type);
    if (file) { event.preventDefault(); go("animate"); takeFile(file); }
  });
  for (const name of ["dragover", "dragenter"])
    document.addEventListener(name, (event) => {
      if (![...(event.dataTransfer?.types || [])].includes("Files")) return;
      event.preventDefault();
      document.body.classList.add("is-dropping");
    });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("is-dropping"); });
  document.addEventListener("drop", (event) => {
    document.body.classList.remove("is-dropping");
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    go("animate");
    takeFiles(event.dataTransfer.files);
  });

  window.studio.takeFile = takeFile;
  window.studio.giveFile = giveFile;
  join("picture", {
    painters: {
      picture: paintPicture,
      picture_error: (sentence) => showProblem(find("#picture"), sentence),
      taken: nextPicture,
    },
  });
})();
