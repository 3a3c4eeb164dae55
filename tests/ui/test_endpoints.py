"""What gradio_client asks of a running studio."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file

from tests.journeys.window import Window
from tests.waiting import until

SMALL: dict[str, Any] = {"frames": 2, "steps": 2, "seed": 5}


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    with Window(tmp_path_factory.mktemp("studio")) as opened:
        until(opened.worker_pid, 60)
        yield opened


@pytest.fixture(scope="module")
def client(window: Window) -> Iterator[Client]:
    asked = Client(window.url, verbose=False)
    yield asked
    asked.close()


def finished(client: Client, job_id: int) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while True:
        job: dict[str, Any] = client.predict(job_id, api_name="/job")
        if job["status"] not in ("queued", "running") or time.monotonic() > deadline:
            return job
        time.sleep(0.2)


@pytest.mark.slow
def test_animate_needs_a_picture_alone_and_its_clip_can_be_fetched(
    client: Client, window: Window, picture_file: Path
) -> None:
    job_id = client.predict(handle_file(picture_file), **SMALL, api_name="/animate")
    job = finished(client, job_id)
    assert (job["status"], job["message"], job["fraction"]) == ("done", None, 1.0)
    assert job["seconds"]["denoise"] > 0
    clip = client.predict(api_name="/clips")[0]
    assert (clip["id"], clip["title"], clip["settings"]["seed"]) == (job["clip"], "picture", 5)
    assert window.studio.clips.get(job["clip"]) is not None


def test_only_the_four_verbs_are_offered(client: Client) -> None:
    offered = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(offered) == {"/animate", "/job", "/cancel", "/clips"}
    parameters = offered["/animate"]["parameters"]
    assert [one["parameter_name"] for one in parameters if not one["parameter_has_default"]] == ["start_image"]


def test_a_waiting_job_can_be_cancelled(client: Client, picture_file: Path) -> None:
    first = client.predict(handle_file(picture_file), frames=6, steps=60, api_name="/animate")
    second = client.predict(handle_file(picture_file), frames=2, steps=60, api_name="/animate")
    assert client.predict(second, api_name="/cancel") is True
    assert client.predict(second, api_name="/job")["status"] == "cancelled"
    assert client.predict(first, api_name="/cancel") is True
    assert finished(client, first)["status"] == "cancelled"
    assert client.predict(first, api_name="/cancel") is False


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"steps": 0}, "steps goes from 1 to 100"),
        ({"engine": "sora"}, "no engine called sora"),
        ({"preset": "none"}, "no preset called none"),
        ({"engine": "svd-xt"}, "not here yet"),
    ],
)
def test_a_refusal_is_a_sentence(client: Client, picture_file: Path, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(Exception, match=said):
        client.predict(handle_file(picture_file), **arguments, api_name="/animate")


def test_a_picture_that_was_not_uploaded_here_is_refused(client: Client) -> None:
    for path in ("/etc/passwd", "../../studio.db"):
        with pytest.raises(Exception, match=r"upload|picture|Refused|not"):
            client.predict({"path": path}, api_name="/animate")


def test_unknown_jobs_get_a_sentence(client: Client) -> None:
    with pytest.raises(Exception, match="no job 999"):
        client.predict(999, api_name="/job")
