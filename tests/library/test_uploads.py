"""Only what was uploaded here is a picture of ours, and that is found out without opening it."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import app
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput
from svd_studio.library.uploads import LARGEST_UPLOAD, LEAST_BYTES, confined_upload, fresh_uploads, trim_uploads
from svd_studio.studio import Studio

POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")


@pytest.fixture
def config(tmp_path: Path) -> StudioConfig:
    config = StudioConfig(tmp_path / "data")
    (fresh_uploads(config) / "ab12").mkdir()
    return config


@pytest.fixture
def picture(config: StudioConfig) -> Path:
    path = config.uploads / "ab12" / "海鸥.png"
    path.write_bytes(b"picture")
    return path


def refusal(config: StudioConfig, path: str | Path) -> str:
    with pytest.raises(BadInput) as refused:
        confined_upload(config, path)
    assert refused.value.message.code == "upload.not_ours"
    return str(refused.value.message.values["name"])


def test_an_upload_is_found(config: StudioConfig, picture: Path) -> None:
    assert confined_upload(config, picture) == picture.resolve()
    assert confined_upload(config, str(picture)) == picture.resolve()


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/etc/hostname",
        "{uploads}",
        "{uploads}/ab12",
        "{uploads}/missing.png",
        "{uploads}/../studio.db",
        "{uploads}/ab12/../../studio.db",
        "{uploads}x/a.png",
        "uploads/ab12/海鸥.png",
        "海鸥.png",
        "",
        "{uploads}/a\0.png",
        "{uploads}/" + "x" * 5000,
        "//attacker/share/a.png",
        "\\\\attacker\\share\\a.png",
        "http://attacker/a.png",
        "file://{uploads}/ab12/海鸥.png",
        "/dev/zero",
    ],
)
def test_what_is_not_an_upload_is_refused(config: StudioConfig, picture: Path, path: str) -> None:
    (config.data / "studio.db").write_bytes(b"queue")
    (config.data / "uploadsx").mkdir()
    (config.data / "uploadsx" / "a.png").write_bytes(b"picture")
    assert refusal(config, path.format(uploads=config.uploads)).isprintable()


@POSIX
def test_links_are_refused(config: StudioConfig, picture: Path) -> None:
    (config.uploads / "to_file.png").symlink_to("/etc/hostname")
    (config.uploads / "to_upload.png").symlink_to(picture)
    (config.uploads / "folder").symlink_to("/etc")
    for name in ("to_file.png", "to_upload.png", "folder/hostname"):
        refusal(config, config.uploads / name)


@POSIX
def test_a_pipe_is_refused_without_being_opened(config: StudioConfig) -> None:
    os.mkfifo(config.uploads / "pipe.png")  # opening it would wait for ever
    refusal(config, config.uploads / "pipe.png")


@POSIX
def test_a_socket_is_refused(config: StudioConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(config.uploads)  # a socket's path may only be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.png")
        refusal(config, config.uploads / "socket.png")


def test_a_file_over_the_limit_is_refused(config: StudioConfig, picture: Path) -> None:
    os.truncate(picture, LARGEST_UPLOAD)
    confined_upload(config, picture)
    os.truncate(picture, LARGEST_UPLOAD + 1)
    assert refusal(config, picture) == "海鸥.png"


@POSIX
def test_a_data_folder_behind_a_link_works(config: StudioConfig, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(config.data)
    through = StudioConfig(tmp_path / "link")
    assert confined_upload(through, through.uploads / "ab12" / picture.name) == picture.resolve()
    assert confined_upload(through, picture) == picture.resolve()


def test_a_start_throws_old_uploads_away_and_shuts_the_folder(config: StudioConfig, picture: Path) -> None:
    (config.uploads / "tmpab12").write_bytes(b"broken off")
    outside = config.data / "kept"
    outside.mkdir()
    (outside / "a.png").write_bytes(b"kept")
    if os.name != "nt":
        (config.uploads / "link").symlink_to(outside)
        config.uploads.chmod(0o755)
    fresh_uploads(config)
    assert list(config.uploads.iterdir()) == []
    assert (outside / "a.png").exists()
    assert os.name == "nt" or config.uploads.stat().st_mode & 0o777 == 0o700


def test_the_oldest_uploads_go_when_there_are_too_many(config: StudioConfig) -> None:
    paths = [config.uploads / f"folder{number}" / "a.png" for number in range(4)]
    for age, path in enumerate(reversed(paths)):
        path.parent.mkdir()
        path.write_bytes(bytes(10_000))
        os.utime(path, (1e9 - age, 1e9 - age))
    trim_uploads(config, limit_bytes=25_000)
    assert [path.exists() for path in paths] == [False, False, True, True]
    assert not paths[0].parent.exists()
    trim_uploads(config, limit_bytes=25_000)
    assert [path.exists() for path in paths] == [False, False, True, True]


def test_files_of_no_size_are_as_many_as_would_fill_the_disk(config: StudioConfig) -> None:
    """One request may bring a thousand, each with a folder of its own."""
    for number in range(5):
        (config.uploads / f"folder{number}").mkdir()
        (config.uploads / f"folder{number}" / "a.png").touch()
    trim_uploads(config, limit_bytes=3 * LEAST_BYTES)
    assert len(list(config.uploads.rglob("a.png"))) == 3


@pytest.mark.parametrize("event", ["os.scandir", "os.remove"])
def test_an_upload_that_goes_while_we_look_stops_nothing(config: StudioConfig, picture: Path, event: str) -> None:
    other = config.uploads / "cd34" / "a.png"
    other.parent.mkdir()
    other.write_bytes(bytes(100))
    os.utime(picture, (1e9, 1e9))
    script = GOES_FIRST.format(event=event, gone=str(picture.parent), data=str(config.data))
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0
    assert not picture.parent.exists()
    assert not other.exists()


GOES_FIRST = """
import shutil, sys
from pathlib import Path
from svd_studio.core.config import StudioConfig
from svd_studio.library.uploads import trim_uploads

left = ["once"]

def go(name, values):
    if left and name == {event!r} and str(values[0]).startswith({gone!r}):
        left.clear()
        shutil.rmtree({gone!r})

sys.addaudithook(go)
trim_uploads(StudioConfig(Path({data!r})), limit_bytes=1)
"""


def test_an_upload_that_cannot_be_looked_at_stops_nothing(
    config: StudioConfig, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, look = [0], os.stat

    def gone_at_the_second_look(path: Any, *args: Any, **more: Any) -> os.stat_result:
        looks[0] += path == picture
        if path == picture and looks[0] > 1:
            raise FileNotFoundError(str(path))
        return look(path, *args, **more)

    monkeypatch.setattr(os, "stat", gone_at_the_second_look)
    trim_uploads(config, limit_bytes=10**9)


def test_what_goes_wrong_while_tidying_ends_no_studio(config: StudioConfig, caplog: pytest.LogCaptureFixture) -> None:
    config.database.write_bytes(b"no database at all" * 100)
    app.keep_tidy(Studio(config))
    assert "database" in caplog.text
