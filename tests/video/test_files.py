"""A file is whole or not there, whatever fails."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svd_studio.core.errors import BadInput, DiskFull
from svd_studio.video.files import (
    PART_SUFFIX,
    check_free,
    check_writable,
    remove_leftovers,
    safe_name,
    write_whole,
)


class Broken(Exception):
    """What a step of ours may raise."""


def write_new(part: Path) -> None:
    part.write_bytes(b"new")


def accept(part: Path) -> None:
    assert part.read_bytes() == b"new"


def fail(part: Path) -> None:
    raise Broken


def write_half_and_fail(part: Path) -> None:
    part.write_bytes(b"ne")
    raise Broken


def test_a_file_appears_whole_and_alone(tmp_path: Path) -> None:
    write_whole(tmp_path / "clip.mp4", write_new, accept)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("clip.mp4", b"new")]


def test_the_file_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("fsync"), fsync(handle))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("replace"), replace(a, b))[1])
    write_whole(tmp_path / "clip.mp4", write_new, lambda part: order.append("verify"))
    assert order == ["verify", "fsync", "replace"] + ["fsync"] * (os.name != "nt")


def test_the_temporary_file_is_in_the_same_folder(tmp_path: Path) -> None:
    seen: list[Path] = []
    write_whole(tmp_path / "clip.mp4", lambda part: seen.append(part), lambda part: None)
    assert seen[0].parent == tmp_path
    assert seen[0].name.endswith(PART_SUFFIX)


@pytest.mark.parametrize("existing", [None, b"old"])
@pytest.mark.parametrize(("write", "verify"), [(fail, accept), (write_half_and_fail, accept), (write_new, fail)])
def test_a_step_that_fails_leaves_everything_as_it_was(
    tmp_path: Path, existing: bytes | None, write: Callable[[Path], None], verify: Callable[[Path], None]
) -> None:
    path = tmp_path / "clip.mp4"
    if existing:
        path.write_bytes(existing)
    with pytest.raises(Broken):
        write_whole(path, write, verify)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([existing] if existing else [])


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("number", "raised"), [(errno.EIO, OSError), (errno.ENOSPC, DiskFull), (errno.EACCES, BadInput)]
)
def test_a_system_call_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, raised: type[Exception]
) -> None:
    def broken(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, broken)
    with pytest.raises(raised):
        write_whole(tmp_path / "clip.mp4", write_new, accept)
    assert list(tmp_path.iterdir()) == []


def test_a_stop_leaves_nothing(tmp_path: Path) -> None:
    def stop(part: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "clip.mp4", stop, accept)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_flushed_is_no_reason_to_lose_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EINVAL, "not on this network disk")

    monkeypatch.setattr(os, "open", refuse)
    write_whole(tmp_path / "clip.mp4", write_new, accept)
    assert (tmp_path / "clip.mp4").read_bytes() == b"new"


def test_a_full_disk_is_said_and_left_clean(small_disk: Path) -> None:
    with pytest.raises(DiskFull, match=r"files\.disk_full"):
        write_whole(small_disk / "clip.mp4", lambda part: _fill(part), accept)
    assert list(small_disk.iterdir()) == []


def _fill(part: Path) -> None:
    part.write_bytes(bytes(2_000_000))


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("missing/clip.mp4", "files.no_folder"),
        ("file/clip.mp4", "files.no_folder"),
        ("folder", "files.is_folder"),
        ("x" * 300, "files.bad_name"),
        ("a\0b", "files.bad_name"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, path: str, code: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(BadInput) as refused:
        write_whole(tmp_path / path, fail, fail)
    assert refused.value.message.code == code
    with pytest.raises(BadInput):
        check_writable(tmp_path / path)


def test_a_protected_folder_is_refused(tmp_path: Path, without_root: Callable) -> None:
    with without_root(), pytest.raises(BadInput, match=r"files\.not_writable"):
        check_writable(tmp_path / "clip.mp4")


def test_asking_whether_a_place_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


def test_too_little_room_is_said_in_megabytes(tmp_path: Path) -> None:
    check_free(tmp_path, 1)
    with pytest.raises(DiskFull) as refused:
        check_free(tmp_path, 10**18)
    assert refused.value.message.values["needed_mb"] == 10**12


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / f".abc{PART_SUFFIX}").touch()
    (tmp_path / "clip.mp4").touch()
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("A quiet sea", "A quiet sea"),
        ("静かな海 / 夜", "静かな海 夜"),
        ("..\\..\\windows\\system32", "windows system32"),
        ("../../etc/passwd", "etc passwd"),
        ("CON", "_CON"),
        ("com1.txt", "_com1.txt"),
        ("Console", "Console"),
        ("-rf", "rf"),
        ("what?\n\t<b>", "what b"),
        ("dots. . .", "dots"),
        ("", "clip"),
        ("///", "clip"),
        ("\ud800", "clip"),
        ("e\u0301te\u0301", "été"),
    ],
)
def test_words_become_a_file_name(words: str, name: str) -> None:
    assert safe_name(words) == name


@given(st.text(max_size=300))
def test_a_file_name_is_safe_everywhere(words: str) -> None:
    name = safe_name(words)
    assert 1 <= len(name.encode()) <= 80
    assert not set(name) & set('<>:"/\\|?*')
    assert name.isprintable()
    assert name == name.strip(" .")
    assert name[0] not in ".-~"
    assert name.split(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}
    assert safe_name(name) == name
