"""The buttons of the Animate page: what is made of a press, of whose picture, and what is said when it fails."""

from dataclasses import replace
from typing import Any

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import DiskFull
from svd_studio.core.job import JobStatus
from svd_studio.library.clips import Clip
from svd_studio.studio import Studio
from tests.ui.form_page import Page


def waiting(studio: Studio) -> int:
    return studio.queue.count()[JobStatus.QUEUED]


def test_several_seeds_are_all_added_or_none(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    add, asked = page.studio.queue.add, []

    def full_at_the_third(*given: Any) -> int:
        asked.append(given)
        if len(asked) == 3:
            raise DiskFull("disk.full", folder="here")
        return add(*given)

    monkeypatch.setattr(page.studio.queue, "add", full_at_the_third)
    page.values |= {page.parts.clips: 5, page.parts.press: "word"}
    assert "full" in page.ask("submit")["errors"][""]
    assert waiting(page.studio) == 0
    assert page.ask("submit")["notice"] == "Added to the queue: 5."
    assert waiting(page.studio) == 5


def test_a_picture_is_framed_for_those_who_gave_it_or_made_a_clip_of_it(page: Page, clip: Clip) -> None:
    """A hash is no secret: it stands in every clip that is shared."""

    def frames(owner: str) -> bool:
        page.values[page.parts.picture] = {"kept": f"{clip.rendered.source_sha256}.png"}
        return bool(page.ask("frame", owner=owner)["picture"])

    assert frames("owner")
    assert not frames("guest")
    kept = page.studio.config.inputs / f"{clip.rendered.source_sha256}.png"
    job = page.studio.submit(ClipSettings(engine="svd-nano"), kept, owner="guest").job_id
    assert frames("guest")
    page.studio.arrangement.remove(job)
    assert not frames("guest")
    page.studio.clips.write([replace(clip, id="theirs", owner="guest", rendered=replace(clip.rendered, path=kept))])
    assert frames("guest")


def test_another_seed_is_made_when_the_queue_was_cleared(page: Page, clip: Clip) -> None:
    assert page.studio.queue.get(clip.job_id or 0) is None
    view = page.ask("again", clip=clip.id)
    assert not view["errors"]
    [job] = page.studio.queue.find()
    assert job.request.start_image.stem == clip.rendered.source_sha256
    assert job.request.settings.seed != clip.rendered.settings.seed
    assert job.request.settings.prompt == "waves"


def test_nobody_makes_anothers_clip_again(page: Page, clip: Clip) -> None:
    assert page.ask("again", owner="guest", clip=clip.id)["errors"]
    assert waiting(page.studio) == 0
