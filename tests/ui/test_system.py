"""What the System page tells, and what its buttons change."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from svd_studio.core.clip import ClipRequest, ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput
from svd_studio.engines.catalog import ENGINES
from svd_studio.gpu.telemetry import Telemetry
from svd_studio.jobs.wishes import Wishes
from svd_studio.studio import GUEST, OWNER, Studio
from svd_studio.ui.system_actions import SystemActions
from svd_studio.ui.system_tab import SystemTab
from svd_studio.ui.system_view import system_view
from svd_studio.ui.texts import LANGUAGES
from tests.library.made_clips import row
from tests.ui.test_gauge import CARD, snapshot

Act = Callable[..., dict[str, Any]]


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(StudioConfig(tmp_path / "home" / "data", hub_token="hf_secret_secret"))


@pytest.fixture
def act(studio: Studio) -> Act:
    actions = SystemActions(studio, lambda: None)
    return lambda what, **sent: actions.act({"what": what, **sent}, "en")


def running(studio: Studio) -> None:
    settings = ClipSettings(seed=1).resolve(ENGINES["svd-nano"]).settings
    studio.queue.add(ClipRequest(settings, studio.config.data / "a.png"), "a", OWNER)
    assert studio.queue.claim("somebody")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_names_no_home_and_no_secret(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:password@proxy:1")
    shown = system_view(studio, snapshot(replace(CARD, power_limit_w=450.0)), language)["system"]
    for told in (shown["report"], str(shown["cards"])):
        assert "~" in told
        assert not any(secret in told for secret in (str(tmp_path), "hf_secret", "password"))
    assert "diffusers" in shown["report"]
    assert shown["power"][0]["command"].endswith("nvidia-smi -i 0 -pl 360")
    assert all(card["lines"] for card in shown["cards"])


def test_limits_stay_within_their_bounds(studio: Studio, act: Act) -> None:
    assert act("heat", limits={"warn_c": 80})["heat_problem"] == ""
    assert studio.heat.limits().warn_c == 80
    for wrong in ({"warn_c": 200}, {"warn_c": True}, {"fans": 70}, {"warn_c": 94}, {"warn_c": None}):
        assert act("heat", limits=wrong)["heat_problem"]
    assert studio.heat.limits().warn_c == 80
    act("heat_reset")
    assert studio.heat.limits().warn_c == 83


def test_only_what_may_go_is_cleared(studio: Studio, act: Act) -> None:
    config = studio.config
    kept = [config.clips / "a.mp4", config.inputs / "a.png", config.logs / "worker.log", config.models / "x" / "y"]
    gone = [config.parts / "a.npy", config.compiled / "k.so", config.uploads / "u" / "p.png", config.logs / "a.log.1"]
    for path in (*kept, *gone):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    for kind in ("parts", "temp", "logs", "trash"):
        act("clear", kind=kind)
    for kind in ("clips", "models", "../..", "None"):
        with pytest.raises(BadInput, match="keeps"):
            act("clear", kind=kind)
    assert [path.exists() for path in gone] == [False] * len(gone)
    assert [path.exists() for path in kept] == [True] * len(kept)


def test_what_a_running_clip_uses_stays(studio: Studio, act: Act) -> None:
    running(studio)
    for kind in ("parts", "temp"):
        with pytest.raises(BadInput, match="later"):
            act("clear", kind=kind)


def test_memory_is_asked_for_once_of_each_card(studio: Studio, act: Act) -> None:
    act("free")
    asked = [Wishes(studio.queue.on(card.index)) for card in studio.cards]
    assert [one.memory_is_asked_for() for one in asked] == [True] * len(asked)
    assert [one.memory_is_asked_for() for one in asked] == [False] * len(asked)


def test_what_nobody_offered_is_refused(act: Act) -> None:
    for what in ("rm", None, 7):
        with pytest.raises(BadInput):
            act(what)


@pytest.mark.parametrize(("language", "told"), [("en", "Guests use 2.0 MB of 10 GB"), ("zh-CN", "访客已使用 2.0 MB")])
def test_the_owner_sees_what_guests_take_once_there_may_be_some(studio: Studio, language: str, told: str) -> None:
    left = studio.config.inputs / f"{'1' * 64}.png"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"picture")
    assert system_view(studio, snapshot(), language)["system"]["guests"] == "", "it may be the owner's"
    assert "1 kB" in system_view(studio, snapshot(), language, is_open=True)["system"]["guests"]
    guests, own = row(studio, 1, owner=GUEST), row(studio, 2)
    studio.clips.write([replace(guests, bytes=2_000_000), replace(own, bytes=7_000_000)])
    assert system_view(studio, snapshot(), language)["system"]["guests"].startswith(told)


def test_a_guest_is_told_nothing_of_the_system(studio: Studio) -> None:
    with pytest.raises(BadInput, match="only_owner"):
        SystemTab(studio, Telemetry(), lambda: None).look({}, "en", SimpleNamespace(username=GUEST))  # type: ignore[arg-type]
