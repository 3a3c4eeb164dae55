"""The buttons of the Animate page: what is made of a press, of whose picture, and what is said when it fails."""

from typing import Any

import pytest

from svd_studio.core.errors import DiskFull
from svd_studio.core.job import JobStatus
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
