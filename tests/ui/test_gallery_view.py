"""What the Gallery answers: cards, details and acts, each for those who see the clip, whatever a page sends."""

import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from svd_studio.core.config import StudioConfig
from svd_studio.library.clip_search import ClipFilter
from svd_studio.studio import Studio
from svd_studio.ui.gallery_actions import is_at_this_machine
from svd_studio.ui.gallery_tab import GalleryTab
from svd_studio.ui.gallery_view import PAGE, asked_cursor, asked_filter
from svd_studio.ui.texts import LANGUAGES, spoken_bytes
from tests.library.made_clips import row


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(StudioConfig(tmp_path / "data"))


@pytest.fixture
def tab(studio: Studio) -> GalleryTab:
    """Seven clips with files, the third and sixth a guest's."""
    studio.config.clips.mkdir(parents=True)
    for number in range(1, 8):
        clip = row(studio, number, owner="guest" if number % 3 == 0 else "owner", prompt=f"prompt {number}")
        clip.rendered.path.write_bytes(b"clip")
        studio.clips.write([clip])
    return GalleryTab(studio)


def asker(name: str | None = None, client: str = "127.0.0.1", host: str = "127.0.0.1:7860") -> Any:
    return SimpleNamespace(username=name, client=SimpleNamespace(host=client), headers={"host": host})


def ids(view: dict[str, Any]) -> list[int]:
    return [int(card["id"][2:]) for card in view["gallery"]["clips"]]


def number(value: int) -> str:
    return f"id{value:020}"


def test_the_owner_sees_every_clip_and_a_guest_only_his_own(tab: GalleryTab) -> None:
    assert ids(tab.look({}, "en", asker())) == [7, 6, 5, 4, 3, 2, 1]
    mine = tab.look({}, "en", asker("guest"))
    assert ids(mine) == [6, 3]
    assert (mine["gallery"]["kept"], mine["gallery"]["thrown"]) == (2, 0)


def test_a_guest_reaches_nothing_of_others_by_any_event(tab: GalleryTab, studio: Studio) -> None:
    other = studio.clips.get(number(7))
    assert other is not None
    assert "gallery_clip" not in tab.details({"clip": number(7)}, "en", asker("guest"))
    for what in ("star", "trash", "restore", "forget"):
        view = tab.act({"what": what, "clips": [number(6), number(7)]}, "en", asker("guest"))
        assert "notice" in view
        assert "gallery_done" not in view
    assert "notice" in tab.act({"what": "folder", "clip": number(7)}, "en", asker("guest"))
    assert studio.clips.get(number(7)) == other
    studio.trash.put(other)
    tab.act({"what": "empty"}, "en", asker("guest"))
    assert studio.clips.get(number(7)) is not None
    assert [card["id"] for card in tab.news({"mark": 0}, "en", asker("guest"))["gallery_news"]["clips"]] == [
        number(6),
        number(3),
    ]


@pytest.mark.parametrize(
    "sent",
    [
        {"words": 5, "engine": ["x"], "starred": "yes", "trash": 1, "after": "x"},
        {"words": None, "after": [float("nan"), "x"]},
        {"words": "x" * 100_000, "after": [1e300, "x" * 10_000]},
        {"after": [True, 5]},
        {"after": [1]},
        {"after": {"a": 1}},
        {"engine": {"$ne": 1}},
    ],
)
def test_nonsense_that_a_page_sends_is_answered_as_if_it_were_not_there(tab: GalleryTab, sent: dict[str, Any]) -> None:
    assert "gallery" in tab.look(sent, "en", asker())
    wanted = asked_filter(sent, "guest")
    assert wanted.owner == "guest"
    assert len(wanted.words) <= 200
    assert wanted.starred is wanted.in_trash is False
    assert asked_cursor(sent) is None


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"what": "juggle"},
        {"what": ["star"]},
        {"what": "star", "clips": [None, 5]},
        {"what": "trash", "clips": ["../../x"]},
        {"what": "folder", "clip": {"id": 1}},
    ],
)
def test_acts_that_make_no_sense_are_refused_and_heard(tab: GalleryTab, sent: dict[str, Any]) -> None:
    view = tab.act(sent | {"number": 9}, "en", asker())
    assert view["notice"]
    assert view["gallery_heard"] == 9


def test_acts_change_what_they_say(tab: GalleryTab, studio: Studio) -> None:
    both = [number(7), number(5)]
    assert tab.act({"what": "star", "clips": both}, "en", asker())["gallery_done"]["done"]["clips"] == both
    assert ids(tab.look({"starred": True}, "en", asker())) == [7, 5]
    view = tab.act({"what": "trash", "clips": both}, "en", asker())
    assert (view["gallery_around"]["kept"], view["gallery_around"]["thrown"]) == (5, 2)
    assert sorted(ids(tab.look({"trash": True}, "en", asker()))) == [5, 7]
    tab.act({"what": "restore", "clips": both}, "en", asker())
    assert ids(tab.look({}, "en", asker())) == [7, 6, 5, 4, 3, 2, 1]
    tab.act({"what": "trash", "clips": both}, "en", asker())
    assert tab.act({"what": "empty"}, "en", asker())["gallery_done"] == {"emptied": 2}
    assert studio.clips.holdings(ClipFilter(in_trash=True)).count == 0


def test_news_are_what_came_after_the_mark(tab: GalleryTab, studio: Studio) -> None:
    mark = tab.look({}, "en", asker())["gallery"]["mark"]
    assert tab.news({"mark": mark}, "en", asker())["gallery_news"] == {"mark": mark, "clips": [], "marks": {}}
    studio.clips.write([row(studio, 50), row(studio, 51, owner="guest", prompt="sea")])
    news = tab.news({"mark": mark}, "en", asker())["gallery_news"]
    assert [card["id"] for card in news["clips"]] == [number(51), number(50)]
    assert news["mark"] > mark
    assert [
        card["id"] for card in tab.news({"mark": mark, "words": "sea"}, "en", asker())["gallery_news"]["clips"]
    ] == [number(51)]
    for nonsense in (None, -1, "0", 10**30, True):
        assert tab.news({"mark": nonsense}, "en", asker())["gallery_news"]["clips"] == []


def test_the_next_page_begins_where_the_last_one_ended(studio: Studio) -> None:
    studio.clips.write([row(studio, value) for value in range(PAGE + 10)])
    tab = GalleryTab(studio)
    first = tab.look({}, "en", asker())
    assert (len(ids(first)), first["gallery"]["more"]) == (PAGE, True)
    last = tab.look({"after": first["gallery"]["clips"][-1]["cursor"]}, "en", asker())
    assert (ids(last), last["gallery"]["more"]) == (list(range(9, -1, -1)), False)


@pytest.mark.parametrize("language", LANGUAGES)
def test_details_tell_everything_and_can_be_sent(tab: GalleryTab, studio: Studio, language: str) -> None:
    clip = tab.details({"clip": number(7)}, language, asker())["gallery_clip"]
    assert json.loads(json.dumps(clip, allow_nan=False)) == clip
    assert [stage["percent"] for stage in clip["stages"]] == [83.3, 16.7]
    assert (clip["prompt"], clip["seed"], clip["memory"], clip["size"]) == ("prompt 7", 7, "1.5 GB", "1 kB")
    assert "Seed: 7" in clip["recipe"]
    assert clip["owner"] == ""
    assert tab.details({"clip": number(6)}, language, asker())["gallery_clip"]["owner"] == "guest"
    (studio.config.clips / "clip 7.mp4").unlink()
    assert "clip 7.mp4" in tab.details({"clip": number(7)}, language, asker())["gallery_clip"]["missing"]


def test_a_clip_of_an_engine_that_we_do_not_know_is_shown(tab: GalleryTab, studio: Studio) -> None:
    clip = row(studio, 60)
    made = replace(clip.rendered, settings=clip.rendered.settings.changed(engine="from-the-future"))
    studio.clips.write([replace(clip, rendered=made)])
    engines = tab.look({}, "en", asker())["gallery"]["engines"]
    assert {"name": "from-the-future", "title": "from-the-future"} in engines
    assert tab.details({"clip": number(60)}, "en", asker())["gallery_clip"]["engine"] == "from-the-future"


@pytest.mark.parametrize(
    ("name", "client", "host", "here"),
    [
        (None, "127.0.0.1", "127.0.0.1:7860", True),
        ("owner", "127.0.0.1", "localhost:7860", True),
        (None, "::1", "[::1]:7860", True),
        (None, "127.0.0.1", "localhost", True),
        ("guest", "127.0.0.1", "localhost:7860", False),
        ("owner", "127.0.0.1", "0123abc.gradio.live", False),
        ("owner", "192.168.1.7", "192.168.1.5:7860", False),
        ("owner", "192.168.1.7", "localhost:7860", False),
        (None, "127.0.0.1", "", False),
    ],
)
def test_folders_open_only_for_the_owner_at_this_machine(name: str | None, client: str, host: str, here: bool) -> None:
    assert is_at_this_machine("owner" if name is None else name, asker(name, client, host)) is here


def test_where_there_is_no_screen_the_path_is_told(tab: GalleryTab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    view = tab.act({"what": "folder", "clip": number(7)}, "en", asker())
    assert "clip 7.mp4" in view["notice"]
    far = tab.act({"what": "folder", "clip": number(7)}, "en", asker(client="192.168.1.7"))
    assert "clip 7.mp4" not in far["notice"]


def test_the_file_manager_is_asked_for_the_folder(
    tab: GalleryTab, studio: Studio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told, program = tmp_path / "told", tmp_path / "xdg-open"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" > "{told}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("DISPLAY", ":0")
    assert "notice" not in tab.act({"what": "folder", "clip": number(7)}, "en", asker())
    deadline = time.monotonic() + 10
    while not (told.exists() and told.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert told.read_text() == str(studio.config.clips)


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 kB"), (999, "1 kB"), (840_000, "840 kB"), (3_210_000, "3.2 MB"), (19_700_000, "20 MB"), (1.5e9, "1.5 GB")],
)
def test_sizes_as_file_managers_show_them(count: int, said: str) -> None:
    assert spoken_bytes(count) == said


def test_marks_that_another_window_gave_come_with_the_news(tab: GalleryTab, studio: Studio) -> None:
    studio.clips.rate(number(3), 4)
    studio.clips.star(number(4), True)
    shown = [number(3), number(4), "nobody", 7, None]
    news = tab.news({"mark": 0, "shown": shown}, "en", asker())["gallery_news"]
    assert news["marks"] == {number(3): (4, False), number(4): (0, True)}
    assert list(tab.news({"shown": shown}, "en", asker("guest"))["gallery_news"]["marks"]) == [number(3)]
    for nonsense in (None, "abc", {"a": 1}, [["x"]] * 5000):
        assert tab.news({"shown": nonsense}, "en", asker())["gallery_news"]["marks"] == {}
