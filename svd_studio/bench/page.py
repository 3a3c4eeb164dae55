"""Measure how soon the page can be used, without and with many clips, against an empty Gradio page.

All on the same machine, in the same browser.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from svd_studio.bench.queue import PICTURE, keep
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput
from svd_studio.core.progress import Progress
from svd_studio.studio import Studio
from svd_studio.video.encode import encode_clip
from svd_studio.video.pictures import open_picture
from svd_studio.video.poster import make_poster

EMPTY = (
    "import sys, gradio as gr\n"
    "with gr.Blocks() as page: gr.Button('ready', elem_id='generate')\n"
    "page.launch(server_port=int(sys.argv[1]), quiet=True)"
)
CLIPS = 1000
PATIENCE_S = 120.0
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def bench_page(pairs: int, as_json: bool) -> int:
    """Print the seconds from starting the process to a button that can be pressed, interleaved."""
    if pairs < 1:
        raise BadInput("bench.pairs", given=pairs)
    browser_path = next(
        (found for name in ("chromium", "google-chrome", "chrome") if (found := shutil.which(name))), ""
    )
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise BadInput("bench.needs_browser") from None
    if not browser_path:
        raise BadInput("bench.needs_browser")
    app = Path(__file__).parents[2] / "app.py"
    seconds: dict[str, list[float]] = {"empty_gradio": [], "ours": [], "ours_with_clips": []}
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(prefix="svd-studio-") as folder:
        few, many = Path(folder) / "few", Path(folder) / "many"
        _fill(many)
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        for _ in range(pairs):
            seconds["empty_gradio"].append(_seconds_to_ready(browser, ["-c", EMPTY]))
            for name, data in (("ours", few), ("ours_with_clips", many)):
                seconds[name].append(
                    _seconds_to_ready(browser, [str(app), "--data", str(data), "--no-browser", "--port"])
                )
        browser.close()
    report = {
        "pairs": pairs,
        "clips": CLIPS,
        **{f"{name}_s": round(statistics.median(found), 2) for name, found in seconds.items()},
        "difference_s": _difference(seconds["ours"], seconds["empty_gradio"]),
        "difference_with_clips_s": _difference(seconds["ours_with_clips"], seconds["ours"]),
    }
    print(json.dumps(report, indent=2) if as_json else "\n".join(f"{key}: {value}" for key, value in report.items()))
    return 0


def _fill(data: Path) -> None:
    """Keep many clips there, all the same small film."""
    studio = Studio(StudioConfig(data))
    frames = [np.asarray(open_picture(PICTURE).resize((256, 144)))] * 14
    with tempfile.TemporaryDirectory(prefix="svd-studio-") as folder:
        film, poster = Path(folder) / "film.mp4", Path(folder) / "film.webp"
        encode_clip(frames, film, 7, (256, 144), "", Progress(), len(frames))
        make_poster(frames[0], poster, "")
        keep(studio, CLIPS, film.read_bytes(), poster.read_bytes())
    studio.database.connection.close()


def _difference(mine: list[float], theirs: list[float]) -> float:
    return round(statistics.median(one - other for one, other in zip(mine, theirs, strict=True)), 2)


def _seconds_to_ready(browser: Any, arguments: list[str]) -> float:
    port = _free_port()
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"},
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/", process)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
        page.locator("#generate").wait_for(state="visible", timeout=PATIENCE_S * 1000)
        ready = time.perf_counter() - started
        page.close()
        return ready
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.02)
    raise BadInput("bench.no_page", url=url)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
