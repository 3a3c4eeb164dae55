"""A studio that others in the network reach: one password, one guard, the same page."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from urllib.parse import urlencode

import pytest
from gradio_client import Client, handle_file

from svd_studio.core.job import JobStatus
from tests.journeys.window import ROOT, Window
from tests.waiting import until

PICTURE = ROOT / "presets" / "pictures" / "coffee.jpg"


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Window, str]]:
    with Window(tmp_path_factory.mktemp("listening"), "--listen", health=False) as window:
        until(lambda: "Ctrl-C" in window.log.read_text(), 60)
        found = re.search(r"\b[a-z0-9]{20}\b", window.log.read_text())
        assert found, window.log.read_text()
        yield window, found[0]


def ask(window: Window, path: str, **headers: str) -> int:
    request = urllib.request.Request(window.url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


def test_nothing_is_shown_without_the_password(listening: tuple[Window, str]) -> None:
    window, _ = listening
    for path in ("/health", "/metrics", "/media/abc", "/config", "/media/job/1/preview"):
        assert ask(window, path) == 401, path


def test_a_page_that_got_here_by_another_name_is_refused(listening: tuple[Window, str]) -> None:
    window, _ = listening
    assert ask(window, "/", Host="evil.example") in (400, 403, 421)


@pytest.mark.slow
def test_whoever_knows_the_password_makes_a_clip(listening: tuple[Window, str]) -> None:
    window, password = listening
    client = Client(window.url, auth=("owner", password), verbose=False)
    job_id = client.predict(handle_file(PICTURE), frames=2, steps=2, engine="svd-nano", api_name="/animate")
    until(lambda: client.predict(job_id, api_name="/job")["status"] == "done", 90)
    assert window.studio.queue.find([JobStatus.DONE])[0].owner == "owner"
    jar = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    jar.open(f"{window.url}/login", urlencode({"username": "owner", "password": password}).encode())
    clip = client.predict(job_id, api_name="/job")["clip"]
    assert jar.open(f"{window.url}/media/{clip}").status == 200


def test_the_address_for_others_is_printed_with_the_password(listening: tuple[Window, str]) -> None:
    window, _ = listening
    printed = window.log.read_text()
    assert "owner" in printed
    assert f":{window.port}" in printed
