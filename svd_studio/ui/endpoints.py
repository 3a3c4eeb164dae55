"""What a program may ask of the page through gradio_client; the same verbs as the buttons."""

from pathlib import Path
from typing import Any

import gradio as gr

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import BadInput, Message, StudioError
from svd_studio.core.job import Job
from svd_studio.engines.catalog import engine_info
from svd_studio.studio import OWNER, Studio
from svd_studio.ui.picture_box import find_picture, picture_name
from svd_studio.ui.texts import heard_by, say

MOST_CLIPS = 50


class Endpoints:
    """Answer for one studio; every refusal is a sentence, never a traceback."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def add(self) -> None:
        """Register the four endpoints with the page that is being built."""
        for name in ("animate", "job", "cancel", "clips"):
            gr.api(getattr(self, name), api_name=name)

    def animate(
        self,
        start_image: dict[str, Any],
        request: gr.Request,
        prompt: str | None = None,
        negative_prompt: str | None = None,
        frames: int | None = None,
        motion_bucket: int | None = None,
        steps: int | None = None,
        seed: int | None = None,
        engine: str | None = None,
        preset: str | None = None,
        shape: str | None = None,
        fit: str | None = None,
        guidance_first: float | None = None,
        guidance_last: float | None = None,
        motion_fps: int | None = None,
        image_noise: float | None = None,
        smooth: int | None = None,
        enlarge: int | None = None,
        scale: str | None = None,
        fps: int | None = None,
    ) -> int:
        """Put a clip into the queue and return the number of its job; empty values are the engine's own."""
        given = {name: value for name, value in locals().items() if name not in ("self", "start_image", "request")}
        try:
            token = start_image if isinstance(start_image, dict) else {}
            path = find_picture(self.studio, {"path": token.get("path")}, owner_of(request))
            named = picture_name({"name": Path(str(token.get("orig_name") or path.name)).stem}, path)
            return self.studio.submit(self._settings(given), path, named, owner_of(request)).job_id
        except StudioError as error:
            raise gr.Error(said_to(request, error.message), print_exception=False) from error

    def _settings(self, given: dict[str, Any]) -> ClipSettings:
        values, preset = ClipSettings().model_dump(), given.pop("preset")
        if preset not in (None, ""):
            info = engine_info(str(given["engine"])) if given["engine"] else self.studio.default_engine()
            values = self.studio.presets.get(str(preset)).onto(ClipSettings(), info).model_dump()
        for name, part in (("smooth", "finish"), ("enlarge", "finish"), ("scale", "finish"), ("fps", "export")):
            if (value := given.pop(name)) is not None:
                values[part][name] = value
        return ClipSettings.from_person(values | {name: value for name, value in given.items() if value is not None})

    def job(self, id: int, request: gr.Request) -> dict[str, Any]:
        """How far a job is; `clip` is the id for /media/<clip>, once there is one."""
        job = self._own(id, request)
        clip = self.studio.clips.get(job.clip_id) if job.clip_id else None
        return {
            "status": job.status.value,
            "stage": job.stage,
            "fraction": job.fraction,
            "eta_s": job.eta_s,
            "message": said_to(request, job.message) if job.message else None,
            "clip": job.clip_id,
            "seconds": dict(clip.rendered.seconds_by_stage) if clip else None,
        }

    def cancel(self, id: int, request: gr.Request) -> bool:
        """Stop a job; false when it had ended already."""
        return self.studio.cancel(self._own(id, request).id)

    def clips(self, request: gr.Request) -> list[dict[str, Any]]:
        """The newest clips, with where to play and to download them."""
        return [
            {
                "id": clip.id,
                "title": clip.title,
                "job": clip.job_id,
                "created": clip.created,
                "settings": clip.rendered.settings.as_json(),
                "video": f"/media/{clip.id}",
                "download": f"/media/{clip.id}/download",
            }
            for clip in self.studio.clips.newest(MOST_CLIPS, owner_of(request))
        ]

    def _own(self, job_id: object, request: gr.Request) -> Job:
        is_number = isinstance(job_id, int) and not isinstance(job_id, bool) and 0 < job_id < 2**62
        job = self.studio.queue.get(job_id) if is_number else None  # type: ignore[arg-type]
        if job is None or job.owner != owner_of(request):
            raise gr.Error(say(Message("page.job.unknown", {"id": str(job_id)[:20]})), print_exception=False)
        return job


def said_to(request: gr.Request, message: Message) -> str:
    """The sentence as whoever asks may hear it."""
    with heard_by(is_guest=owner_of(request) != OWNER):
        return say(message)


def owner_of(request: gr.Request | None) -> str:
    """Who asks: the name they logged in with, or the owner where nobody has to."""
    name = getattr(request, "username", None)
    return str(name) if name else OWNER


def only_owner(owner: str) -> None:
    """Raise BadInput for guests: models, looks, settings, folders and deleting are not theirs."""
    if owner != OWNER:
        raise BadInput("guest.only_owner")
