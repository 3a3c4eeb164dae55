"""Languages, presses, durations and tokens."""

import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import StudioError
from svd_studio.gpu.telemetry import Telemetry
from svd_studio.studio import Studio
from svd_studio.ui.app import MOST_WAITING, build_page
from svd_studio.ui.language import known, spoken_by
from svd_studio.ui.picture_box import FIRST_SAMPLE, find_picture, sample_pictures, sample_thumbs
from svd_studio.ui.presses import Presses
from svd_studio.ui.result import spoken_seconds
from svd_studio.ui.texts import words
from svd_studio.ui.theme import DARK, LIGHT, SESSIONS_KEPT, StudioTheme, head_html, launch_options
from svd_studio.ui.unread import bound_unread


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("de-DE,de;q=0.9", "en"),
        ("de,en;q=0.2,zh;q=0.7", "zh-CN"),
        ("en-US,zh;q=0.9", "en"),
        ("", "en"),
        (None, "en"),
        (";q=x,,", "en"),
    ],
)
def test_the_browser_gets_the_first_language_that_we_speak(header: str | None, language: str) -> None:
    assert spoken_by(header) == language


def test_a_language_that_nobody_speaks_is_english() -> None:
    assert [known(value) for value in ("zh-CN", "xx", None, 7)] == ["zh-CN", "en", "en", "en"]


def test_one_press_is_one_job_however_many_threads_bring_it() -> None:
    presses, made = Presses(), []

    def press() -> None:
        with presses.once("word") as found:
            if found.job_id is None:
                made.append(1)
                found.job_id = len(made)

    threads = [threading.Thread(target=press) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_a_press_that_was_refused_may_be_tried_again() -> None:
    presses = Presses()
    with pytest.raises(ValueError, match="no"), presses.once("word"):
        raise ValueError("no")
    with presses.once("word") as found:
        assert found.job_id is None


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "1 s"), (42.4, "42 s"), (120, "2 min"), (3600 * 2 + 60 * 5, "2 h 5 min")]
)
def test_durations_are_spoken(seconds: float, said: str) -> None:
    assert spoken_seconds(seconds, "en") == said


@pytest.mark.parametrize(
    "token",
    [{}, {"sample": "../x"}, {"kept": "../studio.db"}, {"path": "/etc/passwd"}, {"path": "x"}, {"none": True}],
)
def test_a_token_opens_only_what_is_ours(token: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(StudioError):
        find_picture(Studio(StudioConfig(tmp_path)), token, "owner")


def test_samples_are_small_named_and_the_first_lies_ready() -> None:
    assert next(iter(sample_pictures())) == FIRST_SAMPLE
    assert sum(map(len, sample_thumbs().values())) < 60_000
    for name in sample_pictures():
        assert f"page.sample.{name}" in words("zh-CN")


def test_both_palettes_have_the_same_colours() -> None:
    assert LIGHT.keys() == DARK.keys()


def test_the_head_asks_no_other_machine() -> None:
    assert "http://" not in head_html().replace("http://www.w3.org", "")
    assert "https://" not in head_html()


def excludes_a_list(selector: str) -> bool:
    """Whether a comma stands anywhere inside the brackets of a :not()."""
    depth = opened = 0
    for at, letter in enumerate(selector):
        depth += (letter == "(") - (letter == ")")
        if letter == "(" and selector[:at].endswith(":not") and not opened:
            opened = depth
        opened = 0 if depth < opened else opened
        if opened and letter == ",":
            return True
    return False


def test_no_rule_excludes_a_list() -> None:
    """Gradio puts its prefix behind every comma, also inside brackets, which turns such a rule into another one."""
    rules = re.findall(r"^\s*([^{}@/][^{}]*)\{", launch_options()["css"], re.MULTILINE)
    assert len(rules) > 300
    assert [rule for rule in rules if excludes_a_list(rule)] == []
    assert excludes_a_list("#a:not(:has(.b:not([hidden]), .c))")
    assert not excludes_a_list("#a:not(:has(.b)):is(.c, .d)")


def test_the_page_for_the_password_has_our_colours() -> None:
    sheet = StudioTheme()._get_theme_css()
    assert f"--accent:{LIGHT['accent']}" in sheet
    assert f"--accent:{DARK['accent']}" in sheet


def test_programs_get_few_threads_and_pages_little_memory_whatever_they_call_themselves(tmp_path: Path) -> None:
    async def draw() -> gr.Blocks:
        return build_page(Studio(StudioConfig(tmp_path)), Telemetry())

    with ThreadPoolExecutor(1) as thread:
        page = thread.submit(lambda: asyncio.run(draw())).result()
    assert len(page.fns) > 50
    assert {event.concurrency_id for event in page.fns.values()} == {"all"}
    assert page._queue.max_size == MOST_WAITING
    assert launch_options()["state_session_capacity"] == SESSIONS_KEPT


def test_where_every_answer_is_still_awaited_programs_are_told_to_fetch_theirs() -> None:
    async def ask() -> tuple[Any, Any]:
        with gr.Blocks(analytics_enabled=False) as page:
            gr.api(lambda: 1, api_name="one")
        queue = page._queue
        queue.pending_event_ids_session = {"old": {"1", "2"}, "busy": {"3"}}
        queue.event_ids_to_events = {"3": object()}  # type: ignore[dict-item]  # looked up, never looked at
        bound_unread(page, most=2)
        return await queue.push(None, None, None), queue.pending_event_ids_session  # type: ignore[arg-type]

    with ThreadPoolExecutor(1) as thread:
        (is_taken, said, _), kept = thread.submit(lambda: asyncio.run(ask())).result()
    assert (is_taken, said[:16]) == (False, "Too many answers")
    assert kept == {"busy": {"3"}}, "what was not fetched went, what runs stays"
