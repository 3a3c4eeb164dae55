import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from svd_studio.core.errors import BadInput, MissingWeights
from svd_studio.host import FileLock
from svd_studio.library.weights import WeightsLibrary, verify_before_load
from tests.library.fake_checkpoint import (
    GATED,
    TINY,
    TOKEN,
    UNET,
    UNET_BYTES,
    flip_last_bit,
    library_for,
    nothing,
    refusal,
    svd_folder,
)
from tests.library.fake_hub import REVISION, FakeHub, fake_hub

ROOT = Path(__file__).parents[2]

# Checking and removing


def test_a_check_finds_what_is_missing_changed_or_added(library: WeightsLibrary) -> None:
    folder = library.use(TINY, svd_folder(library.folder_for(TINY)))
    flip_last_bit(folder / UNET)
    (folder / "vae/config.json").unlink()
    (folder / "unet/evil.py").write_text("print()")
    (folder / "vae/weights.bin").write_bytes(b"pickle")
    problems = {(message.code, Path(str(message.values["file"])).name) for message in library.check(TINY)}
    assert problems == {
        ("weights.file_changed", Path(UNET).name),
        ("weights.file_missing", "config.json"),
        ("weights.file_extra", "evil.py"),
        ("weights.file_extra", "weights.bin"),
    }


def test_weights_found_damaged_are_not_installed_until_they_are_got_again(
    library: WeightsLibrary, hub: FakeHub
) -> None:
    folder = library.get(TINY, nothing)
    flip_last_bit(folder / UNET)
    assert library.installed(TINY)
    library.check(TINY)
    assert library.installed(TINY) is None
    hub.requests.clear()
    library.get(TINY, nothing)
    assert [request.path for request in hub.requests[1:]] == [f"/someone/tiny-svd/resolve/{REVISION}/{UNET}"]
    assert library.check(TINY) == []
    assert library.installed(TINY)


def test_a_file_that_went_away_counts_as_not_installed_at_once(library: WeightsLibrary) -> None:
    folder = library.use(TINY, svd_folder(library.folder_for(TINY)))
    (folder / "vae/config.json").unlink()
    assert library.installed(TINY) is None


def test_a_check_of_nothing_names_the_way_to_get_it(library: WeightsLibrary) -> None:
    with pytest.raises(MissingWeights, match=r"weights\.not_installed"):
        library.check(TINY)


def test_removing_frees_the_disk_and_nothing_else(library: WeightsLibrary) -> None:
    folder = library.use(TINY, svd_folder(library.folder_for(TINY)))
    other = library.folder / "other"
    other.mkdir()
    assert library.remove(TINY) > UNET_BYTES
    assert not folder.exists()
    assert other.exists()
    assert library.installed(TINY) is None
    assert library.remove(TINY) == 0


@pytest.mark.parametrize("name", ["..", "../inputs", "a/b", "", ".hidden", "C:x"])
def test_a_name_that_leads_elsewhere_is_refused(library: WeightsLibrary, name: str) -> None:
    with pytest.raises(BadInput):
        library.remove(replace(TINY, name=name))


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_removing_does_not_follow_a_link(library: WeightsLibrary, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "film.mp4").write_bytes(b"years of work")
    library.folder.mkdir(exist_ok=True)
    library.folder_for(TINY).symlink_to(precious)
    library.remove(TINY)
    assert (precious / "film.mp4").exists()


def test_only_one_process_works_on_a_set(library: WeightsLibrary) -> None:
    library.folder.mkdir()
    with FileLock(library.folder / ".tiny-svd.lock"):
        assert refusal(library).message.code == "weights.already_at_work"


# Using somebody else's folder


def test_a_used_folder_is_loaded_checked_and_never_deleted(library: WeightsLibrary, tmp_path: Path) -> None:
    mine = svd_folder(tmp_path / "mine")
    assert library.use(TINY, mine) == mine == library.installed(TINY)
    assert library.check(TINY) == []
    library.remove(TINY)
    assert library.installed(TINY) is None
    assert (mine / UNET).exists()


def test_a_used_folder_that_changes_is_found(library: WeightsLibrary, tmp_path: Path) -> None:
    mine = svd_folder(tmp_path / "mine")
    library.use(TINY, mine)
    flip_last_bit(mine / UNET)
    assert [message.code for message in library.check(TINY)] == ["weights.file_changed"]
    library.use(TINY, mine)
    shutil.rmtree(mine)
    assert library.installed(TINY) is None


def test_files_copied_by_hand_into_our_own_folder_can_be_used(library: WeightsLibrary) -> None:
    own = svd_folder(library.folder_for(TINY))
    assert library.use(TINY, own) == library.installed(TINY)
    assert json.loads((own / "installed.json").read_text())["folder"] is None  # so that the data folder can move
    library.remove(TINY)
    assert not own.exists()


def test_a_folder_that_is_not_there_is_refused(library: WeightsLibrary, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"weights\.no_such_folder"):
        library.use(TINY, tmp_path / "nowhere")


def test_a_checkpoint_that_diffusers_saved_may_be_loaded(tiny_folder: Path, library: WeightsLibrary) -> None:
    verify_before_load(tiny_folder)
    assert library.use(TINY, tiny_folder) == tiny_folder.resolve()


# Tokens


def test_a_gated_set_without_a_token_names_the_licence_page(hub: FakeHub, tmp_path: Path) -> None:
    hub.needs_token = TOKEN
    message = refusal(library_for(hub, tmp_path), GATED).message
    assert (message.code, message.values["page"]) == ("weights.licence_first", GATED.licence_url)


def test_a_token_whose_licence_was_not_accepted_is_told_so(hub: FakeHub, tmp_path: Path) -> None:
    hub.needs_token = TOKEN
    message = refusal(library_for(hub, tmp_path, "hf_another_token"), GATED).message
    assert (message.code, message.values["page"]) == ("weights.licence_not_accepted", GATED.licence_url)


def test_a_refused_token_on_an_open_set_is_told_so(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults["listing"] = "401"
    assert refusal(library_for(hub, tmp_path, TOKEN)).message.code == "weights.token_refused"
    assert refusal(library_for(hub, tmp_path)).message.code == "weights.not_found"


def test_the_saved_token_opens_a_gated_set(hub: FakeHub, tmp_path: Path) -> None:
    hub.needs_token = TOKEN
    library = library_for(hub, tmp_path)
    library.save_token(f" {TOKEN}\n")
    assert library.describe(GATED).has_token
    assert library.get(GATED, nothing)


def test_the_token_never_follows_a_redirect_to_another_host(there: Path, tmp_path: Path) -> None:
    with fake_hub(there) as cdn, fake_hub(there, cdn=cdn.url, needs_token=TOKEN) as hub:
        library = library_for(hub, tmp_path, TOKEN)
        hub.faults[UNET] = ""
        cdn.faults[UNET] = ["half"]
        library.get(GATED, nothing)
    assert {request.token for request in hub.requests} == {f"Bearer {TOKEN}"}
    assert len(cdn.requests) == 4
    assert {request.token for request in cdn.requests} == {None}
    assert cdn.asked_for(UNET)[-1].start > 0


def test_a_mirror_never_gets_the_token_and_its_files_are_hashed_all_the_same(hub: FakeHub, tmp_path: Path) -> None:
    library = library_for(hub, tmp_path, TOKEN, official=False)
    hub.faults["vae/config.json"] = ["corrupt"]
    library.get(TINY, nothing)
    assert {request.token for request in hub.requests} == {None}
    assert len(hub.asked_for("vae/config.json")) == 2


def test_a_mirror_of_a_gated_set_says_where_to_get_it(hub: FakeHub, tmp_path: Path) -> None:
    hub.needs_token = TOKEN
    assert refusal(library_for(hub, tmp_path, TOKEN, official=False), GATED).message.code == "weights.gated_mirror"


def test_the_token_is_readable_by_its_owner_only_and_shown_nowhere(hub: FakeHub, tmp_path: Path) -> None:
    library = library_for(hub, tmp_path, TOKEN)
    library.save_token(TOKEN)
    assert library.read_token() == TOKEN
    assert sys.platform == "win32" or (library.folder / "token").stat().st_mode & 0o777 == 0o600
    assert TOKEN not in repr(library) + repr(library.hub) + repr(library.describe(TINY))


@pytest.mark.parametrize("text", ["", "short", "two words here", "line\nbreak-in-token", "ünïcödé-token", "x" * 201])
def test_what_cannot_be_a_token_is_not_saved(library: WeightsLibrary, text: str) -> None:
    with pytest.raises(BadInput):
        library.save_token(text)
    assert library.read_token() is None


# Words


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_message_of_this_room_has_its_sentence(language: str) -> None:
    texts = json.loads((ROOT / f"svd_studio/ui/texts/{language}.json").read_text(encoding="utf-8"))
    sources = "".join(
        (ROOT / f"svd_studio/library/{name}.py").read_text()
        for name in ("weights", "weights_download", "checkpoint_files")
    )
    codes = set(re.findall(r'"(weights\.\w+)"', sources))
    codes |= {f"weights.{kind}" for kind in ("offline", "cut", "silent", "died", "untrusted", "nonsense")}
    assert len(codes) > 30
    assert codes <= set(texts)
