"""What the Models page shows to whom, and what its buttons may do."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from svd_studio.core.clip import ClipRequest, ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput, Message, StudioError
from svd_studio.engines.catalog import ENGINES, EXTRAS, NANO_FOLDER
from svd_studio.jobs import place
from svd_studio.rendering.parts import fingerprint
from svd_studio.studio import OWNER, Studio
from svd_studio.ui.models_actions import ModelActions, asked_folder
from svd_studio.ui.models_view import models_view
from svd_studio.ui.owner_only import owner_only
from svd_studio.ui.private_paths import without_home
from tests.library.fake_checkpoint import svd_folder
from tests.ui.test_gauge import CARD, snapshot
from tests.waiting import until

TOKEN = "hf_a_token_that_nobody_sees"
XT = ENGINES["svd-xt"].weights
assert XT is not None

Act = Callable[..., dict[str, Any]]


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(StudioConfig(tmp_path / "data"))


@pytest.fixture
def act(studio: Studio) -> Act:
    actions = ModelActions(studio)
    return lambda what, **sent: actions.act({"what": what, **sent}, "en")


def row(studio: Studio, name: str, gb: float | None = None) -> dict[str, Any]:
    card = replace(CARD, total_gb=gb, used_gb=0.0, free_gb=gb, studio_gb=0.0) if gb else None
    seen = snapshot(card) if card else snapshot()
    rows = models_view(studio, seen, "en")["models"]["rows"]
    return next(one for one in rows if one["name"] == name)


def said_here(studio: Studio, gb: float) -> tuple[str, str]:
    shown = row(studio, "svd-xt", gb)
    return next(fact["text"] for fact in shown["facts"] if fact["kind"] == "here"), shown["mood"]


def installed(studio: Studio, tmp_path: Path) -> Path:
    folder = svd_folder(tmp_path / "mine")
    studio.weights.use(XT, folder)  # type: ignore[arg-type]  # it is one
    return folder


def test_every_model_has_its_row(studio: Studio) -> None:
    rows = models_view(studio, snapshot(), "zh-CN")["models"]["rows"]
    assert [one["name"] for one in rows] == [*ENGINES, *EXTRAS]
    assert {one["name"]: one["state"] for one in rows if one["state"] != "missing"} == {"svd-nano": "bundled"}
    assert all(one["licence"] for one in rows)
    assert [one["name"] for one in rows if one["gated"]] == ["svd-xt-1.1"]


def test_it_says_how_a_model_fits_the_card(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "torch_has_cuda", lambda: True)
    assert [said_here(studio, gb)[1] for gb in (24.0, 8.0, 1.0)] == ["good", "warm", "bad"]
    assert "Does not fit" in said_here(studio, 1.0)[0]


def test_what_a_card_must_have_is_the_catalogs_sum(studio: Studio) -> None:
    needs = next(fact["text"] for fact in row(studio, "svd-xt")["facts"] if fact["kind"] == "memory")
    least, best = (float(word) for word in needs.split() if word.replace(".", "").isdigit())
    assert 2 < least < 6 < best < 17  # the README promises cards of 6 GB, and 16 GB without offloading


def test_a_begun_download_goes_on_or_goes(studio: Studio, act: Act) -> None:
    begun = studio.weights.folder_for(XT) / "unet"  # type: ignore[arg-type]  # it is one
    begun.mkdir(parents=True)
    (begun / "x.safetensors.part").write_bytes(b"some")
    assert row(studio, "svd-xt")["acts"][0] == "resume"
    act("cancel", name="svd-xt")
    assert row(studio, "svd-xt")["state"] == "missing"


def test_a_folder_is_taken_and_forgotten_but_never_touched(studio: Studio, act: Act, tmp_path: Path) -> None:
    folder = svd_folder(tmp_path / "mine")
    act("use", name="svd-xt", folder=f'"{folder}" ')
    until(lambda: row(studio, "svd-xt")["state"] == "installed")
    assert str(folder) in row(studio, "svd-xt")["sure"]
    act("delete", name="svd-xt")
    assert row(studio, "svd-xt")["state"] == "missing"
    assert (folder / "model_index.json").is_file()


def test_nothing_that_a_waiting_clip_needs_is_deleted(studio: Studio, act: Act, tmp_path: Path) -> None:
    installed(studio, tmp_path)
    settings = ClipSettings(engine="svd-xt", seed=1).resolve(ENGINES["svd-xt"]).settings
    job = studio.queue.add(ClipRequest(settings, tmp_path / "a.png"), "a", OWNER)
    with pytest.raises(BadInput, match="needed"):
        act("delete", name="svd-xt")
    studio.cancel(job)
    act("delete", name="svd-xt")


def test_speeds_are_measured_where_a_model_is_and_the_row_tells(studio: Studio, act: Act) -> None:
    assert row(studio, "svd-nano")["acts"] == ["measure"]
    assert "3 clips" in act("measure", name="svd-nano")["notice"]
    shown = row(studio, "svd-nano")
    assert (shown["acts"], shown["measuring"][:17]) == (["stop_measuring"], "Measuring begins ")
    measures = studio.wishes.measures
    measures.begin("svd-nano")
    act("measure", name="svd-nano")
    assert "clip 1 of 3" in row(studio, "svd-nano")["measuring"], "pressed twice it goes on"
    studio.queue.set_paused(True)
    measures.wait("svd-nano")
    assert "paused" in row(studio, "svd-nano")["measuring"]
    act("stop_measuring", name="svd-nano")
    assert row(studio, "svd-nano")["acts"] == ["measure"]


def test_what_a_measurement_came_to_is_told(studio: Studio, act: Act) -> None:
    def measured() -> str:
        facts = row(studio, "svd-nano")["facts"]
        return next(fact["text"] for fact in facts if fact["kind"] == "measured")

    assert measured().startswith("Not yet")
    act("measure", name="svd-nano")
    studio.wishes.measures.fail("svd-nano", Message("measure.no_memory"))
    assert "ran out of memory" in row(studio, "svd-nano")["problems"][0]
    act("measure", name="svd-nano")
    assert row(studio, "svd-nano")["problems"] == []
    costs = {"good": {"faster": 1.84, "psnr": 38.2}, "draft": {"faster": 3.1, "psnr": 30.0}}
    studio.certificates.keep("svd-nano", fingerprint(NANO_FOLDER), costs)
    assert measured().startswith("Good is 1.8 times as fast (38.2 dB")


@pytest.mark.parametrize("name", [None, 7, "svd-xt", "rife", "../x"])
def test_what_is_not_here_is_not_measured(studio: Studio, act: Act, name: object) -> None:
    assert not {"measure", "stop_measuring"} & {*row(studio, "svd-xt")["acts"], *row(studio, "rife")["acts"]}
    with pytest.raises(BadInput, match="not_here"):
        act("measure", name=name)


def test_a_deleted_model_is_not_measured_any_more(studio: Studio, act: Act, tmp_path: Path) -> None:
    installed(studio, tmp_path)
    act("measure", name="svd-xt")
    act("delete", name="svd-xt")
    assert studio.wishes.measures.of("svd-xt") is None


@pytest.mark.parametrize("given", [None, 7, "", "  ", "models/svd", "a\0b", "/x\ny", "/" + 5000 * "x"])
def test_what_is_no_whole_path_is_refused(given: object) -> None:
    with pytest.raises(BadInput):
        asked_folder(given)


@pytest.mark.parametrize("sent", [{}, {"what": "rm"}, {"what": "get"}, {"what": "get", "name": "../x"}, {"what": 7}])
def test_what_nobody_offered_is_refused(studio: Studio, sent: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        ModelActions(studio).act(sent, "en")


def test_a_token_is_kept_and_never_shown(studio: Studio, act: Act) -> None:
    act("token", token=TOKEN)
    assert studio.weights.read_token() == TOKEN
    shown = models_view(studio, snapshot(), "en")
    assert shown["models"]["token"] == "saved"
    assert TOKEN not in json.dumps(shown)
    with pytest.raises(BadInput):
        act("token", token=["x"])
    act("forget_token")
    assert models_view(studio, snapshot(), "en")["models"]["token"] == ""


def test_offline_is_remembered_and_forbids_downloads(studio: Studio, act: Act) -> None:
    act("offline", on=True)
    assert models_view(Studio(studio.config), snapshot(), "en")["models"]["offline"] is True
    with pytest.raises(StudioError, match="offline"):
        act("get", name="svd-xt")
    act("offline", on=False)
    assert not studio.wishes.stays_offline()


def test_a_guest_is_refused_by_the_handler() -> None:
    answer = owner_only(lambda sent, language: {"models": "all"})
    assert answer({}, "en", SimpleNamespace(username=None)) == {"models": "all"}  # type: ignore[arg-type]  # who asks
    with pytest.raises(BadInput, match="only_owner"):
        answer({}, "en", SimpleNamespace(username="guest"))  # type: ignore[arg-type]  # who asks


def test_a_home_is_not_shown_around() -> None:
    home = Path("/home/ann")
    assert without_home("a /home/ann/x, /home/ann and /home/anna", home) == "a ~/x, ~ and /home/anna"
