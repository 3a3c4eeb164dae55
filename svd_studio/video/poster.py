"""The still that stands for a clip, with the recipe inside, so that a shared poster can be recalled too."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from svd_studio.video.files import write_whole
from svd_studio.video.mp4_boxes import LONGEST_COMMENT
from svd_studio.video.pictures import DAMAGE

_FORMATS = ("WEBP", "JPEG", "PNG")
_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_UNICODE = b"UNICODE\0"
_LARGEST_POSTER = 64 * 1024 * 1024


def make_poster(frame: np.ndarray, path: Path, comment: str) -> None:
    """Write the frame as WebP with the comment in EXIF, where picture programs keep and show it.

    WebP, because a JPEG's EXIF ends at 64 kB. Raises BadInput or DiskFull; then nothing is left.
    """
    exif = Image.Exif()
    exif.get_ifd(_EXIF_IFD)[_USER_COMMENT] = _UNICODE + comment.encode("utf-16-be")  # Pillow writes EXIF big-endian
    picture = Image.fromarray(frame)
    write_whole(path, lambda part: picture.save(part, "WEBP", quality=88, exif=exif), _check_opens)


def read_poster_comment(file: BinaryIO) -> str | None:
    """The comment of a poster, also after it was saved as JPEG or PNG; None when there is none."""
    if file.seek(0, 2) > _LARGEST_POSTER:
        return None
    file.seek(0)
    try:
        with Image.open(file, formats=_FORMATS) as image:
            exif = Image.Image.getexif(image)  # the PNG class would decode all pixels first
            content = exif.get_ifd(_EXIF_IFD).get(_USER_COMMENT, b"")
    except DAMAGE:
        return None
    if not isinstance(content, bytes) or not content.startswith(_UNICODE) or len(content) > LONGEST_COMMENT:
        return None
    return content[len(_UNICODE) :].decode("utf-16-le" if exif.endian == "<" else "utf-16-be", errors="replace")


def _check_opens(path: Path) -> None:
    with Image.open(path, formats=("WEBP",)) as image:
        image.load()
