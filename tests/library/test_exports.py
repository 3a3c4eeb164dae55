"""Guests and the owner share the making of downloads: nobody waits for what is there, and guests leave room."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import StudioError
from svd_studio.library import exports
from svd_studio.library.clips import Clip
from svd_studio.library.exports import MOST_OF_GUESTS, MOST_WAITING, Exports, _place_in, one_at_a_time
from svd_studio.studio import Studio
from tests.api.window import keep_clip


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    file = tmp_path / "clip.mp4"
    file.touch()
    return keep_clip(Studio(StudioConfig(tmp_path / "data")), file)


@pytest.fixture
def busy() -> ExitStack:
    """Everything that guests may hold is held by guests."""
    held = ExitStack()
    for _ in range(MOST_OF_GUESTS):
        held.enter_context(_place_in(exports._OF_GUESTS))
        held.enter_context(_place_in(exports._WAITING))
    return held


def test_guests_leave_most_places_to_the_owner(busy: ExitStack) -> None:
    with busy:
        with pytest.raises(StudioError, match=r"export\.busy"), one_at_a_time(is_guest=True):
            pass
        with one_at_a_time():
            pass
        assert MOST_WAITING - MOST_OF_GUESTS >= 6
    with one_at_a_time(is_guest=True):
        pass


@pytest.mark.parametrize("is_guest", [True, False])
def test_what_is_made_already_is_handed_out_though_everybody_waits(
    tmp_path: Path, clip: Clip, busy: ExitStack, is_guest: bool
) -> None:
    made = Exports(tmp_path / "exports")
    made.place(clip, "gif").write_bytes(b"GIF89a")
    with busy:
        for _ in range(MOST_WAITING - MOST_OF_GUESTS):
            busy.enter_context(_place_in(exports._WAITING))
        assert made.get(clip, "gif", is_guest).read_bytes() == b"GIF89a"
        with pytest.raises(StudioError, match=r"export\.busy"):
            made.get(clip, "webm", is_guest)
