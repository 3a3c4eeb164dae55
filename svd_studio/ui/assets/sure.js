// One question before something that cannot be taken back: window.studio.sure(sentence, word, () => …).
window.studio.sure = (() => {
  const { text, element } = window.studio;
  let dialog = null, agreed = null;

  function draw() {
    dialog = Object.assign(element("dialog", ""), { className: "sheet sure" });
    const buttons = Object.assign(element("div", ""), { className: "sheet-buttons" });
    const yes = Object.assign(element("button", ""), { type: "button", className: "button sure-yes" });
    const no = Object.assign(element("button", ""), { type: "button", className: "button quiet sure-no" });
    yes.addEventListener("click", () => { dialog.close(); agreed?.(); });
    no.addEventListener("click", () => dialog.close());
    buttons.append(yes, no);
    dialog.append(Object.assign(element("h3", ""), { id: "sure-question" }), buttons);
    dialog.setAttribute("aria-labelledby", "sure-question");
    document.querySelector("#rooms .prose").append(dialog);  // where our buttons keep their looks
  }

  return (sentence, word, then) => {
    if (!dialog?.isConnected) draw();
    agreed = then;
    dialog.querySelector("h3").textContent = sentence;
    dialog.querySelector(".sure-yes").textContent = word;
    dialog.querySelector(".sure-no").textContent = text("page.sure.no");
    dialog.showModal();
    dialog.querySelector(".sure-no").focus();
  };
})();
