"""What each of the guide's pictures shows: the page is brought there as a person would do it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guide_clips import Made, add_to_queue

from svd_studio.studio import Studio

Clip = dict[str, float]
PATIENCE_MS = 120_000
READY = "document.querySelector('{video}').readyState > 1"


@dataclass(frozen=True)
class Scene:
    """Where the studio is, in which language it is shown, and which clips it has."""

    browser: Any
    url: str
    door: str
    language: str
    studio: Studio
    made: Made

    @contextmanager
    def page(self, width: int, height: int) -> Iterator[Any]:
        """A fresh browser's page on the studio."""
        locale = "en-US" if self.language == "en" else self.language
        context = self.browser.new_context(viewport={"width": width, "height": height}, locale=locale)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(self.url)
        page.wait_for_selector("body.is-ready")
        page.wait_for_timeout(500)  # what the page keeps from before is in the form
        yield page
        context.close()


def whole(page: Any, height: int | None = None) -> Clip:
    """Everything that the window shows, once it is as high as that."""
    if height:
        page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    return {"x": 0, "y": 0, **page.viewport_size}


def around(page: Any, first: str, last: str) -> Clip:
    """The page's width from above one element to below another; the window grows so that both are seen."""
    page.set_viewport_size({"width": page.viewport_size["width"], "height": 2000})
    page.wait_for_timeout(500)
    top = page.locator(first).first.bounding_box()["y"] - 16
    below = page.locator(last).last.bounding_box()
    return {"x": 0, "y": top, "width": page.viewport_size["width"], "height": below["y"] + below["height"] + 16 - top}


def enter(page: Any, room: str, until: str) -> None:
    """Go to a room and wait for what is in it."""
    page.click(f".rooms [data-room={room}]")
    page.wait_for_selector(until)


def show_clip(scene: Scene, page: Any, name: str) -> None:
    """Look at a finished clip on the Animate page, held at its middle."""
    page.click(f".recent button[data-clip='{scene.made.clips[name]}']")
    page.wait_for_selector("body[data-mode=clip]")
    hold(page, ".player")


def hold(page: Any, video: str) -> None:
    """Stop a player in the middle of its clip."""
    page.wait_for_function(READY.replace("{video}", video))
    page.eval_on_selector(video, "video => { video.pause(); video.currentTime = video.duration / 2; }")


def open_clip(scene: Scene, page: Any, name: str) -> None:
    """Open a clip of the Gallery."""
    enter(page, "gallery", ".gallery-card")
    page.click(f"[data-clip='{scene.made.clips[name]}'] .gallery-open")
    page.wait_for_selector(".gallery-detail[open] .gallery-side:not(.is-waiting)")


def first_clip(scene: Scene, page: Any) -> Clip:
    """A clip of the picture that lies ready."""
    show_clip(scene, page, "mountains")
    page.evaluate("scrollTo(0, 0)")
    return whole(page)


def picture(scene: Scene, page: Any) -> Clip:
    """A square frame on a picture, zoomed in and dragged."""
    page.click("[data-sample=pagoda]")
    page.click("#field-shape label:nth-of-type(4)")
    page.wait_for_function("document.querySelector('.picture-facts').textContent.startsWith('192 × 192')")
    page.locator("#crop-zoom").fill("1.3")
    page.focus(".crop-window")
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    return around(page, "#controls", "#field-prompt")


def looks(scene: Scene, page: Any) -> Clip:
    """A look is put on and the dial stands on good."""
    show_clip(scene, page, "sunset")
    page.click("#look-gentle-drift")
    page.wait_for_selector("#look-gentle-drift.is-chosen")
    page.click("#field-speed label:nth-of-type(2)")
    return around(page, "#looks", "#field-steps")


def words(scene: Scene, page: Any) -> Clip:
    """The prompt builder with a suggestion pressed in two parts."""
    page.click("[data-builder=open]")
    page.click("[data-builder-chips=scene] .chip:nth-child(1)")
    page.click("[data-builder-chips=camera] .chip:nth-child(5)")
    return whole(page, 960)


def gauge(scene: Scene, page: Any) -> Clip:
    """A clip is being made, and the gauge tells what it takes."""
    add_to_queue(scene.studio, scene.made, ["sunset"], steps=30)
    page.wait_for_selector("body[data-mode=preview]")
    page.click(".history summary")
    page.wait_for_timeout(3000)
    return around(page, "#stage", "#meter")


def queue(scene: Scene, page: Any) -> Clip:
    """One clip runs, three wait, some are done."""
    jobs = add_to_queue(scene.studio, scene.made, ["sunset", "coffee", "pagoda", "mountains"], steps=30)
    enter(page, "queue", f"[data-group=running] [data-job='{jobs[0]}']")
    page.wait_for_timeout(4000)
    return whole(page)


def gallery(scene: Scene, page: Any) -> Clip:
    """The clips, the best first."""
    enter(page, "gallery", ".gallery-card")
    page.select_option(".gallery-order", "best")
    page.wait_for_timeout(1500)
    return whole(page, 420)


def compare(scene: Scene, page: Any) -> Clip:
    """Two clips under one edge."""
    open_clip(scene, page, "sunset")
    page.click(".gallery-detail [data-wipe=with]")
    page.click(f"[data-clip='{scene.made.clips['mountains']}'] .gallery-open")
    page.wait_for_function("[...document.querySelectorAll('.wipe video')].every(video => video.currentTime > 0)")
    page.keyboard.press("Space")
    return whole(page)


def finishing(scene: Scene, page: Any) -> Clip:
    """A finished clip over itself as it was before."""
    show_clip(scene, page, "pagoda")
    page.click(".clip [data-result=before]")
    page.wait_for_function("[...document.querySelectorAll('.wipe video')].every(video => video.currentTime > 0)")
    page.keyboard.press("Space")
    return whole(page)


def take(scene: Scene, page: Any) -> Clip:
    """One clip with the ways to take it along."""
    open_clip(scene, page, "mountains")
    hold(page, ".gallery-detail video")
    page.click(".gallery-detail .as")
    page.wait_for_selector(".menu")
    return whole(page)


def longer(scene: Scene, page: Any) -> Clip:
    """A finished clip, and the question from where it shall go on."""
    show_clip(scene, page, "sunset")
    shown = around(page, "#stage", ".recent")
    page.click(".clip [data-result=longer]")
    page.wait_for_selector(".menu")
    return shown


def variants(scene: Scene, page: Any) -> Clip:
    """Three motions of one picture side by side."""
    page.goto(f"{scene.url}/#variants-{scene.made.comparison}")
    page.reload()
    page.wait_for_function("document.querySelectorAll('.compare video.is-ready').length === 3")
    page.wait_for_timeout(1500)
    page.keyboard.press("Space")
    return whole(page, 540)


def models(scene: Scene, page: Any) -> Clip:
    """What there is to get."""
    enter(page, "models", "#room-models article, #room-models .model, #room-models li")
    page.wait_for_timeout(1500)
    return whole(page)


def system(scene: Scene, page: Any) -> Clip:
    """What this computer has."""
    enter(page, "system", "#room-system")
    page.wait_for_selector(".system-part:not([hidden]) .system-folders li")
    return around(page, ".system-part:has(.system-workers)", ".system-part:has(.system-heat)")


def sharing(scene: Scene, page: Any) -> Clip:
    """The door that visitors come to."""
    page.goto(scene.door)
    page.wait_for_selector("input[type=password]")
    page.wait_for_timeout(1000)
    return whole(page, 480)


def trouble(scene: Scene, page: Any) -> Clip:
    """A picture that was cut off on its way."""
    sample = Path(__file__).resolve().parent.parent / "presets" / "pictures" / "pagoda.jpg"
    name = f"{scene.made.titles['pagoda']}.jpg"
    broken = {"name": name, "mimeType": "image/jpeg", "buffer": sample.read_bytes()[:2000]}
    page.set_input_files("#picture input[type=file]", broken)
    page.wait_for_selector("#picture .problem")
    return around(page, "#controls", "#stage")


SCENES: dict[str, Callable[[Scene, Any], Clip]] = {
    "first-clip": first_clip,
    "picture": picture,
    "looks": looks,
    "words": words,
    "gauge": gauge,
    "queue": queue,
    "gallery": gallery,
    "compare": compare,
    "finishing": finishing,
    "take": take,
    "longer": longer,
    "variants": variants,
    "models": models,
    "system": system,
    "sharing": sharing,
    "trouble": trouble,
}
"""The pictures by name, in the order of the guide."""
