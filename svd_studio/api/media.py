"""Clips and previews by their ids. Every answer is one file of the library or a 404; no names, no folders."""

import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from svd_studio.library.clips import Clip
from svd_studio.studio import Studio
from svd_studio.ui.texts import say

JOB_ID = re.compile(r"[1-9][0-9]{0,17}")
PRIVATE = {"Cache-Control": "private, no-cache"}


class Media:
    """Answer for the files of one studio; browsers may ask for any part of them (Range)."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def clip(self, request: Request) -> Response:
        """The MP4, to be played."""
        clip = self._clip(request)
        return _file(clip.rendered.path if clip else None, "video/mp4")

    def poster(self, request: Request) -> Response:
        """The still that stands for the clip until it plays."""
        clip = self._clip(request)
        return _file(clip.rendered.poster if clip else None, "image/webp")

    def download(self, request: Request) -> Response:
        """The MP4, to be kept under its own name."""
        clip = self._clip(request)
        path = clip.rendered.path if clip else None
        return _file(path, "video/mp4", path.name if path else None)

    def preview(self, request: Request) -> Response:
        """What a running job looks like so far."""
        job_id = request.path_params["job_id"]
        known = JOB_ID.fullmatch(job_id)
        return _file(self.studio.config.previews / f"{job_id}.webp" if known else None, "image/webp")

    def _clip(self, request: Request) -> Clip | None:
        return self.studio.clips.get(request.path_params["clip_id"])


def _file(path: Path | None, media_type: str, download_as: str | None = None) -> Response:
    if path is None or not path.is_file():
        return PlainTextResponse(say("door.nothing"), 404)
    return FileResponse(path, headers=PRIVATE, media_type=media_type, filename=download_as)
