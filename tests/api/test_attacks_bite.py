"""The attack suite against a naive app: most of what the guard refuses succeeds there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.test_guard import ATTACKS, CONTENT
from tests.api.window import ROOT, Answer, Window, free_port, send_raw
from tests.waiting import until


@pytest.fixture(scope="module")
def naive_port() -> Iterator[int]:
    port = free_port()
    quiet = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"}
    with subprocess.Popen([sys.executable, "-m", "tests.api.naive_app", str(port)], cwd=ROOT, env=quiet) as process:
        until(lambda: attempt(port, "GET", "/config", {}) is not None, 60)
        yield port
        process.kill()


@pytest.mark.slow
def test_at_least_forty_attacks_and_twenty_of_them_work_on_a_naive_app(naive_port: int) -> None:
    assert len(ATTACKS) >= 40
    worked = []
    for name, (_, method, path, headers) in ATTACKS.items():
        if "Content-Length" in headers:
            continue  # it would only wait for the body
        filled = {header: value.format(port=naive_port, uploads="/tmp") for header, value in headers.items()}
        answer = attempt(naive_port, method, path.format(port=naive_port, uploads="/tmp"), filled)
        if answer is not None and answer.status < 400:
            worked.append(name)
    assert len(worked) >= 20, worked
    assert {"host rebound to us", "cross-site upload without origin", "file of the system"} <= set(worked)


def test_a_handler_that_answers_with_a_file_by_name_hands_out_files_on_a_naive_app_and_not_here(
    naive_port: int, window: Window, tmp_path: Path
) -> None:
    """Gradio copies a file that an answer names to where anybody reads it, also from the system's temporary folder."""
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP SECRET")
    assert "TOP SECRET" in handed_out(f"http://127.0.0.1:{naive_port}", secret)
    assert "TOP SECRET" not in handed_out(window.url, secret)
    assert not list(window.config.uploads.rglob("secret.txt"))


def handed_out(url: str, secret: Path) -> str:
    """What a visitor gets of a file of the disk."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        answer = client.post("/gradio_api/run/keep", json={"data": [], "event_data": {"name": str(secret)}})
        found = re.findall(r'"path":"([^"]*secret.txt)"', answer.text)
        return "".join(client.get(f"/gradio_api/file={path}").text for path in found)


def attempt(port: int, method: str, path: str, headers: dict[str, str]) -> Answer | None:
    """One request; None where nobody answers at all."""
    body = b"" if method == "GET" else CONTENT.get(path, b"")
    sent = {"Host": f"127.0.0.1:{port}", "Connection": "close", "Content-Length": str(len(body)), **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    try:
        return send_raw(port, "\r\n".join(lines).encode() + body)
    except (OSError, IndexError):
        return None
