"""Stars for finished clips, given wherever they are shown."""

from typing import Any

import gradio as gr

from svd_studio.core.errors import StudioError
from svd_studio.studio import Studio
from svd_studio.ui.endpoints import owner_of
from svd_studio.ui.gallery_actions import GalleryActions
from svd_studio.ui.rooms import View
from svd_studio.ui.texts import say


class Ratings:
    """Rate clips from wherever they are shown."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def rate(self, sent: dict[str, Any], language: str, request: gr.Request) -> View:
        """Give a clip stars or take them all away; a refusal tells how many it has."""
        clip = GalleryActions(self.studio).clip(sent.get("clip"), owner_of(request))
        rated, view = clip.rating, View()
        try:
            self.studio.clips.rate(clip.id, sent.get("rating"))  # type: ignore[arg-type]  # it looks itself
            rated = int(sent["rating"])
        except StudioError as error:
            view = {"notice": say(error.message, language)}
        return view | {"rated": {"clip": clip.id, "rating": rated}}
