"""Takes the pictures of docs/guide.md and docs/guide.zh-CN.md from a studio that it starts on an empty folder.

`.venv/bin/python tools/screenshots.py [NAME ...]` writes docs/guide/NAME.LANGUAGE.webp; the clips in them are made by
SVD-Nano. What each picture shows stands in guide_scenes.py.
"""

import argparse
import io
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from guide_clips import make_clips, rest
from guide_scenes import SCENES, Scene

from svd_studio.core.config import StudioConfig
from svd_studio.studio import Studio
from svd_studio.ui.texts import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "guide"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
WIDTH, HEIGHT = 1280, 800
PATIENCE_S = 240
QUALITY, LARGEST = 80, 120_000


def main() -> None:
    """Take all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *SCENES], metavar="NAME", help="which pictures; else all")
    names = parser.parse_args().names or list(SCENES)
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="svd-studio-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        take_all(browser, names, Path(folder))
        browser.close()


def take_all(browser: Any, names: list[str], folder: Path) -> None:
    """Take the pictures in every language, one studio for both: what was rendered once is not rendered again."""
    studio = Studio(StudioConfig(folder / "data"))
    with opened(studio.config.data) as url, opened(folder / "door", "--listen") as door:
        for language in LANGUAGES:
            made = make_clips(studio, language)
            for name in names:
                started = time.monotonic()
                take(Scene(browser, url, door, language, studio, made), name)
                rest(studio)
                print(f"{name}.{language}: {time.monotonic() - started:.0f} s", flush=True)


def take(scene: Scene, name: str) -> None:
    """Set a scene and keep its picture."""
    with scene.page(WIDTH, HEIGHT) as page:
        shown = SCENES[name](scene, page)
        page.wait_for_timeout(700)  # what glides on the page has arrived
        write(page.screenshot(clip=shown), FOLDER / f"{name}.{scene.language}.webp")


def write(screenshot: bytes, path: Path) -> None:
    """Keep a picture small enough for a guide. Raises SystemExit when it is not."""
    Image.open(io.BytesIO(screenshot)).convert("RGB").save(path, quality=QUALITY, method=6)
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{path.name} has {path.stat().st_size} bytes, more than {LARGEST}: show less of the page.")


@contextmanager
def opened(data: Path, *arguments: str) -> Iterator[str]:
    """A studio in a process of its own, by its address."""
    data.mkdir()
    port = free_port()
    command = [sys.executable, str(ROOT / "app.py"), "--data", str(data), "--port", str(port), "--no-browser"]
    with (data / "window.log").open("wb") as output:
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        process = subprocess.Popen([*command, *arguments], stdout=output, stderr=output, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a page answers, be it with a refusal. Raises SystemExit when it does not."""
    for _ in range(PATIENCE_S * 5):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
        if process.poll() is not None:
            break
    raise SystemExit("The studio did not open: run app.py to see why.")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
