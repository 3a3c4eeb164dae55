"""Clips, previews and pictures by their ids, for those who see them; no names, no folders.

Every answer is one file of the library or a 404, so that nobody learns what others have.
"""

import re
import shutil
import tempfile
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from svd_studio.api.passwords import signed_in_as
from svd_studio.core.errors import BadPicture, StudioError
from svd_studio.core.job import Job
from svd_studio.host import private_folder
from svd_studio.library.clips import Clip
from svd_studio.library.thumbnails import thumbnail
from svd_studio.studio import OWNER, Studio, seen_by
from svd_studio.ui.texts import say
from svd_studio.video.unmarked import write_without_recipe

JOB_ID = re.compile(r"[1-9][0-9]{0,17}")
PRIVATE = {"Cache-Control": "private, no-cache"}
LASTING = {"Cache-Control": "private, max-age=86400, immutable"}
"""For what the page asks for under another address when it changes."""


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
        """The MP4, to be kept under its own name; with ?recipe=no one that says nothing of how it was made."""
        clip = self._clip(request)
        path = clip.rendered.path if clip else None
        if path and request.query_params.get("recipe") == "no":
            return self._without_recipe(path)
        return _file(path, "video/mp4", path.name if path else None)

    def preview(self, request: Request) -> Response:
        """What a running job looks like so far."""
        job = self._job(request)
        return _file(self.studio.config.previews / f"{job.id}.webp" if job else None, "image/webp")

    def picture(self, request: Request) -> Response:
        """The picture that a job starts from, small."""
        job = self._job(request)
        if job is None:
            return _nothing()
        try:
            small = thumbnail(job.request.start_image)
        except BadPicture:
            return _nothing()
        return Response(small, headers=LASTING, media_type="image/webp")

    def _without_recipe(self, clip: Path) -> Response:
        """A copy without the recipe, deleted when it was sent; what a crash leaves goes with the uploads."""
        folder = Path(tempfile.mkdtemp(prefix="bare-", dir=private_folder(self.studio.config.uploads)))
        clear = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
        try:
            write_without_recipe(clip, folder / clip.name)
        except StudioError as error:
            return PlainTextResponse(say(error.message), 500, background=clear)
        return FileResponse(
            folder / clip.name, headers=PRIVATE, media_type="video/mp4", filename=clip.name, background=clear
        )

    def _clip(self, request: Request) -> Clip | None:
        """The clip that is asked for, if the asker sees it."""
        clip = self.studio.clips.get(request.path_params["clip_id"])
        return clip if clip is not None and _sees(request, clip.owner) else None

    def _job(self, request: Request) -> Job | None:
        """The job that is asked for, if the asker sees it."""
        job_id = request.path_params["job_id"]
        job = self.studio.queue.get(int(job_id)) if JOB_ID.fullmatch(job_id) else None
        return job if job is not None and _sees(request, job.owner) else None


def _sees(request: Request, owner: str) -> bool:
    return seen_by(signed_in_as(request) or OWNER) in (None, owner)


def _file(path: Path | None, media_type: str, download_as: str | None = None) -> Response:
    if path is None or not path.is_file():
        return _nothing()
    return FileResponse(path, headers=PRIVATE, media_type=media_type, filename=download_as)


def _nothing() -> Response:
    return PlainTextResponse(say("door.nothing"), 404)
