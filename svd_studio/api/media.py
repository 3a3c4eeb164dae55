"""Clips, previews and pictures by their ids, for those who see them; no names, no folders.

Every answer is one file of the library or a 404, so that nobody learns what others have.
"""

import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from svd_studio.api.passwords import signed_in_as
from svd_studio.core.errors import BadPicture, StudioError
from svd_studio.core.job import Job
from svd_studio.host import private_folder
from svd_studio.library.clips import Clip
from svd_studio.library.exports import one_at_a_time
from svd_studio.library.thumbnails import thumbnail
from svd_studio.studio import OWNER, Studio, seen_by
from svd_studio.ui.texts import LANGUAGES, heard_by, say
from svd_studio.video.export import EXPORTS, read_frame
from svd_studio.video.unmarked import write_without_recipe

NOBODY = ""
FRAME = re.compile(r"[1-9][0-9]{0,5}")
JOB_ID = re.compile(r"[1-9][0-9]{0,17}")
PRIVATE = {"Cache-Control": "private, no-cache"}
LASTING = {"Cache-Control": "private, max-age=86400, immutable"}
"""For what the page asks for under another address when it changes."""


class Media:
    """Answer for the files of one studio; browsers may ask for any part of them (Range)."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.exports = studio.exports

    def clip(self, request: Request) -> Response:
        """The MP4, to be played."""
        clip = self._clip(request)
        return _file(clip.rendered.path if clip else None, "video/mp4")

    def poster(self, request: Request) -> Response:
        """The still that stands for the clip until it plays."""
        clip = self._clip(request)
        return _file(clip.rendered.poster if clip else None, "image/webp")

    def before(self, request: Request) -> Response:
        """The same clip without finishing, to be played against it."""
        clip = self._clip(request)
        return _file(clip.rendered.before if clip else None, "video/mp4")

    def download(self, request: Request) -> Response:
        """The MP4, to be kept under its own name; with ?recipe=no one that says nothing of how it was made."""
        clip = self._clip(request)
        path = clip.rendered.path if clip else None
        if path and request.query_params.get("recipe") == "no":
            return self._without_recipe(path, request)
        return _file(path, "video/mp4", path.name if path else None)

    def export(self, request: Request) -> Response:
        """The clip in another format or size; made now if need be, which HEAD waits for, too."""
        clip, kind = self._clip(request), request.path_params["kind"]
        if clip is None or kind not in EXPORTS:
            return _nothing()
        try:
            guest = seen_by(asker(request))
            if not self.exports.place(clip, kind).exists():
                self.studio.guests.refuse_full(guest)
            path = self.exports.get(clip, kind, is_guest=guest is not None)
        except StudioError as error:
            return _refused(error, request)
        name = f"{clip.rendered.path.stem} {kind}{path.suffix}"
        return _file(path, EXPORTS[kind].media_type, name)

    def frame(self, request: Request) -> Response:
        """One frame as a PNG, counted as the player does: the first is 1."""
        clip, number = self._clip(request), request.path_params["number"]
        if clip is None or not FRAME.fullmatch(number) or not 1 <= int(number) <= clip.rendered.frames:
            return _nothing()
        try:
            with one_at_a_time(asker(request) != OWNER):
                picture = read_frame(clip.rendered.path, int(number))
        except StudioError as error:
            return _refused(error, request)
        name = quote(f"{clip.rendered.path.stem} {number}.png")
        headers = {**PRIVATE, "Content-Disposition": f"attachment; filename*=utf-8''{name}"}
        return Response(picture, headers=headers, media_type="image/png")

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

    def _without_recipe(self, clip: Path, request: Request) -> Response:
        """A copy without the recipe, deleted when it was sent; what a crash leaves goes with the uploads."""
        folder = Path(tempfile.mkdtemp(prefix="bare-", dir=private_folder(self.studio.config.uploads)))
        clear = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
        try:
            with one_at_a_time(asker(request) != OWNER):
                write_without_recipe(clip, folder / clip.name)
        except StudioError as error:
            refused = _refused(error, request)
            refused.background = clear
            return refused
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


def asker(request: Request) -> str:
    """Who asks: the owner where there is no password; nobody whom anything belongs to once a sign-in has ended.

    It may end at any moment, so also after somebody has found it in order.
    """
    return OWNER if request.app.auth is None else signed_in_as(request) or NOBODY


def _sees(request: Request, owner: str) -> bool:
    return seen_by(asker(request)) in (None, owner)


def _file(path: Path | None, media_type: str, download_as: str | None = None) -> Response:
    if path is None or not path.is_file():
        return _nothing()
    return FileResponse(path, headers=PRIVATE, media_type=media_type, filename=download_as)


def _refused(error: StudioError, request: Request) -> Response:
    """Why not, in the language of the page that asks."""
    language = request.query_params.get("language", "")
    with heard_by(is_guest=asker(request) != OWNER):
        return PlainTextResponse(say(error.message, language if language in LANGUAGES else LANGUAGES[0]), 503)


def _nothing() -> Response:
    return PlainTextResponse(say("door.nothing"), 404)
