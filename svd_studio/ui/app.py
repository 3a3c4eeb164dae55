"""The page of the studio: one Gradio app, built once, that knows the studio only by its verbs."""

from collections.abc import Callable

import gradio as gr

from svd_studio.gpu.telemetry import Telemetry
from svd_studio.studio import Studio
from svd_studio.ui.animate_tab import AnimateTab
from svd_studio.ui.compare_tab import CompareTab
from svd_studio.ui.endpoints import Endpoints
from svd_studio.ui.gallery_tab import GalleryTab
from svd_studio.ui.models_tab import ModelsTab
from svd_studio.ui.page_view import Trouble
from svd_studio.ui.queue_tab import QueueTab
from svd_studio.ui.rooms import draw_head
from svd_studio.ui.sharing import SharingLine
from svd_studio.ui.system_tab import SystemTab
from svd_studio.ui.theme import launch_options
from svd_studio.ui.tunnel import SharedLink
from svd_studio.ui.unread import bound_unread
from svd_studio.ui.walls import refuse_nonsense, shut_gradios_doors

__all__ = ["build_page", "launch_options"]

AT_ONCE, MOST_WAITING = 8, 200
"""How many calls of programs are answered at once, and how many may wait; the page itself waits in no queue."""


def build_page(
    studio: Studio,
    telemetry: Telemetry,
    trouble: Trouble = lambda: None,
    link: SharedLink | None = None,
    renew: Callable[[], None] = lambda: None,
) -> gr.Blocks:
    """Build the page and its endpoints; nothing is started.

    `trouble` says what keeps the workers from working, `renew` puts fresh ones in their place.
    """
    shut_gradios_doors()
    with gr.Blocks(title="SVD Studio", analytics_enabled=False, fill_width=True) as page:
        Endpoints(studio).add()  # first, so that their names are free
        language = draw_head()
        sharing = SharingLine(link)
        sharing.draw(language)
        AnimateTab(studio, telemetry, trouble).draw(page, language)
        QueueTab(studio).draw(language)
        GalleryTab(studio).draw(language)
        CompareTab(studio).draw(language)
        ModelsTab(studio, telemetry).draw(language)
        SystemTab(studio, telemetry, renew).draw(language)
        sharing.draw_end()
    page.queue(default_concurrency_limit=AT_ONCE, max_size=MOST_WAITING)
    for event in page.fns.values():
        event.concurrency_id = "all"  # else each of fifty events would have so many threads
    bound_unread(page)
    refuse_nonsense(page)
    return page
