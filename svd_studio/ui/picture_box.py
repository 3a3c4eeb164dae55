"""The start picture: where it comes from, and how the model will see it."""

import base64
import io
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from svd_studio.core.clip import ResolvedSettings
from svd_studio.core.errors import BadPicture, Message, Value
from svd_studio.library.presets import SHIPPED
from svd_studio.library.uploads import confined_upload
from svd_studio.quality.softness import is_soft
from svd_studio.studio import Studio, seen_by
from svd_studio.ui.texts import say
from svd_studio.video.pictures import frame_picture, open_picture, picture_size

Token = Mapping[str, Any]
"""What a browser keeps of its picture: an upload, a shipped sample, or one that a clip was made from."""

SAMPLES = SHIPPED / "pictures"
FIRST_SAMPLE = "mountains"
KEPT = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{1,8}|[0-9a-f]{64}")
LONG_SIDE = 960
"""A small model's own size would look blurred on the page; 960 is sharp on phones with dense screens, too."""

THUMB = (96, 64)


def find_picture(studio: Studio, token: Token, owner: str) -> Path:
    """The file behind a token. Raises BadPicture when there is none, BadInput when it is not ours to open."""
    if sample := token.get("sample"):
        return sample_pictures().get(str(sample)) or _missing()
    if kept := token.get("kept"):
        return _kept(studio, str(kept), owner) or _missing()
    if upload := token.get("path"):
        return confined_upload(studio.config, str(upload))
    return _missing()


def picture_name(token: Token, path: Path) -> str:
    """What to call the picture, and the clip made from it."""
    name = str(token.get("name") or path.stem)
    return "".join(letter for letter in name if letter.isprintable()).strip()[:80] or path.stem


@cache
def sample_pictures() -> dict[str, Path]:
    """The shipped pictures by name, the one that is laid ready first."""
    found = sorted(SAMPLES.glob("*.jpg"), key=lambda path: (path.stem != FIRST_SAMPLE, path.stem))
    return {path.stem: path for path in found}


@cache
def sample_thumbs() -> dict[str, str]:
    """The shipped pictures, small enough to stand in the page itself."""
    return {name: _as_data(frame_picture(open_picture(path), *THUMB), 80) for name, path in sample_pictures().items()}


def framed(path: Path, settings: ResolvedSettings, language: str) -> dict[str, Any]:
    """The picture for the page: whole where it is cropped there, else as the model will see it. Raises BadPicture."""
    picture = _opened(path, path.stat().st_mtime_ns)
    shown = picture.copy() if settings.fit == "crop" else _as_seen(picture, settings)
    shown.thumbnail((LONG_SIDE, LONG_SIDE))
    values: dict[str, Value] = {"width": settings.width, "height": settings.height}
    soft = "page.picture.soft" if _is_soft(picture, settings) else ""
    return {
        "src": _as_data(shown, 85),
        "facts": say(Message(f"page.picture.{settings.fit}", values), language),
        "soft": say(soft, language) if soft else "",
    }


def frame_view(path: Path, settings: ResolvedSettings) -> dict[str, Any]:
    """Where the clip's frame lies on its picture, from the header alone. Raises BadPicture."""
    size, place = picture_size(path), (settings.focus_x, settings.focus_y, settings.crop_zoom)
    return {
        "of": path.name,
        "size": size,
        "width": settings.width,
        "height": settings.height,
        "fit": settings.fit,
        **dict(zip(("x", "y", "zoom"), place, strict=True)),
    }


@lru_cache(maxsize=2)
def _opened(path: Path, _: int) -> Image.Image:
    """The decoded picture; its shape is tried out more often than another one is taken."""
    return open_picture(path)


def _as_seen(picture: Image.Image, settings: ResolvedSettings) -> Image.Image:
    enlarged = max(1.0, LONG_SIDE / max(settings.width, settings.height))
    size = (round(settings.width * enlarged), round(settings.height * enlarged))
    return frame_picture(picture, *size, settings.fit)


def _is_soft(picture: Image.Image, settings: ResolvedSettings) -> bool:
    """Whether it lacks detail at the size at which the clip shows it."""
    scale = max(settings.width / picture.width, settings.height / picture.height)
    if scale < 1:
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    return is_soft(picture)


def _kept(studio: Studio, name: str, owner: str) -> Path | None:
    """A picture of the library, for those who have made something of it: every shared clip tells its hash."""
    path, seen = studio.config.inputs / name, seen_by(owner)
    if not KEPT.fullmatch(name) or not path.is_file():
        return None
    is_known = seen is None or studio.queue.has_used(path, seen) or studio.clips.has_made(path.stem, seen)
    return path if is_known else None


def _missing() -> Path:
    raise BadPicture("page.picture.missing")


def _as_data(picture: Any, quality: int) -> str:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
