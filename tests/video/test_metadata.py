"""The recipe comes back out of every file word for word, and no file can harm its reader."""

import json
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import RenderFailed
from svd_studio.core.progress import Progress
from svd_studio.video.encode import encode_clip
from svd_studio.video.metadata import (
    check_decodes,
    probe,
    read_comment,
    read_frames,
    read_recipe,
    read_record,
    recipe_json,
)
from svd_studio.video.poster import make_poster

HARD_WORDS = "Ein \"Bär\"; \\ läuft = schnell #1\n海浪轻轻拍打 🌊 \u202eabc\u202c \u2028 \t %d {x} 'q' <b>&amp;"
FRAME = np.full((48, 64, 3), 120, np.uint8)


def clip_with(path: Path, comment: str, frames: int = 2) -> Path:
    return encode_clip([FRAME] * frames, path, 7, (64, 48), comment, Progress(), frames).path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip_with(tmp_path_factory.mktemp("clips") / "clip.mp4", '{"settings": {"seed": 7}}', frames=14)


# There and back


def test_a_recipe_comes_back_out_of_clip_and_poster(tmp_path: Path) -> None:
    recipe = ClipSettings(prompt=HARD_WORDS, seed=42, guidance_first=1.5)
    written = recipe_json(recipe, {"source_sha256": "ab" * 32, "plan": {"decode_window": 8}})
    clip, poster = clip_with(tmp_path / "clip.mp4", written), tmp_path / "clip.webp"
    make_poster(FRAME, poster, written)
    for path in (clip, poster):
        assert read_comment(path) == written
        assert read_recipe(path) == recipe.as_json()
        assert ClipSettings.from_file(read_recipe(path) or {}) == (recipe, ())
        assert (read_record(path) or {})["made"] == {"source_sha256": "ab" * 32, "plan": {"decode_window": 8}}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), max_size=400), st.text(st.characters(), max_size=400))
@example("half a letter \ud83c", "\0 and returns \r\n and the end \\")
def test_any_words_survive_byte_for_byte(tmp_path: Path, words: str, more: str) -> None:
    written = recipe_json(ClipSettings(), {"words": words, more: words})
    clip, poster = clip_with(tmp_path / "clip.mp4", written), tmp_path / "clip.webp"
    make_poster(FRAME, poster, written)
    for path in (clip, poster):
        assert read_comment(path) == written
        assert (read_record(path) or {})["made"] == {"words": words, more: words}


@pytest.mark.parametrize("words", ["海" * 2000, '"\\' * 1000, "🌊" * 2000, "x" * 200_000])
def test_the_longest_words_survive(tmp_path: Path, words: str) -> None:
    written = recipe_json(ClipSettings(), {"words": words})
    assert read_comment(clip_with(tmp_path / "clip.mp4", written)) == written
    make_poster(FRAME, tmp_path / "clip.webp", written)
    assert read_comment(tmp_path / "clip.webp") == written


@pytest.mark.parametrize("comment", ["a\rb", "a\0b", "ends with \\"])
def test_what_ffmpeg_would_change_is_refused_at_once(tmp_path: Path, comment: str) -> None:
    with pytest.raises(ValueError, match="a comment is JSON"):
        clip_with(tmp_path / "clip.mp4", comment)


def test_a_recipe_is_one_line_that_people_can_read() -> None:
    written = recipe_json(ClipSettings(prompt="海浪\n🌊"))
    assert "海浪" in written
    assert "\n" not in written
    assert json.loads(written)["settings"]["prompt"] == "海浪\n🌊"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_poster_saved_again_still_holds_its_recipe(tmp_path: Path, kind: str) -> None:
    make_poster(FRAME, tmp_path / "clip.webp", recipe_json(ClipSettings(prompt=HARD_WORDS)))
    with Image.open(tmp_path / "clip.webp") as poster:
        assert poster.size == (64, 48)
        assert abs(np.asarray(poster).astype(int) - FRAME).max() <= 2
        poster.save(tmp_path / "again", kind, exif=poster.getexif())
    assert (read_recipe(tmp_path / "again") or {})["prompt"] == ClipSettings(prompt=HARD_WORDS).prompt


# Strangers' files


def box(kind: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I", 8 + len(data)) + kind + data


def comment_box(text: bytes, coding: int = 1) -> bytes:
    data = box(b"data", struct.pack(">II", coding, 0), text)
    return box(b"moov", box(b"udta", box(b"meta", bytes(4), box(b"ilst", box(b"\xa9cmt", data)))))


FTYP = box(b"ftyp", b"isom", bytes(4))


def comment_of(path: Path, content: bytes) -> str | None:
    path.write_bytes(content)
    start = time.perf_counter()
    comment = read_comment(path)
    assert time.perf_counter() - start < 1
    return comment


def test_a_comment_by_other_programs_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    assert comment_of(path, FTYP + comment_box("grüße".encode())) == "grüße"
    assert comment_of(path, FTYP + comment_box("grüße".encode("utf-16-be"), 2)) == "grüße"
    without_version = comment_box(b"hello").replace(box(b"meta", bytes(4))[4:], b"meta" + box(b"hdlr", bytes(24)), 1)
    for kind in (b"moov", b"udta", b"meta"):  # 32 bytes more than the four of the version: correct the lengths
        at = without_version.index(kind) - 4
        length = struct.unpack(">I", without_version[at : at + 4])[0] + 28
        without_version = without_version[:at] + struct.pack(">I", length) + without_version[at + 4 :]
    assert comment_of(path, FTYP + without_version) == "hello"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        FTYP,
        FTYP + box(b"moov"),
        FTYP + comment_box(b"x" * (1024 * 1024 + 1)),
        FTYP + comment_box(b"a picture", coding=13),
        FTYP + comment_box(b"hello")[:-3],
        FTYP + struct.pack(">I", 7) + b"moov" + comment_box(b"hello"),
        FTYP + struct.pack(">I4sQ", 1, b"free", 3) + comment_box(b"hello"),
        FTYP + struct.pack(">I4sQ", 1, b"free", 2**64 - 1) + comment_box(b"hello"),
        FTYP + box(b"free") * 200_000 + comment_box(b"hello"),
        FTYP + box(b"moov", box(b"udta", struct.pack(">I", 2**31) + b"meta" + bytes(40))),
        FTYP + box(b"moov", box(b"udta", box(b"meta"))),
        FTYP + box(b"moov", box(b"udta", box(b"meta", bytes(4), box(b"ilst", box(b"\xa9cmt", box(b"data", b"abc")))))),
    ],
)
def test_a_file_without_a_comment_that_can_be_trusted_has_none(tmp_path: Path, content: bytes) -> None:
    assert comment_of(tmp_path / "clip.mp4", content) is None


def test_hundreds_of_other_boxes_do_not_hide_the_comment(tmp_path: Path) -> None:
    assert comment_of(tmp_path / "clip.mp4", FTYP + box(b"free", bytes(9)) * 500 + comment_box(b"hello")) == "hello"


def test_a_comment_behind_gigabytes_is_found_at_once(tmp_path: Path) -> None:
    path, length = tmp_path / "film.mp4", 6 * 1024**3
    with path.open("wb") as file:
        file.write(FTYP + struct.pack(">I4sQ", 1, b"mdat", length))
        file.seek(length - 16, 1)
        file.write(comment_box(b"hello"))
    start = time.perf_counter()
    assert read_comment(path) == "hello"
    assert time.perf_counter() - start < 0.2


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("kind", ["mp4", "webp"])
def test_a_damaged_file_gives_a_comment_or_none_but_never_breaks(
    tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    path = tmp_path / "damaged"
    if kind == "webp":
        make_poster(FRAME, tmp_path / "whole", '{"settings":{}}')
        content = bytearray((tmp_path / "whole").read_bytes())
    else:
        content = bytearray(FTYP + comment_box(b'{"settings":{}}'))
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[position] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    assert isinstance(read_comment(path), str | None)
    assert isinstance(read_record(path), dict | None)


@pytest.mark.parametrize("comment", ["made by hand", "[1]", "{", "null", "[" * 100_000, '{"a": NaN}', "9" * 5000])
def test_a_comment_that_is_no_record_is_none(tmp_path: Path, comment: str) -> None:
    (tmp_path / "clip.mp4").write_bytes(FTYP + comment_box(comment.encode()))
    assert read_record(tmp_path / "clip.mp4") is None
    assert read_recipe(tmp_path / "clip.mp4") is None


@pytest.mark.parametrize("comment", ["{}", '{"settings": []}', '{"settings": null}'])
def test_a_record_without_settings_is_no_recipe(tmp_path: Path, comment: str) -> None:
    (tmp_path / "clip.mp4").write_bytes(FTYP + comment_box(comment.encode()))
    assert read_recipe(tmp_path / "clip.mp4") is None


def test_what_is_not_there_holds_no_recipe(tmp_path: Path) -> None:
    assert read_recipe(tmp_path / "nothing.mp4") is None
    assert read_recipe(tmp_path) is None


def test_reading_a_recipe_loads_nothing_heavy() -> None:
    script = (
        "import sys, svd_studio.video.metadata; print([m for m in ('cv2', 'moviepy', 'torch') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


# Decoding


def test_a_whole_clip_decodes(clip: Path) -> None:
    check_decodes(clip, 14)
    assert len(list(read_frames(clip))) == 14


def test_a_wrong_count_is_noticed(clip: Path) -> None:
    with pytest.raises(RenderFailed, match=r"video\.undecodable"):
        check_decodes(clip, 13)


@pytest.mark.parametrize("damage", ["half", "no index", "noise", "empty", "text", "missing"])
def test_a_broken_clip_is_noticed(tmp_path: Path, clip: Path, damage: str) -> None:
    content, path = clip.read_bytes(), tmp_path / "broken.mp4"
    at = content.index(b"mdat") + 4
    broken = {
        "half": content[: at + (len(content) - at) // 2],
        "no index": content.replace(b"moov", b"junk"),
        "noise": content[:at] + bytes(255 - byte for byte in content[at:]),
        "empty": b"",
        "text": b"no video",
    }
    if damage in broken:
        path.write_bytes(broken[damage])
    with pytest.raises(RenderFailed, match=r"video\.undecodable"):
        check_decodes(path, 14)
    with pytest.raises(RenderFailed, match=r"video\.undecodable"):
        assert len(list(read_frames(path))) == 14 or pytest.fail("frames are missing and nobody said so")


def test_a_scratch_is_noticed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(14)]
    path = encode_clip(frames, tmp_path / "clip.mp4", 7, (64, 48), "{}", Progress(), 14).path
    content = bytearray(path.read_bytes())
    middle = content.index(b"mdat") + (len(content) - content.index(b"mdat")) // 2
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    with pytest.raises(RenderFailed, match=r"video\.undecodable"):
        check_decodes(path, 14)


def test_half_a_frame_is_noticed(clip: Path, other_ffmpeg: Callable[[str], None]) -> None:
    other_ffmpeg(r"printf 'P6\n64 48\n255\nhalf'")
    with pytest.raises(RenderFailed, match=r"video\.undecodable"):
        list(read_frames(clip))


def test_reading_frames_can_stop_half_way(clip: Path) -> None:
    frames = read_frames(clip)
    assert next(frames).shape == (48, 64, 3)
    frames.close()


def test_frames_that_were_read_can_be_drawn_on(clip: Path) -> None:
    frame = next(read_frames(clip))
    frame[:] = 0


@pytest.mark.parametrize("playlist", ["ffconcat version 1.0\nfile other.mp4\n", "#EXTM3U\n#EXTINF:1,\nother.mp4\n"])
def test_a_playlist_named_mp4_opens_no_other_file(tmp_path: Path, clip: Path, playlist: str) -> None:
    (tmp_path / "other.mp4").write_bytes(clip.read_bytes())
    path = tmp_path / "list.mp4"
    path.write_text(playlist)
    with pytest.raises(RenderFailed):
        probe(path)
    with pytest.raises(RenderFailed):
        next(read_frames(path))
