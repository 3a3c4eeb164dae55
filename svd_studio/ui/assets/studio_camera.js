// A start picture from the camera of the person's own machine.
(() => {
  const { text, element } = window.studio;
  const find = (selector) => document.querySelector(selector);

  async function open() {
    const dialog = find(".webcam"), video = dialog.querySelector("video"), problem = dialog.querySelector(".webcam-problem");
    problem.textContent = "";
    dialog.showModal();
    if (!navigator.mediaDevices) {  // browsers give no camera to a page of another machine without https
      problem.textContent = text("page.camera.elsewhere");
      return;
    }
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1920 } } });
    } catch {
      problem.textContent = text("page.camera.refused");
    }
  }
  function close() {
    const dialog = find(".webcam"), video = dialog.querySelector("video");
    video.srcObject?.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    dialog.close();
  }
  function shoot() {
    const video = find(".webcam video");
    if (!video.videoWidth) return;
    const canvas = element("canvas", "");
    Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => window.studio.takeFile(new File([blob], "camera.png", { type: "image/png" })), "image/png");
    close();
  }

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest?.(selector);
    if (on(".camera")) open();
    else if (on(".shoot")) shoot();
    else if (on(".webcam .close")) close();
  });
})();
