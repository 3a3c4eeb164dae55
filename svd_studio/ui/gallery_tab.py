"""The Gallery page: every clip that is kept."""

from gradio.components import Component

from svd_studio.studio import Studio
from svd_studio.ui.rooms import draw_room

SKELETON = '<section class="gallery"></section>'


class GalleryTab:
    """Draw the page and answer what its script asks."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def draw(self, language: Component) -> None:
        """Put the page into its room."""
        draw_room("gallery", SKELETON, {}, language)
