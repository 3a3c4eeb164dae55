"""What the buttons of the Gallery page do to clips."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import gradio as gr

from svd_studio.core.errors import BadInput, Message
from svd_studio.host import show_in_folder
from svd_studio.library.clips import Clip
from svd_studio.studio import OWNER, Studio, seen_by
from svd_studio.ui.endpoints import only_owner
from svd_studio.ui.rooms import View
from svd_studio.ui.texts import say

MOST_AT_ONCE = 200
LOOPBACK = ("127.0.0.1", "::1")
LOCAL_NAMES = (*LOOPBACK, "localhost")
FOR_THE_OWNER = ("empty", "trash", "restore", "forget", "folder")


class GalleryActions:
    """Do one thing to clips that the asker may see; what he may not see is not there."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._each: dict[str, Callable[[Clip], None]] = {
            "star": lambda clip: studio.clips.star(clip.id, True),
            "unstar": lambda clip: studio.clips.star(clip.id, False),
            "trash": studio.trash.put,
            "restore": studio.trash.restore,
            "forget": studio.clips.forget,
        }

    def act(self, sent: dict[str, Any], owner: str, language: str, request: gr.Request) -> View:
        """Do it and answer what changed. Raises BadInput and whatever the library refuses."""
        what = str(sent.get("what"))
        if what in FOR_THE_OWNER:
            only_owner(owner)
        if what == "empty":
            return {"emptied": self.studio.trash.empty(seen_by(owner))}
        if what == "folder":
            return self._open_folder(self.clip(sent.get("clip"), owner), owner, language, request)
        if what not in self._each:
            raise BadInput("page.error.unexpected")
        clips = self._clips(sent.get("clips"), owner)
        for clip in clips:
            self._each[what](clip)
        return {"done": {"what": what, "clips": [clip.id for clip in clips]}}

    def clip(self, clip_id: object, owner: str) -> Clip:
        """The clip of that id, if the asker may see it. Raises BadInput."""
        clip = self.studio.clips.get(clip_id[:40]) if isinstance(clip_id, str) else None
        if clip is None or seen_by(owner) not in (None, clip.owner):
            raise BadInput("page.gallery.unknown")
        return clip

    def _clips(self, ids: object, owner: str) -> list[Clip]:
        wanted = ids[:MOST_AT_ONCE] if isinstance(ids, list) else []
        return [self.clip(clip_id, owner) for clip_id in wanted]

    def _open_folder(self, clip: Clip, owner: str, language: str, request: gr.Request) -> View:
        """Show the file in the system's file manager, or say where it is."""
        if not is_at_this_machine(owner, request):
            raise BadInput("page.gallery.elsewhere")
        if show_in_folder(clip.rendered.path):
            return {}
        place = {"path": str(clip.rendered.path)}
        return {"notice": say(Message("page.gallery.lies_in", place), language)}


def is_at_this_machine(owner: str, request: gr.Request) -> bool:
    """Whether the owner sits at this computer. A tunnel connects from here too, but under its own name."""
    client = getattr(request, "client", None)
    name = urlsplit(f"//{request.headers.get('host') or ''}").hostname
    return owner == OWNER and getattr(client, "host", None) in LOOPBACK and name in LOCAL_NAMES
