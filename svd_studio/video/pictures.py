"""Pictures as cameras, phones and the web make them, turned into plain upright 8-bit sRGB.

Every file is a stranger's: its header is judged before a pixel is decoded.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import stat
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageFilter

from svd_studio.core.clip import Fit
from svd_studio.core.errors import BadPicture

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
"""JPEG brings MPO, the format of two-lens cameras; naming that one here would be an error in Pillow."""
SHORTEST_SIDE = 16
LONGEST_SIDE = 16_384
MOST_PIXELS = 120_000_000
"""A phone's JPEG of 108 megapixels fits; it is reduced while it is decoded."""
MOST_MEMORY = 370_000_000
"""Bytes that decoding may take: a stranger's file must not fill the machine."""
HIGHEST_RATIO = 8
WORKING_SIDE = 2048
"""The longest side that a clip can have: larger pictures are reduced while they are decoded."""

# What Pillow's readers raise on damaged files; Warning is for those who turn warnings into errors.
DAMAGE = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, ArithmeticError, RuntimeError),
    *(AttributeError, struct.error, zlib.error, Image.DecompressionBombError, Warning),
)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Bytes that one pixel takes at the peak of open_picture, by how it is stored: measured in processes of their own with
# pictures of 24 and 54 megapixels (Pillow 11.3, pillow-heif 1.8).
_COST_OF_FORMAT = {"WEBP": 16.0, "AVIF": 9.0, "HEIF": 7.5}
_COST_OF_MODE = {"1": 2.5, "L": 2.5, "P": 6.0, "RGB": 5.0, "YCbCr": 5.0, "LAB": 5.0, "CMYK": 6.0, "F": 21.0, "I": 21.0}
_COST_TRANSPARENT, _COST_PROGRESSIVE, _COST_OTHERWISE = 13.0, 7.5, 9.0
_DECODING = threading.BoundedSemaphore(2)
"""However many ask: what one picture takes is bounded, and so is what all of them take."""
_TURNED_BY_PILLOW = ("TIFF", "HEIF")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
_PROFILE_OF = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}


def open_picture(path: Path, zoom: float = 1.0) -> Image.Image:
    """Read a picture as upright 8-bit sRGB without transparency. Raises BadPicture.

    Transparent parts become white, as in browsers, shops and every editor's JPEG export. An
    animation gives its first frame. Pictures far larger than any clip come back smaller; `zoom`
    is how far a crop will go into this one, so that it finds its pixels.
    """
    side = math.ceil(WORKING_SIDE * zoom)
    with _opened(path) as image, _DECODING:
        turn = _turn(image)
        profile = image.info.get("icc_profile")
        if image.format in ("JPEG", "MPO"):
            image.draft(None, (side, side))
        try:
            image.load()
            picture = _in_srgb(_on_white(_reduced(_eight_bit(image), side)), profile)
        except MemoryError as error:
            raise BadPicture("picture.too_large", **_limits(path)) from error
        except DAMAGE as error:
            raise BadPicture("picture.damaged", name=_shown(path)) from error
    return picture if turn is None else picture.transpose(turn)  # a flip is 0


def picture_size(path: Path) -> tuple[int, int]:
    """The upright (width, height), from the header alone. Raises BadPicture."""
    with _opened(path) as image:
        width, height = image.size
        return (height, width) if _turn(image) in _TURNS_ASIDE else (width, height)


def frame_picture(
    image: Image.Image,
    width: int,
    height: int,
    fit: Fit = "crop",
    focus_x: float = 0.5,
    focus_y: float = 0.5,
    zoom: float = 1.0,
) -> Image.Image:
    """Fill exactly width × height: by cutting edges off, by adding blurred ones, or by stretching.

    What already has the right size, or only needs cutting, is not resampled.
    """
    if fit == "pad":
        return _padded(image, width, height)
    if fit == "exact":
        return image.resize((width, height), Image.Resampling.LANCZOS)
    left, top, right, bottom = crop_box(image.size, width, height, focus_x, focus_y, zoom)
    if math.isclose(right - left, width) and math.isclose(bottom - top, height):
        left, top = round(left), round(top)
        return image.crop((left, top, left + width, top + height))
    return image.resize((width, height), Image.Resampling.LANCZOS, (left, top, right, bottom))


def crop_box(
    size: tuple[int, int], width: int, height: int, focus_x: float, focus_y: float, zoom: float = 1.0
) -> tuple[float, float, float, float]:
    """What a crop keeps of a picture of that size, as (left, top, right, bottom) in its pixels.

    The focus works like CSS object-position; assets/crop.js does the same sum for the frame that it draws.
    """
    scale = max(width / size[0], height / size[1]) * zoom
    kept_width, kept_height = min(width / scale, size[0]), min(height / scale, size[1])
    left, top = (size[0] - kept_width) * focus_x, (size[1] - kept_height) * focus_y
    return left, top, min(left + kept_width, size[0]), min(top + kept_height, size[1])


def _padded(image: Image.Image, width: int, height: int) -> Image.Image:
    scale = min(width / image.width, height / image.height)
    inner = (min(width, max(1, round(image.width * scale))), min(height, max(1, round(image.height * scale))))
    picture = image if inner == image.size else image.resize(inner, Image.Resampling.LANCZOS)
    if inner == (width, height):
        return picture.copy()
    small = frame_picture(image, max(1, width // 8), max(1, height // 8))  # blurring an eighth is 64 times less work
    blurred = small.filter(ImageFilter.GaussianBlur(max(1, min(small.size) / 12)))
    canvas = blurred.resize((width, height), Image.Resampling.BICUBIC)
    canvas.paste(picture, ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return canvas


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The picture with nothing but its header read, and that found acceptable."""
    with _opened_file(path) as file:
        formats = (*FORMATS, *_heif(file, path))
        Image.MAX_IMAGE_PIXELS = MOST_PIXELS  # Pillow checks while it reads the header, earlier than we can
        try:
            image = Image.open(file, formats=formats)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
            raise BadPicture("picture.too_large", **_limits(path)) from error
        except DAMAGE as error:
            raise BadPicture("picture.not_a_picture", name=_shown(path)) from error
        with image:
            _check_size(image.size, path)
            _check_cost(image, path)
            yield image


@contextlib.contextmanager
def _opened_file(path: Path) -> Iterator[BinaryIO]:
    try:
        facts = os.stat(path)
        if not stat.S_ISREG(facts.st_mode):  # a named pipe would be waited for
            raise BadPicture("picture.not_a_file", name=_shown(path))
        if facts.st_size == 0:
            raise BadPicture("picture.empty", name=_shown(path))
        file = path.open("rb")
    except PermissionError as error:
        raise BadPicture("picture.unreadable", name=_shown(path)) from error
    except (OSError, ValueError) as error:
        raise BadPicture("picture.no_file", name=_shown(path)) from error
    with file:
        yield file


def _check_size(size: tuple[int, int], path: Path) -> None:
    shorter, longer = sorted(size)
    if longer > LONGEST_SIDE or shorter * longer > MOST_PIXELS:
        raise BadPicture("picture.too_large", **_limits(path))
    if shorter < SHORTEST_SIDE:
        raise BadPicture("picture.too_small", name=_shown(path), low=SHORTEST_SIDE)
    if longer > HIGHEST_RATIO * shorter:
        raise BadPicture("picture.too_long", name=_shown(path), ratio=HIGHEST_RATIO)


def _check_cost(image: Image.Image, path: Path) -> None:
    most = int(MOST_MEMORY / _bytes_a_pixel(image))
    if image.width * image.height > most:
        raise BadPicture("picture.too_costly", name=_shown(path), megapixels=most // 10**6)


def _bytes_a_pixel(image: Image.Image) -> float:
    if image.format in ("JPEG", "MPO"):  # baseline ones are never whole in memory
        return _COST_PROGRESSIVE * len(image.getbands()) / 3 if image.info.get("progressive") else 2.5
    if image.format in _COST_OF_FORMAT:
        return _COST_OF_FORMAT[image.format]
    if image.mode != "RGBA" and image.has_transparency_data:
        return _COST_TRANSPARENT
    return 6.0 if image.mode.startswith("I;16") else _COST_OF_MODE.get(image.mode, _COST_OTHERWISE)


def _heif(file: BinaryIO, path: Path) -> tuple[str, ...]:
    """Make Pillow read an iPhone's HEIC, but only when there is one: the decoder is large and optional."""
    head = file.read(12)
    file.seek(0)
    if head[4:8] != b"ftyp" or head[8:12] not in (*_HEIC_BRANDS, b"mif1", b"msf1"):
        return ()
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        if head[8:12] in _HEIC_BRANDS:
            raise BadPicture("picture.no_heic", name=_shown(path)) from error
        return ()  # mif1 may be an AVIF
    register_heif_opener()
    return ("HEIF",)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How to turn the stored pixels upright; a broken EXIF means not at all."""
    if image.format in _TURNED_BY_PILLOW:
        return None
    try:
        return _TURNS.get(Image.Image.getexif(image).get(0x0112, 1))  # PNG's own getexif decodes the pixels
    except DAMAGE:
        return None


def _eight_bit(image: Image.Image) -> Image.Image:
    """One of L, LA, RGB, RGBA, CMYK; deep pictures are scaled, never clipped."""
    if image.mode == "F" or image.mode.startswith("I"):
        return Image.fromarray(_scaled(np.asarray(image)))
    is_grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        mode = "LA" if is_grey else "RGBA"
    else:
        mode = "L" if is_grey else "CMYK" if image.mode == "CMYK" else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _scaled(values: np.ndarray) -> np.ndarray:
    """Deep grey values as bytes: 16 bits by 257, floats up to 1 by 255, unusual ones over their own range."""
    result: np.ndarray
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        result = _SIXTEEN_TO_EIGHT[values]
        return result
    finite = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    if low >= 0:
        ceilings = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
        low, high = 0.0, next((ceiling for ceiling in ceilings if high <= ceiling), high)
    result = np.rint((finite - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)
    return result


def _reduced(image: Image.Image, side: int) -> Image.Image:
    factor = max(min(image.size) // side, math.ceil(math.sqrt(image.width * image.height / (4 * side * side))))
    return image.reduce(factor) if factor > 1 else image


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image
    opaque = image.convert(image.mode[:-1])
    canvas = Image.new(opaque.mode, image.size, "white")
    canvas.paste(opaque, mask=image.getchannel("A"))
    return canvas


def _in_srgb(image: Image.Image, profile: object) -> Image.Image:
    """Apply the colour profile; without one, or with one that cannot be used, take the colours as sRGB."""
    if isinstance(profile, bytes):
        with contextlib.suppress(ImageCms.PyCMSError, ImportError, *DAMAGE):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            is_srgb = ImageCms.getProfileDescription(source).startswith("sRGB")  # then no byte may change
            if not is_srgb and source.profile.xcolor_space.strip() == _PROFILE_OF[image.mode]:
                target = ImageCms.createProfile("sRGB")
                return ImageCms.profileToProfile(image, source, target, outputMode="RGB") or image.convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _limits(path: Path) -> dict[str, str | int]:
    return {"name": _shown(path), "limit": LONGEST_SIDE, "megapixels": MOST_PIXELS // 10**6}


def _shown(path: Path) -> str:
    """A file's name as a message may repeat it."""
    return "".join(letter if letter.isprintable() else "?" for letter in path.name[:80])


_TURNS_ASIDE = (_TURNS[5], _TURNS[6], _TURNS[7], _TURNS[8])
_SIXTEEN_TO_EIGHT = ((np.arange(65536) * 255 + 32767) // 65535).astype(np.uint8)
