"""The rooms of the page and the way between them. The browser goes, no handler is asked.

A room other than Animate is a skeleton that its script in assets/ fills, and a bridge on which that script asks
Python something; the answer is a view, painted by the room's painters (see assets/studio.js).
"""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr
from gradio.components import Component

from svd_studio.core.errors import StudioError
from svd_studio.studio import OWNER
from svd_studio.ui import player
from svd_studio.ui.endpoints import owner_of
from svd_studio.ui.language import ENDONYMS, known
from svd_studio.ui.texts import heard_by, say

log = logging.getLogger(__name__)

ROOMS = ("animate", "queue", "gallery", "models", "system")
SHOW = "view => window.studio.show(view)"

View = dict[str, Any]
"""What assets/*.js paint: each key has its painter there, and a missing one changes nothing."""

Asked = Callable[[dict[str, Any], str, gr.Request], View]
"""A room's handler: what its script sent, the language to answer in, who asks."""


def draw_head() -> Component:
    """Put the name, the way to every room and the language on the page; returns the language."""
    with gr.Row(elem_id="top"):
        gr.HTML(player.HEADER, js_on_load=None, elem_id="masthead")
        gr.HTML(_nav_html(), js_on_load=None, elem_id="rooms")
        gr.HTML(player.BELL, js_on_load=None, elem_id="tell")
        language: Component = gr.Radio(
            [(name, code) for code, name in ENDONYMS.items()],
            value="en",
            show_label=False,
            label="Language / 语言",
            container=False,
            elem_id="language",
        )
    return language


def draw_room(name: str, skeleton: str, asked: Mapping[str, Asked], language: Component) -> None:
    """Put one room on the page, hidden until somebody enters it."""
    with gr.Column(elem_id=f"room-{name}", elem_classes="room"):
        gr.HTML(skeleton, js_on_load=None)
        draw_bridge(name, asked, language)


def draw_bridge(name: str, asked: Mapping[str, Asked], language: Component) -> None:
    """Let a script ask Python what it may ask, and paint the answer."""
    bridge = gr.HTML("", js_on_load=bridge_js(name, asked), elem_id=f"bridge-{name}", elem_classes="bridge")
    view = gr.JSON(visible=False)
    for event, handler in asked.items():
        getattr(bridge, event)(
            _answering(handler, language),
            inputs={language},
            outputs=[view],
            show_progress="hidden",
            api_visibility="private",
            preprocess=False,
            queue=False,
        ).then(None, inputs=[view], js=SHOW, show_progress="hidden")


def bridge_js(room: str, events: Mapping[str, Any]) -> str:
    """The script that hands a room Gradio's upload and events."""
    return (
        f"const events = {json.dumps(list(events))};\n"
        f"window.studio.connect({json.dumps(room)}, "
        "{upload, send: (name, data) => events.includes(name) && trigger(name, data)});"
    )


def _answering(handler: Asked, language: Component) -> Callable[..., View]:
    """Let everything that goes wrong in a handler come back as a sentence on the page.

    Gradio hands event and request over by the types written here; a partial would hide them.
    """

    def answer(values: Mapping[Component, Any], event: gr.EventData, request: gr.Request) -> View:
        spoken, sent = known(values[language]), event._data
        with heard_by(is_guest=owner_of(request) != OWNER):
            try:
                return handler(sent if isinstance(sent, dict) else {}, spoken, request)
            except StudioError as error:
                return {"notice": say(error.message, spoken)}
            except Exception:  # Gradio would show an empty box
                log.exception("%s failed", getattr(handler, "__name__", handler))
                return {"notice": say("page.error.unexpected", spoken)}

    return answer


def asked_number(sent: Mapping[str, Any]) -> int | None:
    """The number of a script's question, by which it knows the answer; nothing else is handed back as it came."""
    number = sent.get("number")
    return number if isinstance(number, int) and abs(number) < 2**53 else None


def _nav_html() -> str:
    links = "".join(
        f'<button type="button" data-room="{room}"{" aria-current=page" if room == ROOMS[0] else ""}>'
        f'<span data-t="page.room.{room}"></span><i class="count" hidden></i></button>'
        for room in ROOMS
    )
    return f'<nav class="rooms" data-label="page.room.nav">{links}</nav>'
