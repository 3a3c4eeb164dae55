"""Weights come in the background: paused and gone on with, cancelled without a trace, never while offline."""

from dataclasses import replace
from pathlib import Path

import pytest

from svd_studio.core.errors import BadInput
from svd_studio.library.errands import Errand, Errands
from svd_studio.library.weights import WeightsLibrary
from tests.library.fake_checkpoint import TINY, TOKEN, UNET, flip_last_bit, svd_folder
from tests.library.fake_hub import FakeHub
from tests.waiting import until


@pytest.fixture
def errand(library: WeightsLibrary) -> Errand:
    return Errands(library).of(TINY)


def ended(errand: Errand) -> Errand:
    until(lambda: not errand.is_running)
    return errand


def begun(errand: Errand, hub: FakeHub) -> Errand:
    """A slow download that is in the middle of the largest file."""
    hub.bytes_per_second = 200_000
    errand.get()
    until(lambda: any(request.sent > 20_000 for request in hub.asked_for(UNET)))
    return errand


def test_a_pause_keeps_what_came_and_the_next_press_goes_on_there(errand: Errand, hub: FakeHub) -> None:
    begun(errand, hub).stop()
    assert ended(errand).problem is None
    assert errand.library.installed(TINY) is None
    hub.bytes_per_second = None
    errand.get()
    assert ended(errand).problem is None
    assert errand.library.installed(TINY)
    assert hub.asked_for(UNET)[-1].start > 0


def test_a_cancelled_download_leaves_nothing(errand: Errand, hub: FakeHub) -> None:
    begun(errand, hub).stop(forget=True)
    ended(errand)
    assert not errand.library.folder_for(TINY).exists()


def test_nothing_is_deleted_while_it_is_at_work(errand: Errand, hub: FakeHub) -> None:
    with pytest.raises(BadInput, match="already_at_work"):
        begun(errand, hub).remove()
    errand.stop()
    ended(errand)
    assert errand.remove() > 0


def test_what_comes_and_goes_is_counted(library: WeightsLibrary, tmp_path: Path) -> None:
    errands = Errands(library)
    errand = errands.of(TINY)
    errand.use(svd_folder(tmp_path / "mine"))
    ended(errand)
    assert (errands.changes, errands.newest) == (1, TINY.name)
    errand.remove()
    assert (errands.changes, errands.newest) == (2, None)
    assert (tmp_path / "mine" / UNET).is_file()


def test_a_check_tells_what_it_found(errand: Errand, tmp_path: Path) -> None:
    folder = svd_folder(tmp_path / "mine")
    errand.use(folder)
    ended(errand).check()
    assert ended(errand).findings == []
    flip_last_bit(folder / UNET)
    errand.check()
    assert [finding.code for finding in ended(errand).findings or []] == ["weights.file_changed"]


def test_a_wrong_folder_is_a_sentence(errand: Errand, tmp_path: Path) -> None:
    errand.use(tmp_path / "nowhere")
    problem = ended(errand).problem
    assert problem is not None
    assert problem.code == "weights.no_such_folder"


def test_offline_no_hub_hears_of_us(library: WeightsLibrary, hub: FakeHub) -> None:
    errand = Errand(replace(library, is_offline=lambda: True), TINY)
    errand.get()
    problem = ended(errand).problem
    assert problem is not None
    assert problem.code == "weights.switched_off"
    assert hub.requests == []


def test_a_token_is_kept_and_forgotten(library: WeightsLibrary) -> None:
    library.save_token(TOKEN)
    assert library.read_token() == TOKEN
    library.forget_token()
    assert library.read_token() is None
