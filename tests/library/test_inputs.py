"""Start pictures are kept while something names them, and a while longer; then they make room."""

import os
import time
from pathlib import Path

import pytest
from PIL import Image

from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.library.inputs import KEPT_S, Inputs
from svd_studio.studio import GUEST, Studio

NANO = ClipSettings(engine="svd-nano")


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(StudioConfig(tmp_path / "data"))


def drawn(tmp_path: Path, colour: str) -> Path:
    path = tmp_path / f"{colour}.png"
    Image.new("RGB", (64, 48), colour).save(path)
    return path


def make_old(picture: Path) -> None:
    long_ago = time.time() - 2 * KEPT_S
    os.utime(picture, (long_ago, long_ago))


def test_an_edited_jobs_old_picture_goes_after_a_while_and_its_new_one_stays(studio: Studio, tmp_path: Path) -> None:
    job = studio.submit(NANO, drawn(tmp_path, "teal"))
    new = studio.replace(job.job_id, NANO, drawn(tmp_path, "olive")).picture
    studio.tidy()
    assert job.picture.exists(), "not at once"
    for picture in (job.picture, new):
        make_old(picture)
    studio.tidy()
    assert not job.picture.exists()
    assert new.exists()


def test_what_was_removed_a_moment_ago_can_be_put_back_however_old_it_is(studio: Studio, tmp_path: Path) -> None:
    others = studio.submit(NANO, drawn(tmp_path, "teal"))
    job = studio.submit(NANO, drawn(tmp_path, "olive"))
    make_old(job.picture)
    studio.tidy()  # it is named, so this makes it new
    row = studio.arrangement.remove(job.job_id)
    studio.tidy()
    assert job.picture.exists()
    studio.arrangement.put_back([row])
    assert studio.queue.get(job.job_id).request.start_image.exists()  # type: ignore[union-attr]
    assert others.picture.exists()


def test_a_job_written_while_its_picture_goes_has_it_again(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.submit(NANO, drawn(tmp_path, "teal"))
    source = drawn(tmp_path, "olive")
    keep = Inputs.keep

    def lose(self: Inputs, picture: Path) -> Path:
        """The worst moment: between the copy and the row."""
        kept = keep(self, picture)
        make_old(kept)
        monkeypatch.setattr(Inputs, "keep", keep)
        Studio(studio.config).tidy()
        assert not kept.exists()
        return kept

    monkeypatch.setattr(Inputs, "keep", lose)
    assert studio.submit(NANO, source).picture.exists()


def test_nothing_goes_while_a_damaged_database_may_name_it(studio: Studio, tmp_path: Path) -> None:
    studio.submit(NANO, drawn(tmp_path, "teal"))
    left = studio.keep_picture(drawn(tmp_path, "olive"))
    make_old(left)
    aside = studio.config.data / "studio.db.damaged-1"
    aside.touch()
    studio.tidy()
    assert left.exists()
    aside.unlink()
    studio.tidy()
    assert not left.exists()


def test_nothing_goes_when_the_list_is_new(studio: Studio, tmp_path: Path) -> None:
    left = studio.keep_picture(drawn(tmp_path, "teal"))
    make_old(left)
    studio.tidy()
    assert left.exists()


def test_a_guest_pays_for_his_pictures_and_for_those_that_nothing_names(studio: Studio, tmp_path: Path) -> None:
    owners = studio.submit(NANO, drawn(tmp_path, "teal")).picture
    assert studio.inputs.bytes_of(GUEST) == 0
    mine = studio.submit(NANO, drawn(tmp_path, "olive"), owner=GUEST)
    new = studio.replace(mine.job_id, NANO, drawn(tmp_path, "navy")).picture
    sizes = [path.stat().st_size for path in (mine.picture, new)]
    assert studio.inputs.bytes_of(GUEST) == sum(sizes)
    studio.submit(NANO, owners, owner=GUEST)
    assert studio.inputs.bytes_of(GUEST) == sum(sizes) + owners.stat().st_size
