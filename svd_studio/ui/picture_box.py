"""The start picture: where it comes from, and how the model will see it."""

import base64
import io
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from svd_studio.core.clip import ResolvedSettings
from svd_studio.core.errors import BadPicture, Message
from svd_studio.library.presets import SHIPPED
from svd_studio.library.uploads import confined_upload
from svd_studio.studio import Studio, seen_by
from svd_studio.ui.texts import say
from svd_studio.video.pictures import frame_picture, open_picture

Token = Mapping[str, Any]
"""What a browser keeps of its picture: an upload, a shipped sample, or one that a clip was made from."""

SAMPLES = SHIPPED / "pictures"
FIRST_SAMPLE = "mountains"
KEPT = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{1,8}|[0-9a-f]{64}")
LONG_SIDE = 720
"""A small model's own size would look blurred on the page; the crop is the same."""

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
    """The picture as the model will see it, for the page. Raises BadPicture."""
    picture = open_picture(path)
    enlarged = max(1.0, LONG_SIDE / max(settings.width, settings.height))
    size = (round(settings.width * enlarged), round(settings.height * enlarged))
    shown = frame_picture(picture, *size, settings.fit, settings.focus_x, settings.focus_y)
    code = "page.picture.padded" if settings.fit == "pad" else "page.picture.cropped"
    return {
        "src": _as_data(shown, 85),
        "facts": say(Message(code, {"width": settings.width, "height": settings.height}), language),
        "ratio": f"{settings.width} / {settings.height}",
    }


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
