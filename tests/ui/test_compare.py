"""Variants: what the dialog is told, what a press makes, and what the room shows to whom, whatever a page sends."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import BadInput, Message
from svd_studio.core.job import JobStatus
from svd_studio.jobs.comparisons import Comparison
from svd_studio.library.clips import Clip
from svd_studio.studio import Studio
from svd_studio.ui.compare_handlers import CompareHandlers
from svd_studio.ui.compare_tab import CompareTab
from svd_studio.ui.compare_view import comparison_view, takes_s
from svd_studio.ui.gallery_tab import GalleryTab
from svd_studio.ui.queue_view import queue_view
from tests.library.made_clips import row
from tests.ui.form_page import Page

CHOSEN: dict[str, Any] = {"motion_bucket": "30, 200", "seed": 2, "prompt": "", "speed": []}


class Variants:
    """The dialog's verbs on one page."""

    def __init__(self, page: Page) -> None:
        self.page, self.handlers = page, CompareHandlers(page.handlers.handlers)

    def ask(self, verb: str, owner: str | None = None, **sent: Any) -> dict[str, Any]:
        handler = getattr(self.handlers, verb)
        event, request = SimpleNamespace(_data=sent), SimpleNamespace(username=owner)
        view = handler(self.page.values, event, request)[self.page.parts.view]
        json.dumps(view, allow_nan=False)
        return dict(view)


@pytest.fixture
def variants(page: Page) -> Variants:
    return Variants(page)


def asker(name: str | None = None) -> Any:
    return SimpleNamespace(username=name, client=SimpleNamespace(host="127.0.0.1"), headers={"host": "127.0.0.1:7860"})


def make(studio: Studio, picture: Path, owner: str = "owner", count: int = 3) -> Comparison:
    recipes = [ClipSettings(engine="svd-nano", seed=5, motion_bucket=30 * one) for one in range(1, count + 1)]
    return studio.compare(recipes, picture, "hills", owner)


def finish(studio: Studio, job_id: int) -> Clip:
    """What a worker does at the end of a job."""
    job = studio.queue.claim("worker", job_id)
    assert job is not None
    made = row(studio, job_id, owner=job.owner, motion_bucket=job.request.settings.motion_bucket)
    studio.config.clips.mkdir(parents=True, exist_ok=True)
    made.rendered.path.write_bytes(b"clip")
    studio.clips.write([made])
    studio.queue.finish(job_id, made.id)
    return made


def states(view: dict[str, Any]) -> list[str]:
    return [tile["state"] for tile in view["comparison"]["tiles"]]


def test_the_dialog_begins_with_motions_around_the_forms_and_tells_how_many_and_how_long(variants: Variants) -> None:
    begun = variants.ask("weigh", fresh=True, number=1)["sweep"]
    assert (begun["count"], begun["number"], begun["problems"]) == (3, 1, {})
    assert "127" in begun["begin"]["motion_bucket"].split(", ")
    assert "after the first one" in begun["line"], "nothing was made here yet"
    studio = variants.page.studio
    studio.clips.write([row(studio, 1)])
    told = variants.ask("weigh", **CHOSEN)["sweep"]["line"]
    assert told.startswith("4 clips, about ")
    studio.submit(ClipSettings(engine="svd-nano"), next(iter((Path("presets") / "pictures").glob("coffee.*"))))
    assert "after what waits already" in variants.ask("weigh", **CHOSEN)["sweep"]["line"]


def test_two_workers_take_half_the_time_and_load_once_each(studio_with_times: Studio) -> None:
    recipes = [ClipSettings(seed=seed).resolve(_nano()).settings for seed in range(4)]
    alone = takes_s(studio_with_times, recipes)
    assert alone == pytest.approx(10 + 4 * 3)
    studio_with_times.__dict__["cards"] = studio_with_times.cards * 2
    assert takes_s(studio_with_times, recipes) == pytest.approx(10 + 2 * 3)


@pytest.fixture
def studio_with_times(page: Page) -> Studio:
    """One clip was made: 10 s of loading, 3 s of everything else."""
    made = row(page.studio, 1)
    times = {"load": 10.0, "denoise": 2.0, "decode": 1.0}
    made.rendered.seconds_by_stage.clear()  # type: ignore[attr-defined]  # it is a dict
    made.rendered.seconds_by_stage.update(times)  # type: ignore[attr-defined]
    page.studio.clips.write([made])
    return page.studio


def _nano() -> Any:
    from svd_studio.engines.catalog import ENGINES

    return ENGINES["svd-nano"]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"motion_bucket": "30, 999"}, "motion_bucket"),
        ({"motion_bucket": "30, x"}, "motion_bucket"),
        ({"motion_bucket": "1 2 3 4 5 6"}, "motion_bucket"),
        ({"motion_bucket": "30"}, ""),
        ({"motion_bucket": "1 2 3 4 5", "seed": 4, "speed": ["best", "draft"]}, ""),
        ({"seed": 5}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": "1e9"}, "seed"),
        ({"prompt": "\n".join("abcdefg")}, "prompt"),
        ({"prompt": "a\n" + "b" * 5000}, "prompt"),
        ({"clip": "../../etc/passwd"}, ""),
        ({"clip": ["x"]}, ""),
        ({"motion_bucket": {"$": 1}}, "motion_bucket"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_makes_nothing(
    variants: Variants, sent: dict[str, Any], field: str
) -> None:
    asked = {"motion_bucket": "", "seed": 1, "prompt": "", "speed": [], **sent}
    for verb in ("weigh", "begin"):
        problems = variants.ask(verb, **asked)["sweep"]["problems"]
        assert list(problems) == [field]
        assert problems[field]
    assert variants.page.studio.queue.find() == []


def test_a_press_makes_every_variant_once_from_the_forms_recipe(variants: Variants) -> None:
    studio, parts = variants.page.studio, variants.page.parts
    variants.page.values[parts.form.fields["prompt"]] = "waves"
    view = variants.ask("begin", press="p1", **CHOSEN)
    assert view["room"] == "compare"
    assert len(view["comparison"]["tiles"]) == 4
    jobs = sorted(studio.queue.find(), key=lambda job: job.id)
    assert [job.request.settings.motion_bucket for job in jobs] == [30, 200, 30, 200]
    assert {job.request.settings.prompt for job in jobs} == {"waves"}
    again = variants.ask("begin", press="p1", **CHOSEN)
    assert again["comparison"]["id"] == view["comparison"]["id"]
    assert len(studio.queue.find()) == 4
    assert variants.ask("begin", press="p2", **CHOSEN)["comparison"]["id"] != view["comparison"]["id"]


def test_all_or_none(variants: Variants, monkeypatch: pytest.MonkeyPatch) -> None:
    studio, submit = variants.page.studio, variants.page.studio.submit

    def third_fails(*given: Any) -> Any:
        if sum(studio.queue.count().values()) == 2:
            raise BadInput("page.clip.gone")
        return submit(*given)

    monkeypatch.setattr(studio, "submit", third_fails)
    assert variants.ask("begin", press="p", **CHOSEN)["sweep"]["refused"]
    assert studio.queue.find() == []


def test_more_like_a_finished_clip_takes_its_recipe_and_picture(variants: Variants, clip: Clip) -> None:
    variants.ask("begin", press="p", clip=clip.id, **{**CHOSEN, "seed": 1})
    jobs = variants.page.studio.queue.find()
    assert {job.request.settings.prompt for job in jobs} == {"waves"}
    assert {job.request.settings.seed for job in jobs} == {5}
    assert {job.request.start_image.stem for job in jobs} == {clip.rendered.source_sha256}
    refused = variants.ask("weigh", owner="guest", clip=clip.id, **CHOSEN)["sweep"]
    assert list(refused["problems"]) == [""]


def test_the_room_shows_every_state_and_survives_what_is_taken_off_the_list(page: Page, picture_file: Path) -> None:
    studio = page.studio
    tab, made = CompareTab(studio), make(studio, picture_file, count=5)
    finish(studio, made.jobs[0])
    thrown = finish(studio, made.jobs[1])
    studio.trash.put(thrown)
    studio.queue.claim("worker", made.jobs[2])
    studio.queue.claim("worker", made.jobs[3])
    studio.queue.fail(made.jobs[3], Message("disk.full", {"folder": "/data"}))
    asked = {"comparison": made.id}
    view = tab.look(asked, "en", asker())
    assert states(view) == ["clip", "trashed", "running", "failed", "waiting"]
    assert [tile["label"] for tile in view["comparison"]["tiles"]][:2] == ["motion 30, calm", "motion 60, calm"]
    assert "/data" in view["comparison"]["tiles"][3]["line"]
    assert view["comparison"]["waits"] == 2
    studio.arrangement.clear([JobStatus.DONE, JobStatus.FAILED])
    assert states(tab.look(asked, "zh-CN", asker())) == ["clip", "trashed", "running", "waiting"]
    fresh = Studio(studio.config)  # as after a restart
    assert states(CompareTab(fresh).look(asked, "en", asker())) == ["clip", "trashed", "running", "waiting"]


def test_a_card_of_the_gallery_says_what_sets_it_apart_from_its_sweep(page: Page, picture_file: Path) -> None:
    studio = page.studio
    made, alone = make(studio, picture_file), row(studio, 900)
    swept = finish(studio, made.jobs[1])
    studio.clips.write([alone])
    seen = GalleryTab(studio).look({}, "zh-CN", asker())["gallery"]["clips"]
    assert {card["id"]: card["differs"] for card in seen} == {alone.id: "", swept.id: "动作 60（平缓）"}


def test_it_is_found_from_the_queue_and_the_gallery(page: Page, picture_file: Path) -> None:
    studio = page.studio
    made, alone = make(studio, picture_file), studio.submit(ClipSettings(engine="svd-nano"), picture_file)
    clip = finish(studio, made.jobs[0])
    groups = queue_view(studio, "owner", "en")["queue"]["groups"]
    found = {job["id"]: job["comparison"] for group in groups for job in group["rows"]}
    assert found == {**dict.fromkeys(made.jobs, made.id), alone.job_id: None}
    details = GalleryTab(studio).details({"clip": clip.id}, "en", asker())
    assert details["gallery_clip"]["comparison"] == made.id


def test_keep_the_best_throw_the_others_and_take_it_back(page: Page, picture_file: Path) -> None:
    studio = page.studio
    tab, made = CompareTab(studio), make(studio, picture_file)
    clips = [finish(studio, number) for number in made.jobs]

    def act(what: str, **sent: Any) -> dict[str, Any]:
        return tab.act({"comparison": made.id, "what": what, **sent}, "en", asker())

    assert "Keep one first" in act("throw")["notice"]
    act("star", clip=clips[1].id)
    thrown = act("throw")
    assert states(thrown) == ["trashed", "clip", "trashed"]
    assert thrown["compared"]["said"] == "In the trash: 2 clips"
    assert states(act("undo", clips=thrown["compared"]["clips"])) == ["clip", "clip", "clip"]
    act("unstar", clip=clips[1].id)
    assert not any(tile["starred"] for tile in act("undo", clips="all")["comparison"]["tiles"])


def test_stop_and_try_again(page: Page, picture_file: Path) -> None:
    studio = page.studio
    tab, made = CompareTab(studio), make(studio, picture_file)
    finish(studio, made.jobs[0])
    asked = {"comparison": made.id}
    assert states(tab.act({**asked, "what": "stop"}, "en", asker())) == ["clip", "failed", "failed"]
    again = tab.act({**asked, "what": "retry", "job": made.jobs[1]}, "en", asker())
    assert states(again) == ["clip", "waiting", "failed"]
    other = studio.submit(ClipSettings(engine="svd-nano"), picture_file).job_id
    studio.cancel(other)
    strangers: tuple[object, ...] = (other, "1", None, -1, {})
    for strange in strangers:
        tab.act({**asked, "what": "retry", "job": strange}, "en", asker())
    cancelled = studio.queue.get(other)
    assert cancelled is not None
    assert cancelled.status is JobStatus.CANCELLED, "not one of these"


def test_a_guest_sees_and_touches_only_his_own(page: Page, picture_file: Path) -> None:
    studio = page.studio
    tab, own = CompareTab(studio), make(studio, picture_file, owner="guest")
    made = make(studio, picture_file)
    clip = finish(studio, made.jobs[0])
    assert states(tab.look({"comparison": made.id}, "en", asker("guest"))) == []
    assert len(states(tab.look({"comparison": own.id}, "en", asker("guest")))) == 3
    assert len(states(tab.look({"comparison": own.id}, "en", asker()))) == 3, "the owner sees all"
    for what in ("star", "throw", "undo", "stop", "retry", "drop table"):
        view = tab.act({"comparison": made.id, "what": what, "clip": clip.id}, "en", asker("guest"))
        assert states(view) == []
        assert "no longer here" in view["notice"]
    assert states(tab.look({"comparison": made.id}, "en", asker())) == ["clip", "waiting", "waiting"]
    tab.act({"comparison": own.id, "what": "star", "clip": clip.id}, "en", asker("guest"))
    kept = studio.clips.get(clip.id)
    assert kept is not None
    assert not kept.starred
    strangers: tuple[object, ...] = (None, 7, [], {"id": made.id}, "x" * 500)
    for strange in strangers:
        assert states(tab.look({"comparison": strange}, "en", asker())) == []


def test_what_is_left_of_nothing_is_forgotten(page: Page, picture_file: Path) -> None:
    studio = page.studio
    gone, kept = make(studio, picture_file), make(studio, picture_file)
    for number in gone.jobs:
        studio.arrangement.remove(number)
    make(studio, picture_file)
    assert studio.comparisons.get(gone.id) is None
    assert studio.comparisons.get(kept.id) == kept


def test_a_comparison_without_anything_left_is_shown_as_empty(page: Page, picture_file: Path) -> None:
    made = make(page.studio, picture_file)
    for number in made.jobs:
        page.studio.arrangement.remove(number)
    assert comparison_view(page.studio, made, "en")["tiles"] == []
