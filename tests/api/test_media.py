"""Clips by their ids: whole, in parts, to keep; nothing else."""

import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image
from starlette.requests import Request

from svd_studio import __version__
from svd_studio.api.media import Media
from svd_studio.core.clip import ClipRequest, ClipSettings
from svd_studio.engines.catalog import ENGINES
from svd_studio.host import FileLock
from svd_studio.studio import OWNER
from svd_studio.video.metadata import probe, read_comment, read_frames
from tests.api.window import Window, ask
from tests.waiting import until


def test_a_clip_is_served_whole_and_only_to_its_asker(window: Window) -> None:
    answer = ask(window, path=f"/media/{window.clip.id}")
    assert answer.status == 200
    assert answer.body == window.clip.rendered.path.read_bytes()
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["cache-control"].startswith("private")
    assert "content-disposition" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "part"),
    [("bytes=0-99", slice(0, 100)), ("bytes=100-", slice(100, None)), ("bytes=-50", slice(-50, None))],
)
def test_a_player_gets_the_part_that_it_asks_for(window: Window, asked: str, part: slice) -> None:
    content = window.clip.rendered.path.read_bytes()
    answer = ask(window, path=f"/media/{window.clip.id}", headers={"Range": asked, "Accept-Encoding": "gzip, br"})
    assert answer.status == 206
    assert answer.body == content[part]
    start, end, _ = part.indices(len(content))
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(content)}"


def test_the_clip_before_finishing_is_played_where_it_was_kept(window: Window) -> None:
    path, before = f"/media/{window.clip.id}/before", window.clip.rendered.before
    assert ask(window, path=path).status == 404
    before.write_bytes(b"unfinished")
    answer = ask(window, path=path)
    before.unlink()
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"unfinished", "video/mp4")


def test_a_part_behind_the_end_is_refused(window: Window) -> None:
    assert ask(window, path=f"/media/{window.clip.id}", headers={"Range": "bytes=99999999-"}).status == 416


def test_the_head_of_a_clip_tells_its_size(window: Window) -> None:
    answer = ask(window, "HEAD", f"/media/{window.clip.id}")
    assert int(answer.headers["content-length"]) == window.clip.rendered.path.stat().st_size
    assert answer.body == b""


def test_a_download_keeps_its_name_in_any_script(window: Window) -> None:
    answer = ask(window, path=f"/media/{window.clip.id}/download")
    assert answer.headers["content-disposition"] == f"attachment; filename*=utf-8''{quote('Möwe 海鸥.mp4')}"
    assert answer.body == window.clip.rendered.path.read_bytes()


def test_a_clip_can_be_kept_without_its_recipe(window: Window, tmp_path: Path) -> None:
    answer = ask(window, path=f"/media/{window.clip.id}/download?recipe=no")
    assert answer.headers["content-disposition"] == f"attachment; filename*=utf-8''{quote('Möwe 海鸥.mp4')}"
    bare = tmp_path / "bare.mp4"
    bare.write_bytes(answer.body)
    assert probe(bare).frames == probe(window.clip.rendered.path).frames
    assert read_comment(window.clip.rendered.path) is not None
    assert read_comment(bare) is None
    until(lambda: not list(window.config.uploads.glob("bare-*")))


def test_a_poster_is_a_picture(window: Window) -> None:
    answer = ask(window, path=f"/media/{window.clip.id}/poster")
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "image/webp", b"RIFFposter")


@pytest.mark.parametrize("name", ["note", "07", "-7", "7.webp"])
def test_only_a_job_number_names_a_preview(window: Window, name: str) -> None:
    window.config.previews.mkdir(exist_ok=True)
    (window.config.previews / f"{name}.webp").write_bytes(b"something else")
    assert ask(window, path=f"/media/job/{name}/preview").status == 404


@pytest.fixture
def job(window: Window, picture_file: Path) -> int:
    """A job that waits with a real picture."""
    settings = ClipSettings(seed=1).resolve(ENGINES["svd-nano"]).settings
    kept = window.studio.keep_picture(picture_file)
    return window.studio.queue.add(ClipRequest(settings, kept), "a", OWNER)


def test_a_preview_is_there_while_its_file_is(window: Window, job: int) -> None:
    window.config.previews.mkdir(exist_ok=True)
    preview = window.config.previews / f"{job}.webp"
    preview.write_bytes(b"RIFFpreview")
    answer = ask(window, path=f"/media/job/{job}/preview?v=3")
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "image/webp", b"RIFFpreview")
    preview.unlink()
    assert ask(window, path=f"/media/job/{job}/preview?v=4").status == 404


def test_a_jobs_picture_is_small_and_lasts(window: Window, job: int) -> None:
    answer = ask(window, path=f"/media/job/{job}/picture?v=1")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
    assert len(answer.body) < 20_000
    assert Image.open(io.BytesIO(answer.body)).size == (192, 128)
    assert answer.headers["cache-control"].startswith("private")
    assert "max-age" in answer.headers["cache-control"]
    for unknown in ("0", "07", "x", "99999", str(10**17)):
        assert ask(window, path=f"/media/job/{unknown}/picture").status == 404


@pytest.mark.parametrize("route", ["clip", "poster", "download", "export", "frame", "preview", "picture"])
def test_files_are_for_their_owner_and_the_studios(window: Window, job: int, route: str) -> None:
    window.config.previews.mkdir(exist_ok=True)
    (window.config.previews / f"{job}.webp").write_bytes(b"RIFFpreview")
    own = window.studio.database.connection.execute

    def status(name: str | None) -> int:
        gradio = SimpleNamespace(auth=object(), cookie_id="1", tokens={"word": name} if name else {})
        path = {"job_id": str(job), "clip_id": window.clip.id, "kind": "gif", "number": "2"}
        headers = [(b"cookie", b"access-token-1=word")]
        scope = {"type": "http", "app": gradio, "path_params": path, "headers": headers, "query_string": b""}
        return getattr(Media(window.studio), route)(Request(scope)).status_code  # type: ignore[no-any-return]

    assert [status(name) for name in (OWNER, "guest", None)] == [200, 404, 404], "None has just signed out"
    own("UPDATE jobs SET owner = 'guest' WHERE id = ?", (job,))
    own("UPDATE clips SET owner = 'guest'")
    try:
        assert [status(name) for name in (OWNER, "guest", "other")] == [200, 200, 404]
    finally:
        own("UPDATE clips SET owner = ?", (OWNER,))


def test_a_jobs_picture_that_is_gone_is_not_found(window: Window, tmp_path: Path, job: int) -> None:
    window.studio.database.connection.execute(
        "UPDATE jobs SET start_image = ? WHERE id = ?", (str(tmp_path / "gone.png"), job)
    )
    assert ask(window, path=f"/media/job/{job}/picture").status == 404


def test_a_clip_whose_file_is_gone_is_not_found(window: Window) -> None:
    path = window.clip.rendered.path
    shutil.move(path, path.with_suffix(".gone"))
    try:
        assert ask(window, path=f"/media/{window.clip.id}").status == 404
    finally:
        shutil.move(path.with_suffix(".gone"), path)


def test_health_tells_whether_somebody_renders(window: Window) -> None:
    assert json.loads(ask(window, path="/health").text) == {"ok": True, "version": __version__, "worker": False}
    with FileLock(window.config.worker_lock()):
        assert json.loads(ask(window, path="/health").text)["worker"] is True


def test_a_clip_goes_out_in_another_shape_and_is_made_once(window: Window, tmp_path: Path) -> None:
    path = f"/media/{window.clip.id}/as/1080x1080"
    head = ask(window, "HEAD", path)
    assert (head.status, head.body) == (200, b"")
    answer = ask(window, path=path)
    assert answer.headers["content-disposition"].endswith(quote("Möwe 海鸥 1080x1080.mp4"))
    square = tmp_path / "square.mp4"
    square.write_bytes(answer.body)
    facts = probe(square)
    assert (facts.frames, facts.width, facts.height) == (12, 1080, 1080)
    assert head.headers["last-modified"] == answer.headers["last-modified"], "it was not made twice"


@pytest.mark.parametrize("kind", ["mkv", "4000x4000", "..", "gif.", "%2e%2e"])
def test_only_what_is_offered_is_made(window: Window, kind: str) -> None:
    assert ask(window, path=f"/media/{window.clip.id}/as/{kind}").status == 404


def test_a_frame_comes_exactly_as_it_is_in_the_clip(window: Window) -> None:
    answer = ask(window, path=f"/media/{window.clip.id}/frame/5")
    assert answer.headers["content-disposition"].endswith(quote("Möwe 海鸥 5.png"))
    expected = list(read_frames(window.clip.rendered.path))[4]
    assert (np.asarray(Image.open(io.BytesIO(answer.body))) == expected).all()
    for wrong in ("0", "15", "05", "-1", "x", "1e1", "9" * 9):
        assert ask(window, path=f"/media/{window.clip.id}/frame/{wrong}").status == 404
    beyond = ask(window, path=f"/media/{window.clip.id}/frame/14?language=zh-CN")
    assert (beyond.status, "第 14 帧" in beyond.text) == (503, True), "its file is shorter than the list says"
