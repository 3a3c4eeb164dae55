"""Measure how soon the page can be used, against an empty Gradio page on the same machine, in the same browser."""

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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from svd_studio.core.errors import BadInput

EMPTY = (
    "import sys, gradio as gr\n"
    "with gr.Blocks() as page: gr.Button('ready', elem_id='generate')\n"
    "page.launch(server_port=int(sys.argv[1]), quiet=True)"
)
PATIENCE_S = 120.0
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def bench_page(pairs: int, as_json: bool) -> int:
    """Print the seconds from starting the process to a button that can be pressed, ours and empty, interleaved."""
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
    ours: list[float] = []
    empty: list[float] = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as data:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        for _ in range(pairs):
            empty.append(_seconds_to_ready(browser, lambda port: ["-c", EMPTY, str(port)]))
            ours.append(
                _seconds_to_ready(browser, lambda port: [str(app), "--port", str(port), "--data", data, "--no-browser"])
            )
        browser.close()
    report = {
        "pairs": pairs,
        "ours_s": round(statistics.median(ours), 2),
        "empty_gradio_s": round(statistics.median(empty), 2),
        "difference_s": round(statistics.median(mine - theirs for mine, theirs in zip(ours, empty, strict=True)), 2),
    }
    print(json.dumps(report, indent=2) if as_json else "\n".join(f"{key}: {value}" for key, value in report.items()))
    return 0


def _seconds_to_ready(browser: Any, arguments: Callable[[int], list[str]]) -> float:
    port = _free_port()
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"},
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/", process)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
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
