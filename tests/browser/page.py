"""The page as a person uses it."""

from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

from tests.journeys.window import Window

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
]
PATIENCE_MS = 60_000
CLOCKS = """
const write = Storage.prototype.setItem;
Storage.prototype.setItem = function (...what) { window.kept = performance.now(); return write.apply(this, what); };
document.addEventListener("input", () => { window.typed = performance.now(); }, true);
"""
IS_KEPT = "() => !window.typed || window.kept > window.typed || performance.now() > window.typed + 1000"


class StudioPage:
    """One browser of its own on a studio, with everything it asked for and complained about."""

    def __init__(
        self, chromium: Any, window: Window, locale: str = "en-US", width: int = 1280, password: str = ""
    ) -> None:
        self.window = window
        self.context = chromium.new_context(
            viewport={"width": width, "height": 900}, locale=locale, accept_downloads=True
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.add_init_script(CLOCKS)
        self.foreign: list[str] = []
        self.problems: list[str] = []
        self.page = self.context.new_page()
        self.page.on("request", self._hear)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        if password:
            self.sign_in(password)
        self.load()

    def another_tab(self) -> "StudioPage":
        """The same browser's second page on the studio."""
        tab = copy(self)
        tab.page = self.context.new_page()
        tab.page.on("request", self._hear)
        tab.page.on("pageerror", lambda error: self.problems.append(str(error)))
        tab.load()
        return tab

    def sign_in(self, password: str) -> None:
        """Give the password on the page that asks for it."""
        self.page.goto(self.window.url)
        self.page.fill("input[type=password]", password)
        self.page.locator("input:not([type=password])").first.fill("owner")
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("body.is-ready")

    def _hear(self, request: Any) -> None:
        if not request.url.startswith((self.window.url, "data:", "blob:")):
            self.foreign.append(request.url)

    def load(self) -> None:
        """Open the page, or open it again once the browser keeps what was typed: Gradio takes a fifth of a second."""
        self.page.wait_for_function(IS_KEPT)
        self.page.goto(self.window.url)
        self.page.wait_for_selector("body.is-ready")

    def drop(self, picture: Path) -> None:
        """Give a picture and wait until it is shown."""
        before = self.page.get_attribute(".framed", "src")
        self.page.set_input_files("#picture input[type=file]", picture)
        self.page.wait_for_function("before => document.querySelector('.framed').src !== before", arg=before)

    def set_number(self, field: str, value: int) -> None:
        """Type into a slider's number."""
        box = self.page.locator(f"#field-{field} input[type=number]")
        box.fill(str(value))
        box.press("Tab")

    def make_it_small(self, frames: int = 2, steps: int = 2) -> None:
        """Ask for as little work as possible."""
        self.set_number("frames", frames)
        self.set_number("steps", steps)

    def generate(self) -> None:
        self.page.click("#generate")

    def wait_for_mode(self, mode: str) -> None:
        """Wait until the stage shows: welcome, waiting, preview or clip."""
        self.page.wait_for_selector(f"body[data-mode={mode}]")

    def wait_until_idle(self) -> None:
        """Wait until nothing of one's own runs or waits, and Generate can be pressed."""
        self.page.wait_for_selector("body:not([data-mode=waiting]):not([data-mode=preview]) #generate:not([disabled])")

    def wait_until(self, condition: Callable[[], Any]) -> None:
        """Let the browser go on until something holds here."""
        for _ in range(2 * PATIENCE_MS // 50):
            if condition():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("it did not happen")

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).first.inner_text())

    def field(self, name: str) -> str:
        return str(self.page.locator(f"#field-{name} >> css=input, textarea").first.input_value())
