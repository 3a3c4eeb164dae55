"""What the owner alone may do is refused in the handlers, whatever a page shows."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from PIL import Image
from starlette.requests import Request

from svd_studio.api.media import Media
from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import BadInput, DiskFull, Message
from svd_studio.core.job import JobStatus
from svd_studio.jobs.guests import MOST_JOBS
from svd_studio.library.clips import Clip
from svd_studio.studio import GUEST, OWNER
from svd_studio.ui.animate_handlers import Handlers
from svd_studio.ui.compare_tab import CompareTab
from svd_studio.ui.endpoints import Endpoints
from svd_studio.ui.gallery_actions import GalleryActions
from svd_studio.ui.looks_handlers import LooksHandlers
from svd_studio.ui.queue_actions import QueueActions
from svd_studio.ui.queue_tab import QueueTab
from svd_studio.ui.rooms import _answering
from svd_studio.ui.sharing import SharingLine
from svd_studio.ui.texts import FOR_GUESTS, LANGUAGES, heard_by, say, words
from tests.ui.form_page import Page

SMALL = ClipSettings(engine="svd-nano", seed=1)
BLANK = re.compile(r"{(\w+)")
REFUSED = "Only the owner of this studio can do that"


def request_of(name: str | None) -> Any:
    return SimpleNamespace(username=name, headers={"host": "127.0.0.1:7860"}, client=SimpleNamespace(host="127.0.0.1"))


@pytest.mark.parametrize("what", ["trash", "restore", "forget", "empty", "folder"])
def test_guests_delete_nothing_and_see_no_folders(page: Page, clip: Clip, what: str) -> None:
    sent = {"what": what, "clips": [clip.id], "clip": clip.id}
    with pytest.raises(BadInput, match=r"guest\.only_owner"):
        GalleryActions(page.studio).act(sent, GUEST, "en", request_of(GUEST))
    kept = page.studio.clips.get(clip.id)
    assert kept
    assert kept.trashed is None


@pytest.mark.parametrize("do", ["save", "rename", "remove", "restore", "import"])
def test_guests_leave_the_looks_as_they_are(page: Page, do: str) -> None:
    before = [preset.as_json() for preset in page.studio.presets.all()]
    asked = SimpleNamespace(_data={"do": do, "name": "gentle-drift", "title": "Mine", "text": "{}", "file": "x.json"})
    looks = LooksHandlers(handlers_of(page))
    view = looks.edit(page.values, asked, request_of(GUEST))[page.parts.view]
    assert view["look_done"]["problem"].startswith(REFUSED)
    assert [preset.as_json() for preset in page.studio.presets.all()] == before


def test_guests_get_no_models(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr("svd_studio.ui.animate_handlers.offered_download", started.append)
    view = handlers_of(page).get_model(page.values, request_of(GUEST))[page.parts.view]
    assert view["errors"][""].startswith(REFUSED)
    assert started == []


def handlers_of(page: Page) -> Handlers:
    return page.handlers.handlers


def test_a_guest_cannot_fill_the_queue_by_any_button(page: Page, clip: Clip) -> None:
    studio, actions = page.studio, QueueActions(page.studio)
    kept = studio.config.inputs / f"{clip.rendered.source_sha256}.png"
    settings = ClipSettings(engine="svd-nano")
    jobs = [studio.submit(settings, kept, owner=GUEST).job_id for _ in range(MOST_JOBS)]
    with pytest.raises(BadInput, match=r"guest\.jobs"):
        studio.submit(settings, kept, owner=GUEST)
    with pytest.raises(BadInput, match=r"guest\.jobs"):
        studio.compare([settings.changed(seed=seed) for seed in (1, 2)], kept, owner=GUEST)
    with pytest.raises(BadInput, match=r"guest\.jobs"):
        actions.act({"what": "duplicate", "job": jobs[0]}, GUEST, "en")
    studio.cancel(jobs[0])
    again = studio.submit(settings, kept, owner=GUEST).job_id
    with pytest.raises(BadInput, match=r"guest\.jobs"):
        actions.act({"what": "retry", "job": jobs[0]}, GUEST, "en")
    actions.act({"what": "remove", "job": again}, GUEST, "en")
    studio.submit(settings, kept, owner=GUEST)
    with pytest.raises(BadInput, match=r"guest\.jobs"):
        actions.act({"what": "undo"}, GUEST, "en")
    assert studio.queue.count(GUEST)[JobStatus.QUEUED] == MOST_JOBS
    for _ in range(2 * MOST_JOBS):
        studio.submit(settings, kept)


def test_a_guest_throws_nothing_away_and_retries_no_more_than_a_few(page: Page, clip: Clip) -> None:
    studio, tab = page.studio, CompareTab(page.studio)
    kept = studio.config.inputs / f"{clip.rendered.source_sha256}.png"
    recipes = [ClipSettings(engine="svd-nano", seed=seed) for seed in range(MOST_JOBS)]
    made = studio.compare(recipes, kept, owner=GUEST)
    for what in ("throw", "undo"):
        assert tab.act({"comparison": made.id, "what": what}, "en", request_of(GUEST))["notice"].startswith(REFUSED)
    studio.cancel(made.jobs[0])
    studio.submit(recipes[0], kept, owner=GUEST)
    view = tab.act({"comparison": made.id, "what": "retry", "job": made.jobs[0]}, "en", request_of(GUEST))
    assert view["notice"].startswith("Guests may have 4")
    assert studio.queue.count(GUEST)[JobStatus.QUEUED] == MOST_JOBS


def test_guests_fill_no_more_of_the_disk_than_they_may(page: Page, clip: Clip, tmp_path: Path) -> None:
    """By no way: a picture, many of one, variants, a change of what waits, a download."""
    studio, media = page.studio, Media(page.studio)
    own = replace(clip, id="guests", owner=GUEST, bytes=600)
    made = replace(own.rendered, path=own.rendered.path.with_name("g.mp4"), source_sha256="0" * 64)
    studio.clips.write([replace(own, rendered=made)])
    small, large = drawn(tmp_path, "teal", 32), drawn(tmp_path, "olive", 200)
    job = studio.submit(SMALL, small, owner=GUEST).job_id
    held = studio.guests.held_bytes(GUEST)
    assert held == 600 + small.stat().st_size, "the owner's are not counted"
    studio.guests.limit_bytes = held + large.stat().st_size
    ways: list[Callable[[], object]] = [
        lambda: studio.submit(SMALL, large, owner=GUEST),
        lambda: studio.compare([SMALL, SMALL.changed(seed=2)], large, owner=GUEST),
        lambda: page.handlers.handlers._submit_all([SMALL, SMALL], large, {}, GUEST),
        lambda: studio.replace(job, SMALL, large),
    ]
    for way in ways:
        with pytest.raises(BadInput, match=r"guest\.room"):
            way()
    assert studio.guests.held_bytes(GUEST) == held, "nothing of it was kept"
    studio.guests.limit_bytes = held
    for what in ("duplicate", "retry"):
        with pytest.raises(BadInput, match=r"guest\.room"):
            QueueActions(studio).act({"what": what, "job": job}, GUEST, "en")
    assert export(media, "guests", GUEST).status_code == 503
    studio.exports.place(own, "gif").write_bytes(b"GIF89a")
    assert studio.guests.held_bytes(GUEST) == held + 6
    assert export(media, "guests", GUEST).status_code == 503, "its file is gone"
    studio.submit(SMALL, large)


def test_a_guests_oldest_ended_jobs_go_and_nothing_else(page: Page, clip: Clip) -> None:
    studio = page.studio
    kept = studio.config.inputs / f"{clip.rendered.source_sha256}.png"

    def asked(owner: str, status: JobStatus) -> int:
        job = studio.submit(SMALL, kept, owner=owner).job_id
        ends = {
            JobStatus.CANCELLED: lambda: studio.cancel(job),
            JobStatus.FAILED: lambda: studio.queue.fail(job, FULL),
            JobStatus.DONE: lambda: studio.queue.finish(job, clip.id),
        }
        ends.get(status, lambda: None)()
        return job

    stay = [asked(OWNER, JobStatus.CANCELLED), asked(GUEST, JobStatus.DONE), asked(GUEST, JobStatus.QUEUED)]
    ended = [asked(GUEST, status) for status in (JobStatus.CANCELLED, JobStatus.FAILED) * 3]
    studio.guests.most_ended = 4
    studio.tidy()
    assert {job.id for job in studio.queue.find()} == {*stay, *ended[2:]}


def test_a_guest_follows_and_stops_no_job_of_the_owners(page: Page, tmp_path: Path) -> None:
    job = page.studio.submit(SMALL, drawn(tmp_path, "teal", 32)).job_id
    page.values[page.parts.watched] = job
    assert page.ask("cancel", GUEST)["job"] is None
    assert page.studio.queue.count(OWNER)[JobStatus.QUEUED] == 1


def test_the_same_press_of_somebody_else_is_his_own_clip_and_a_long_one_is_not_kept(page: Page) -> None:
    for owner in (None, GUEST, GUEST):
        page.values |= {page.parts.press: "word" * 10**5, page.parts.clips: 1, page.parts.drawn: None}
        page.values[page.parts.form.fields["seed"]] = 5
        page.ask("submit", owner)
    assert [page.studio.queue.count(owner)[JobStatus.QUEUED] for owner in (OWNER, GUEST)] == [1, 1]
    assert all(len(word) < 200 for word in page.handlers.handlers.presses._known)


def drawn(tmp_path: Path, colour: str, side: int) -> Path:
    path = tmp_path / f"{colour}.png"
    Image.effect_noise((side, side), 50).save(path)
    return path


def export(media: Media, clip_id: str, name: str) -> Any:
    gradio = SimpleNamespace(auth=object(), cookie_id="1", tokens={"word": name})
    headers = [(b"cookie", b"access-token-1=word")]
    path = {"clip_id": clip_id, "kind": "gif"}
    scope = {"type": "http", "app": gradio, "path_params": path, "headers": headers, "query_string": b""}
    return media.export(Request(scope))


HOME = "/home/mara/Videos/SVD Studio"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_tells_a_guest_where_things_are(language: str) -> None:
    """Every sentence that there is, with a place in every blank; the owner hears it all."""
    told = 0
    for code, text in words(language).items():
        message = Message(code, dict.fromkeys(BLANK.findall(text), HOME))
        told += HOME in say_or_nothing(message, language)
        with heard_by(is_guest=True):
            assert HOME not in say_or_nothing(message, language), code
    assert told > 50


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_guest_is_sent_where_only_the_owner_can_go(language: str) -> None:
    blanks = dict.fromkeys(("engine", "size", "text", "gb", "licence", "percent", "name", "mb"), "7")
    with heard_by(is_guest=True):
        for code in FOR_GUESTS:
            told = say(Message(code, blanks), language)
            assert not re.search("launch.sh|Models|“模型”|close|关闭不", told), code


def say_or_nothing(message: Message, language: str) -> str:
    try:
        return say(message, language)
    except ValueError:  # a number's blank
        return ""


FULL = Message("queue.waits_for_room", {"folder": HOME, "needed_mb": 500})


def test_a_guest_hears_of_a_full_disk_and_not_where_it_is(page: Page, clip: Clip) -> None:
    studio = page.studio
    kept = studio.config.inputs / f"{clip.rendered.source_sha256}.png"
    job = studio.submit(SMALL, kept, owner=GUEST).job_id
    studio.queue.block(FULL)
    queue = QueueTab(studio)
    draw = _answering(queue.look, "language")  # type: ignore[arg-type]
    asked = {"language": "en"}, SimpleNamespace(_data={})
    assert HOME in str(draw(*asked, request_of("owner")))
    assert "from guest" in str(draw(*asked, request_of("owner")))
    assert "from guest" not in str(draw(*asked, request_of(GUEST))), "that is himself"
    guests = [str(draw(*asked, request_of(GUEST))), str(page.ask("poll", GUEST))]
    assert all(HOME not in told and "This studio's disk is full" in told for told in guests)
    studio.queue.claim("worker", job)
    studio.queue.fail(job, Message("disk.full", {"folder": HOME}))
    assert "This studio's disk is full" in Endpoints(studio).job(job, request_of(GUEST))["message"]


def test_a_guests_program_follows_and_stops_nothing_of_the_owners(page: Page, clip: Clip, tmp_path: Path) -> None:
    studio, verbs = page.studio, Endpoints(page.studio)
    job = studio.submit(SMALL, drawn(tmp_path, "teal", 32)).job_id
    for verb in (verbs.job, verbs.cancel):
        with pytest.raises(gr.Error, match=f"no job {job}"):
            verb(job, request_of(GUEST))
    assert verbs.clips(request_of(GUEST)) == []
    assert [one["id"] for one in verbs.clips(request_of(OWNER))] == [clip.id]
    assert studio.queue.count(OWNER)[JobStatus.QUEUED] == 1
    assert verbs.cancel(job, request_of(OWNER)) is True


def test_what_goes_wrong_for_a_guests_program_names_no_place(
    page: Page, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise DiskFull("files.too_little_room", folder=HOME, free_mb=1, needed_mb=500)

    monkeypatch.setattr("svd_studio.studio.make_room", full)
    sent = page.upload(picture_file)
    for name, is_told in ((OWNER, True), (GUEST, False)):
        with pytest.raises(gr.Error) as refused:
            Endpoints(page.studio).animate({"path": sent["path"]}, request_of(name), engine="svd-nano")
        assert (HOME in str(refused.value.message)) is is_told


def test_what_goes_wrong_at_a_guests_press_names_no_place(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise DiskFull("files.too_little_room", folder=HOME, free_mb=1, needed_mb=500)

    monkeypatch.setattr("svd_studio.studio.make_room", full)
    page.values[page.parts.clips] = 1
    assert HOME in str(page.ask("submit"))
    assert "ask its owner to make room" in str(page.ask("submit", GUEST))


class OpenLink:
    """A link that is open; no tunnel is behind it."""

    url: str | None = "https://abc123.gradio.live"
    ends = 2e9

    def close(self) -> None:
        self.url = None


def test_only_the_owner_hears_of_the_link_and_stops_it() -> None:
    line = SharingLine(OpenLink())  # type: ignore[arg-type]
    assert "abc123.gradio.live" in line.look({}, "en", request_of("owner"))["sharing"]["line"]
    guests = line.look({}, "en", request_of(GUEST))
    assert guests["sharing"] is None
    assert guests["signed_in"].startswith("You are a guest here")
    with pytest.raises(BadInput, match=r"guest\.only_owner"):
        line.stop({}, "en", request_of(GUEST))
    assert line.stop({}, "en", request_of("owner"))["sharing"] is None
    assert line.look({}, "en", request_of("owner"))["sharing"] is None
    assert line.look({}, "en", request_of(None)) == {"sharing": None, "signed_in": ""}
