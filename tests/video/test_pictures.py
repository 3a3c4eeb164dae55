"""Every kind of picture that people have, and every file that only looks like one."""

import io
import os
import re
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from svd_studio.core.errors import BadPicture
from svd_studio.ui.texts import say
from svd_studio.video.pictures import FORMATS, WORKING_SIDE, crop_box, frame_picture, open_picture, picture_size

STORED = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright.transpose(1, 0, 2), 2),
    8: lambda upright: np.rot90(upright, -1),
}
"""How a camera stores a picture for each EXIF orientation, from the table in the EXIF standard."""


@pytest.fixture
def quarters() -> np.ndarray:
    """64 wide, 32 high, every quarter another colour."""
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[:16, :32], pixels[:16, 32:] = (230, 30, 30), (30, 200, 40)
    pixels[16:, :32], pixels[16:, 32:] = (20, 40, 220), (240, 240, 240)
    return pixels


def pixels_of(path: Path) -> np.ndarray:
    picture = open_picture(path)
    assert picture.mode == "RGB"
    return np.asarray(picture).astype(int)


def png_header(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be this large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 50)) + chunk(b"IEND", b"")
    )


def jpeg_bytes(size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "JPEG")
    return buffer.getvalue()


def refusal(path: Path) -> str:
    """The code with which a file is refused by both doors."""
    with pytest.raises(BadPicture) as refused:
        open_picture(path)
    return refused.value.message.code


# Refusals


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "picture.empty"),
        (b"dear diary, today I was a picture\n" * 9, "picture.not_a_picture"),
        (jpeg_bytes()[:700], "picture.damaged"),
        (jpeg_bytes()[:20], "picture.not_a_picture"),
        (png_header(1, 1), "picture.too_small"),
        (png_header(640, 15), "picture.too_small"),
        (png_header(30_000, 30_000), "picture.too_large"),
        (png_header(16_385, 4_000), "picture.too_large"),
        (png_header(12_000, 12_000), "picture.too_large"),
        (png_header(1_000, 100), "picture.too_long"),
        (png_header(100, 1_000), "picture.too_long"),
        (b"SIMPLE  =                    T / FITS" + b" " * 2880, "picture.not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='64' height='64'/>", "picture.not_a_picture"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "picture.not_a_picture"),
    ],
)
def test_a_file_that_is_no_good_picture_is_refused_by_its_reason(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    assert refusal(path) == code


def test_the_size_alone_is_refused_for_the_same_reasons(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(png_header(30_000, 30_000))
    with pytest.raises(BadPicture, match="too_large"):
        picture_size(path)


def test_the_size_is_read_from_the_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(png_header(64, 48))
    assert picture_size(path) == (64, 48)
    assert refusal(path) == "picture.damaged"


def test_the_largest_phone_pictures_are_welcome(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(claiming(jpeg_bytes(), 12_000, 9_000))
    assert picture_size(path) == (12_000, 9_000)


def claiming(jpeg: bytes, width: int, height: int) -> bytes:
    """The same JPEG, whose header says another size."""
    place = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:place] + struct.pack(">HH", height, width) + jpeg[place + 4 :]


def test_a_picture_that_is_costly_to_open_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(png_header(12_000, 9_000))
    assert refusal(path) == "picture.too_costly"
    Image.new("RGBA", (5_000, 4_000)).save(path, compress_level=1)
    assert picture_size(path) == (5_000, 4_000)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "mode", "size"),
    [
        ("PNG", "RGBA", (7_000, 4_000)),
        ("WEBP", "RGB", (5_600, 4_000)),
        ("TIFF", "F", (5_000, 3_500)),
        ("JPEG", "RGB", (8_000, 6_000)),
    ],
)
def test_the_largest_that_are_allowed_stay_below_400_megabytes(
    tmp_path: Path, kind: str, mode: str, size: tuple[int, int]
) -> None:
    path, shades = (
        tmp_path / "large",
        (np.add.outer(np.arange(size[1]), np.arange(size[0])) // 40 % 256).astype(np.uint8),
    )
    options: dict[str, Any] = {"PNG": {"compress_level": 1}, "WEBP": {"method": 0}}.get(kind, {})
    picture = Image.fromarray(shades.astype(np.float32)) if mode == "F" else Image.fromarray(shades).convert(mode)
    picture.save(path, kind, progressive=kind == "JPEG", **options)
    assert picture_size(path) == size, "it is allowed"
    assert cost("open_picture", path)[1] < 400


def test_what_is_not_there_and_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing.png") == "picture.no_file"
    assert refusal(tmp_path / ("x" * 300)) == "picture.no_file"
    assert refusal(tmp_path / "a\0b") == "picture.no_file"
    assert refusal(tmp_path) == "picture.not_a_file"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert refusal(tmp_path / "pipe.png") == "picture.not_a_file"


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, without_root: Callable) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(jpeg_bytes())
    path.chmod(0)
    with without_root():
        assert refusal(path) == "picture.unreadable"


def cost(door: str, path: Path) -> tuple[float, float]:
    """Seconds and megabytes that a fresh process spends on a picture, refused or not."""
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells the peak memory of one process alone")
    script = f"""
import contextlib, re, time
from pathlib import Path
from typing import Any
from PIL import Image
from svd_studio.core.errors import BadPicture
from svd_studio.ui.texts import say
from svd_studio.video.pictures import {door}
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text()).group(1)) / 1000
Image.init()
before, start = peak(), time.perf_counter()
with contextlib.suppress(BadPicture):
    {door}(Path({str(path)!r}))
print(time.perf_counter() - start, peak() - before)
"""
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    seconds, megabytes = map(float, shown.split())
    return seconds, megabytes


def test_a_huge_claim_costs_neither_time_nor_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(30_000, 30_000))
    seconds, megabytes = cost("open_picture", path)
    assert seconds < 0.5
    assert megabytes < 10


def test_the_size_of_a_large_picture_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("L", (9_000, 6_000), 90).save(path, compress_level=1)
    assert cost("picture_size", path)[1] < 10


def test_a_large_photograph_is_made_smaller_while_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.new("RGB", (9_000, 6_000), (10, 120, 200)).save(path)
    assert cost("open_picture", path)[1] < 120  # whole, it alone would take 162


def test_a_pictures_name_is_shown_short_and_printable(tmp_path: Path) -> None:
    path = tmp_path / ("\x1b[31m" + "n" * 200)
    path.write_bytes(b"no picture")
    with pytest.raises(BadPicture) as refused:
        open_picture(path)
    name = str(refused.value.message.values["name"])
    assert len(name) == 80
    assert name.isprintable()


@settings(max_examples=65, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"])
def test_a_damaged_picture_opens_or_is_refused_but_never_breaks(
    tmp_path: Path, quarters: np.ndarray, kind: str, data: st.DataObject
) -> None:
    """520 of them, and each refusal is a sentence."""
    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    Image.fromarray(quarters).save(buffer, kind)
    content = bytearray(buffer.getvalue())
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[position] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged"
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    for door in (open_picture, picture_size):
        try:
            door(path)
        except BadPicture as error:
            said = say(error.message)
            assert said.endswith("."), said
            assert not re.search(r"Error|Errno|0x|None|Traceback", said), said


# Conversions


def test_every_format_that_is_allowed_exists() -> None:
    Image.init()
    assert set(FORMATS) <= set(Image.OPEN)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_an_exif_orientation_is_turned_upright(
    tmp_path: Path, quarters: np.ndarray, orientation: int, kind: str
) -> None:
    path = tmp_path / "turned"
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](quarters)))
    stored.save(path, kind, exif=exif, **({"quality": 95} if kind != "TIFF" else {}))
    assert picture_size(path) == (64, 32)
    assert np.abs(pixels_of(path) - quarters).mean() < 4


@pytest.mark.parametrize(("suffix", "order"), [("png", "<u2"), ("tiff", "<u2"), ("tiff", ">u2")])
def test_sixteen_bit_grey_keeps_its_slope(tmp_path: Path, suffix: str, order: str) -> None:
    ramp = np.linspace(0, 65535, 512).round().astype(np.uint16)
    path = tmp_path / f"deep.{suffix}"
    big_endian = "I;16B" if order == ">u2" else "I;16"
    stored = np.tile(ramp, (64, 1)).astype(order)
    Image.frombytes(big_endian, (512, 64), stored.tobytes()).save(path)
    row = pixels_of(path)[0, :, 0]
    assert np.abs(row - ramp / 257).max() <= 0.5


def test_sixteen_bit_colour_keeps_its_slope(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)
    for suffix in ("png", "tiff"):
        path = tmp_path / f"deep.{suffix}"
        cv2.imwrite(str(path), np.stack([np.tile(ramp, (64, 1))] * 3, -1))
        assert np.abs(pixels_of(path)[0, :, 1] - ramp / 257).max() <= 1


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.0, 1.0, (0, 255)), (0.0, 0.5, (0, 128)), (-3.0, 5.0, (0, 255)), (0, 200, (0, 200))]
)
def test_float_pictures_are_scaled_not_clipped(
    tmp_path: Path, low: float, high: float, expected: tuple[int, int]
) -> None:
    path = tmp_path / "float.tiff"
    Image.fromarray(np.tile(np.linspace(low, high, 256, dtype=np.float32), (64, 1))).save(path)
    row = pixels_of(path)[0, :, 0]
    assert (row[0], row[-1]) == expected
    assert np.abs(np.diff(row, 2)).max() <= 1


def test_float_pictures_may_hold_what_is_not_a_number(tmp_path: Path) -> None:
    path = tmp_path / "float.tiff"
    values = np.full((32, 32), 0.5, np.float32)
    values[0] = np.nan
    values[1] = np.inf
    Image.fromarray(values).save(path)
    assert pixels_of(path)[5, 5, 0] == 128


def test_transparent_parts_become_white(tmp_path: Path) -> None:
    path = tmp_path / "alpha.png"
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[:, :16] = (255, 0, 0, 128)
    Image.fromarray(pixels).save(path)
    assert pixels_of(path)[0, 31].tolist() == [255, 255, 255]
    assert np.abs(pixels_of(path)[0, 0] - (255, 127, 127)).max() <= 1


def test_grey_with_alpha_and_palettes_with_transparency_become_white_too(tmp_path: Path) -> None:
    grey = Image.new("LA", (32, 32), (100, 0))
    palette = Image.new("P", (32, 32), 3)
    palette.putpalette([9, 9, 9] * 256)
    coloured = Image.new("RGB", (32, 32), (1, 2, 3))
    grey.save(tmp_path / "grey.png")
    palette.save(tmp_path / "palette.png", transparency=3)
    palette.save(tmp_path / "palette.gif", transparency=3)
    coloured.save(tmp_path / "coloured.png", transparency=(1, 2, 3))
    for name in ("grey.png", "palette.png", "palette.gif", "coloured.png"):
        assert pixels_of(tmp_path / name)[3, 3].tolist() == [255, 255, 255], name


@pytest.mark.parametrize("mode", ["1", "L", "P", "YCbCr", "CMYK"])
def test_other_ways_to_store_colour_become_rgb(tmp_path: Path, quarters: np.ndarray, mode: str) -> None:
    path = tmp_path / "other"
    picture = Image.fromarray(quarters).convert(mode)
    picture.save(path, "PNG" if mode in "1LP" else "JPEG", **({"quality": 98} if mode in ("YCbCr", "CMYK") else {}))
    expected = np.asarray(picture.convert("RGB")).astype(int)
    assert np.abs(pixels_of(path) - expected).mean() < 3


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF", "MPO"])
def test_an_animation_gives_its_first_frame(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "moving"
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue", "lime")]
    frames[0].save(path, kind, save_all=True, append_images=frames[1:])
    assert np.abs(pixels_of(path)[20, 20] - (255, 0, 0)).max() < 6


def profile(description: str) -> bytes:
    """A colour profile whose red is blue and whose blue is red."""
    standard = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = standard.replace(b"rXYZ", b"....", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"....", b"bXYZ", 1)
    return swapped.replace("sRGB".encode("utf-16-be"), description.encode("utf-16-be"))


def test_a_colour_profile_is_applied(tmp_path: Path) -> None:
    path = tmp_path / "profile.png"
    Image.new("RGB", (32, 32), (255, 0, 0)).save(path, icc_profile=profile("Odd "))
    assert np.abs(pixels_of(path)[0, 0] - (0, 0, 255)).max() <= 2


@pytest.mark.parametrize("broken", [b"nonsense", profile("Odd ")[:300], profile("sRGB")])
def test_a_broken_or_plain_profile_changes_nothing(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "profile.png"
    Image.new("RGB", (32, 32), (250, 3, 7)).save(path, icc_profile=broken)
    assert pixels_of(path)[0, 0].tolist() == [250, 3, 7]


def test_a_colour_profile_for_another_kind_of_picture_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "profile.png"
    Image.new("L", (32, 32), 90).save(path, icc_profile=profile("Odd "))
    assert pixels_of(path)[0, 0].tolist() == [90, 90, 90]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_larger_than_any_clip_comes_back_smaller(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "large"
    Image.new("RGB", (9_000, 6_000), (10, 120, 200)).save(path, kind, compress_level=1)
    start = time.perf_counter()
    picture = open_picture(path)
    assert time.perf_counter() - start < 5
    assert picture_size(path) == (9_000, 6_000)
    assert WORKING_SIDE <= picture.height <= 3 * WORKING_SIDE / 2
    assert abs(picture.width / picture.height - 1.5) < 0.01


def test_an_iphone_photo_is_read(tmp_path: Path, quarters: np.ndarray) -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="HEIC is optional")
    path = tmp_path / "photo.heic"
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(np.ascontiguousarray(STORED[6](quarters)))
    pillow_heif.from_pillow(stored).save(path, quality=95, exif=exif.tobytes())
    assert picture_size(path) == (64, 32)
    assert np.abs(pixels_of(path) - quarters).mean() < 6


def test_an_iphone_photo_without_its_reader_names_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "photo.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 40)
    assert refusal(path) == "picture.no_heic"


# Framing


def test_a_picture_of_the_right_size_is_not_touched() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (36, 64, 3), dtype=np.uint8)
    for fit in ("crop", "pad"):
        framed = frame_picture(Image.fromarray(noise), 64, 36, fit)
        assert np.array_equal(np.asarray(framed), noise)


def test_a_picture_that_only_needs_cutting_is_not_resampled() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (50, 64, 3), dtype=np.uint8)
    framed = np.asarray(frame_picture(Image.fromarray(noise), 64, 36, "crop", focus_y=1.0))
    assert np.array_equal(framed, noise[14:])


def test_a_zoom_keeps_a_part_of_the_crop_and_its_pixels() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (144, 128, 3), dtype=np.uint8)
    framed = np.asarray(frame_picture(Image.fromarray(noise), 64, 36, "crop", 0.25, 0.5, zoom=2))
    assert np.array_equal(framed, noise[54:90, 16:80])
    assert crop_box((128, 144), 64, 36, 0.25, 0.5, 2) == (16, 54, 80, 90)


@pytest.mark.parametrize("zoom", [1.0, 1.7, 4.0])
def test_a_crop_never_leaves_its_picture(zoom: float) -> None:
    for size in ((37, 512), (512, 37), (300, 300)):
        for focus in (0.0, 0.3, 1.0):
            left, top, right, bottom = crop_box(size, 1024, 576, focus, focus, zoom)
            assert 0 <= left < right <= size[0]
            assert 0 <= top < bottom <= size[1]
            assert (right - left) / (bottom - top) == pytest.approx(1024 / 576)


def test_a_deep_zoom_finds_the_pixels_of_a_large_picture(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.new("RGB", (9000, 6000), "teal").save(path)
    assert min(open_picture(path).size) < 2 * WORKING_SIDE
    assert open_picture(path, zoom=3).size == (9000, 6000)


def test_exact_keeps_the_whole_picture() -> None:
    halves = np.zeros((100, 200, 3), np.uint8)
    halves[:, 100:] = 255
    framed = np.asarray(frame_picture(Image.fromarray(halves), 210, 100, "exact"))
    assert (framed.shape, framed[:, 0].max(), framed[:, -1].min()) == ((100, 210, 3), 0, 255)


@pytest.mark.parametrize(("focus", "kept"), [(0.0, "red"), (0.5, "green"), (1.0, "blue")])
@pytest.mark.parametrize("upright", [False, True])
def test_a_crop_keeps_what_is_in_focus(focus: float, kept: str, upright: bool) -> None:
    stripes = np.zeros((100, 300, 3), np.uint8)
    for place in range(3):
        stripes[:, place * 100 : place * 100 + 100, place] = 255
    picture = Image.fromarray(stripes.transpose(1, 0, 2) if upright else stripes)
    framed = np.asarray(frame_picture(picture, 40, 40, "crop", focus, focus))
    assert framed.mean(axis=(0, 1)).argmax() == ("red", "green", "blue").index(kept)
    assert framed.mean(axis=(0, 1)).max() > 250


def test_padding_keeps_all_of_the_picture_and_fills_the_rest_with_its_colours() -> None:
    picture = Image.new("RGB", (100, 100), (200, 60, 20))
    framed = np.asarray(frame_picture(picture, 128, 64, "pad")).astype(int)
    assert framed.shape == (64, 128, 3)
    assert np.abs(framed - (200, 60, 20)).max() <= 1


def test_padding_puts_the_whole_picture_in_the_middle(quarters: np.ndarray) -> None:
    framed = np.asarray(frame_picture(Image.fromarray(quarters), 64, 96, "pad"))
    assert np.array_equal(framed[32:64], quarters)
    assert framed[:32].std() > 5


@settings(max_examples=65, deadline=None)
@given(
    st.tuples(*[st.integers(16, 300)] * 2),
    st.tuples(*[st.integers(8, 200)] * 2),
    st.sampled_from(["crop", "pad"]),
    st.tuples(*[st.floats(0, 1)] * 2),
)
def test_framing_gives_exactly_the_size(
    size: tuple[int, int], target: tuple[int, int], fit: str, focus: tuple[float, float]
) -> None:
    framed = frame_picture(Image.new("RGB", size, (9, 99, 199)), *target, fit, *focus)
    assert framed.size == target
    assert np.abs(np.asarray(framed).astype(int) - (9, 99, 199)).max() <= 1
