"""A studio that others can reach: guests have their own corner, secrets stay inside, and nobody outside is asked."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from svd_studio.core.clip import ClipSettings
from svd_studio.core.job import JobStatus
from svd_studio.jobs.guests import MOST_JOBS
from svd_studio.studio import GUEST
from tests.journeys.window import Window, free_port
from tests.library.made_clips import Maker
from tests.waiting import until

pytestmark = pytest.mark.slow

TOKEN = "hf_PLANTEDplantedPLANTEDplanted0123"
SMALL = ClipSettings(frames=2, steps=1, width=64, height=64)
# Runs first in every Python of the studio, and writes down whom it wants to reach. 192.0.2.1 is nobody's (RFC 5737);
# the studio asks the system which card would lead there, and sends nothing.
LISTENER = """
import os, sys
def heard(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        place = arguments[0] if event == "socket.getaddrinfo" else arguments[1]
        host = place[0] if isinstance(place, tuple) else place
        near = ("127.0.0.1", "localhost", "::1", "0.0.0.0", "192.0.2.1", None)
        if isinstance(place, (tuple, str)) and host not in near:
            with open(os.environ["HEARD"], "a") as file:
                print(event, place, file=file)
sys.addaudithook(heard)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A token, a proxy that is dead, and a listener."""
    hook, dead = tmp_path_factory.mktemp("hook"), f"http://127.0.0.1:{free_port()}"
    (hook / "sitecustomize.py").write_text(LISTENER)
    listening = {"PYTHONPATH": str(hook), "HEARD": str(hook / "heard")}
    return {**listening, "HF_TOKEN": TOKEN, "HTTP_PROXY": dead, "HTTPS_PROXY": dead, "LANG": "en_US.UTF-8"}


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Window]:
    """A studio on the network."""
    with Window(tmp_path_factory.mktemp("house"), "--listen", environment=environment, health=False) as opened:
        until(lambda: "Ctrl-C" in opened.log.read_text(), 120)
        yield opened


@pytest.fixture(scope="module")
def owners_clip(window: Window) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        picture = window.studio.keep_picture(Path(__file__).parents[2] / "presets" / "pictures" / "sunset.jpg")
        yield Maker(window.studio, picture, patch).clip("mine alone")


def passwords(window: Window) -> list[str]:
    """The owner's and the guest's, as they are said once at the start."""
    return re.findall(r"\b[a-z0-9]{20}\b", window.log.read_text())


@pytest.fixture(scope="module")
def guest(window: Window) -> Any:
    from gradio_client import Client

    client = Client(window.url, auth=(GUEST, passwords(window)[1]), verbose=False)
    yield client
    client.close()


def test_a_guest_finds_nothing_of_the_owners(
    window: Window, guest: Any, owners_clip: Any, picture: Image.Image
) -> None:
    import httpx

    window.studio.queue.set_paused(True)
    source = window.data / "owners.png"
    picture.save(source)
    job = window.studio.submit(SMALL, source).job_id
    assert guest.predict(api_name="/clips") == []
    for verb in ("/job", "/cancel"):
        with pytest.raises(Exception, match="no job"):
            guest.predict(job, api_name=verb)
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in guest.cookies.items())}
    assert httpx.get(f"{window.url}/config", headers=headers).status_code == 200
    clip = f"/media/{owners_clip.id}"
    for path in (clip, f"{clip}/poster", f"{clip}/download", f"/media/job/{job}/picture", f"/media/job/{job}/preview"):
        assert httpx.get(window.url + path, headers=headers).status_code == 404, path
    assert httpx.get(f"{window.url}/metrics", headers=headers).status_code == 403
    assert window.studio.queue.get(job).status is JobStatus.QUEUED
    window.studio.cancel(job)


def test_a_guest_has_a_few_places_in_the_queue(
    window: Window, guest: Any, picture: Image.Image, tmp_path: Path
) -> None:
    from gradio_client import handle_file

    picture.save(tmp_path / "guests.png")
    for _ in range(MOST_JOBS):
        guest.predict(handle_file(tmp_path / "guests.png"), frames=2, steps=1, api_name="/animate")
    with pytest.raises(Exception, match=f"Guests may have {MOST_JOBS} clips waiting"):
        guest.predict(handle_file(tmp_path / "guests.png"), frames=2, steps=1, api_name="/animate")
    assert window.studio.queue.count(GUEST)[JobStatus.QUEUED] == MOST_JOBS
    for job in window.studio.queue.find([JobStatus.QUEUED]):
        window.studio.cancel(job.id)


NONSENSE: list[Any] = [None, "\0", {"a": [10**30]}, [["x"]]]


def test_nonsense_sent_to_every_event_of_the_page_is_answered_and_makes_no_job(window: Window, guest: Any) -> None:
    """Also those that are private: they run for whoever knows their number."""
    import httpx

    before = len(window.studio.queue.find())
    with httpx.Client(base_url=window.url, cookies=dict(guest.cookies), trust_env=False, timeout=60) as client:
        events = [event for event in client.get("/config").json()["dependencies"] if event["backend_fn"]]
        assert len(events) > 40
        for event in events:
            for value in NONSENSE:
                sent = {"data": [value] * len(event["inputs"]), "fn_index": event["id"], "session_hash": "x"}
                answer = client.post("/gradio_api/run/predict", json={**sent, "event_data": value})
                assert answer.status_code == 200 or answer.json()["error"].endswith("."), (event["api_name"], value)
    assert len(window.studio.queue.find()) == before
    assert "Traceback" not in window.log.read_text()


def test_gradio_fetches_no_file_that_a_field_names(window: Window, guest: Any) -> None:
    """The listener hears it otherwise, in the last test."""
    import httpx

    mark = {"_type": "gradio.FileData"}
    elsewhere = {"path": "https://203.0.113.9/x.png", "url": "https://203.0.113.9/x.png", "meta": mark}
    time.sleep(10)  # a guest may not ask more often
    with httpx.Client(base_url=window.url, cookies=dict(guest.cookies), trust_env=False, timeout=60) as client:
        for event in client.get("/config").json()["dependencies"]:
            if event["backend_fn"]:
                sent = {"data": [elsewhere] * len(event["inputs"]), "fn_index": event["id"], "session_hash": "x"}
                answer = client.post("/gradio_api/run/predict", json={**sent, "event_data": {}})
                assert answer.status_code != 429


def test_one_clip_asks_nobody_outside_and_writes_no_secret(
    window: Window, environment: dict[str, str], picture: Image.Image
) -> None:
    window.studio.queue.set_paused(False)
    picture.save(window.data / "quiet.png")
    job = window.studio.submit(SMALL, window.data / "quiet.png").job_id
    until(lambda: window.studio.queue.get(job).status.is_final, 120)
    assert window.studio.queue.get(job).status is JobStatus.DONE
    heard = Path(environment["HEARD"])  # also by what the other tests here did
    assert not heard.exists(), heard.read_text()
    for secret, places in ((TOKEN, set()), *((password, {window.log}) for password in passwords(window))):
        files = [path for path in window.data.rglob("*") if path.is_file()]
        assert {path for path in files if secret.encode() in path.read_bytes()} == places
    ask = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('203.0.113.1', 9))"
    subprocess.run([sys.executable, "-c", ask], env={**os.environ, **environment}, check=False)
    assert "203.0.113.1" in heard.read_text(), "the listener is deaf"
