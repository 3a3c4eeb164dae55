"""What the owner alone may do is refused in the handlers, whatever a page shows."""

from types import SimpleNamespace
from typing import Any

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import BadInput
from svd_studio.core.job import JobStatus
from svd_studio.jobs.guests import MOST_JOBS
from svd_studio.library.clips import Clip
from svd_studio.studio import GUEST
from svd_studio.ui.animate_handlers import Handlers
from svd_studio.ui.compare_tab import CompareTab
from svd_studio.ui.gallery_actions import GalleryActions
from svd_studio.ui.looks_handlers import LooksHandlers
from svd_studio.ui.queue_actions import QueueActions
from svd_studio.ui.sharing import SharingLine
from tests.ui.form_page import Page

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


class OpenLink:
    """A link that is open; no tunnel is behind it."""

    url: str | None = "https://abc123.gradio.live"
    ends = 2e9

    def close(self) -> None:
        self.url = None


def test_only_the_owner_hears_of_the_link_and_stops_it() -> None:
    line = SharingLine(OpenLink())  # type: ignore[arg-type]
    assert "abc123.gradio.live" in line.look({}, "en", request_of("owner"))["sharing"]["line"]
    assert line.look({}, "en", request_of(GUEST)) == {"sharing": None}
    with pytest.raises(BadInput, match=r"guest\.only_owner"):
        line.stop({}, "en", request_of(GUEST))
    assert line.stop({}, "en", request_of("owner"))["sharing"] is None
    assert line.look({}, "en", request_of("owner")) == {"sharing": None}
