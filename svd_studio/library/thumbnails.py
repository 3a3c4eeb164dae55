"""The pictures of a list, small: made once for each file while the studio runs."""

import io
import threading
from functools import lru_cache
from pathlib import Path

from svd_studio.video.pictures import frame_picture, open_picture

SIZE = (192, 128)

_one_at_a_time = threading.Lock()
"""Decoding a large photo takes half a gigabyte, and a page asks for many at once."""


def thumbnail(picture: Path) -> bytes:
    """The picture as a small WebP. Raises BadPicture."""
    with _one_at_a_time:
        return _made(picture)


@lru_cache(maxsize=1000)  # some 5 kB each
def _made(picture: Path) -> bytes:
    stream = io.BytesIO()
    frame_picture(open_picture(picture), *SIZE).save(stream, "WEBP", quality=80)
    return stream.getvalue()
