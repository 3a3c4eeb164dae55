"""Walls behind the guard, each alone: they stand also where it is not asked."""

import argparse
import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from starlette.requests import Request

import app
from svd_studio.api import Guard, Hosts, routes
from svd_studio.core.config import StudioConfig
from svd_studio.gpu.telemetry import Telemetry
from svd_studio.studio import GUEST, OWNER, Studio

NEEDS_NO_PASSWORD = {"/": "the door", "/logout": "forgets whoever asks"}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(StudioConfig(tmp_path / "data"))


def answer_of(studio: Studio, path: str, cookie: str) -> tuple[int, bytes]:
    route = next(route for route in routes(studio, Telemetry()) if route.path == path)
    gradio = SimpleNamespace(auth=object(), cookie_id="1", tokens={"word": OWNER, "guests": GUEST})
    scope = {"type": "http", "app": gradio, "headers": [(b"cookie", cookie.encode())], "query_string": b""}
    scope["path_params"] = dict.fromkeys(("clip_id", "kind", "number", "job_id"), "1")
    answer = route.endpoint(Request(scope))
    return answer.status_code, bytes(answer.body)


@pytest.mark.parametrize("cookie", ["", "access-token-1=", "access-token-1=made-up", "access-token-2=word"])
def test_none_of_our_routes_answers_before_the_password(studio: Studio, cookie: str) -> None:
    paths = {route.path for route in routes(studio, Telemetry())} - set(NEEDS_NO_PASSWORD)
    assert len(paths) > 8
    for path in paths:
        status, said = answer_of(studio, path, cookie)
        assert (status, said[:13]) == (401, b"Sign in first"), path


def test_who_gave_the_password_is_answered(studio: Studio) -> None:
    assert answer_of(studio, "/health", "access-token-1=guests")[0] == 200
    assert answer_of(studio, "/metrics", "access-token-1=word")[0] == 200
    assert answer_of(studio, "/metrics", "access-token-1=guests")[0] == 403


@pytest.mark.parametrize("is_shared", [False, True])
def test_the_page_is_never_served_without_its_walls(
    studio: Studio, is_shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the studio asks of Gradio; the journeys see that Gradio does it."""
    asked: dict[str, Any] = {}
    monkeypatch.setattr(gr.Blocks, "launch", lambda _, **named: asked.update(named))
    hosts = Hosts(7860)
    arguments = argparse.Namespace(share=is_shared, listen=False)
    page = app.Served(studio, Telemetry(), lambda: None, None, lambda: None)

    async def open_page() -> None:
        app.open_page(page, hosts, arguments, app.LOOPBACK)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(open_page())).result()
    assert [(wall.cls, wall.kwargs["hosts"]) for wall in asked["app_kwargs"]["middleware"]] == [(Guard, hosts)]
    assert asked["app_kwargs"]["middleware"][0].kwargs["uploads"] == studio.config.uploads
    assert (asked["auth"] is not None) is is_shared
    assert (asked["allowed_paths"], asked["share"], asked["server_name"]) == ([], False, "127.0.0.1")
    assert {route.path for route in asked["app_kwargs"]["routes"]} >= {"/", "/logout", "/media/{clip_id}"}
