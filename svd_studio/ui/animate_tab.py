"""The Animate page: what stands where. What its buttons do is in animate_handlers."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from svd_studio.gpu.telemetry import Telemetry
from svd_studio.studio import Studio
from svd_studio.ui import player
from svd_studio.ui.animate_handlers import MOST_CLIPS, Handlers
from svd_studio.ui.compare_handlers import CompareHandlers
from svd_studio.ui.compare_tab import OPEN
from svd_studio.ui.edit_handlers import EditHandlers
from svd_studio.ui.form_handlers import FormHandlers
from svd_studio.ui.gauge_history import history_view
from svd_studio.ui.looks_handlers import LooksHandlers
from svd_studio.ui.looks_view import LOOKS
from svd_studio.ui.many_handlers import ManyHandlers
from svd_studio.ui.page_view import Parts, Trouble
from svd_studio.ui.picture_box import sample_thumbs
from svd_studio.ui.prompt_builder import BUILDER
from svd_studio.ui.ratings import Ratings
from svd_studio.ui.recall_view import RECALL
from svd_studio.ui.result_handlers import ResultHandlers
from svd_studio.ui.rooms import SHOW, View, bridge_js, draw_bridge
from svd_studio.ui.settings_form import CROP, MAIN, MORE, SEED, SHAPE, SPEED, WORDS, SettingsForm

STORAGE = "svd-studio"
FRAMING = ("shape", "fit", "engine", "width", "height")
"""Fields that change how the picture is shown."""

BRIDGE_EVENTS = (
    *("picture", "sample", "again", "get", "look", "looks"),
    *("edit", "leave", "many", "read", "recall", "native", "weigh", "variants"),
    *("use_frame", "longer"),
)


class AnimateTab:
    """Draw the page and wire its events; every handler gets one dict of everything and answers with one."""

    def __init__(self, studio: Studio, telemetry: Telemetry, trouble: Trouble) -> None:
        self.studio = studio
        self.telemetry = telemetry
        self.trouble = trouble

    def draw(self, page: gr.Blocks, language: Component) -> None:
        """Put everything into its room."""
        form = SettingsForm(self.studio.default_engine())
        with gr.Column(elem_id="room-animate", elem_classes="room"), gr.Row(elem_id="desk", equal_height=False):
            with gr.Column(elem_id="controls", scale=0, min_width=320):
                more, lock, dice = self._draw_controls(form)
            with gr.Column(elem_id="result", scale=1, min_width=320):
                generate, cancel, clips = self._draw_stage(language)
        self.parts = Parts(
            form=form,
            language=language,
            lock=lock,
            typed=self._kept("form"),
            spoken=self._kept("language"),
            picture=self._kept("picture"),
            watched=self._kept("watched"),
            press=self._kept("press"),
            drawn=self._kept("drawn"),
            chosen=self._kept("look"),
            engine_before=self._kept("engine"),
            editing=self._kept("editing"),
            clips=clips,
            fetched=self._kept("fetched"),
            timer=gr.Timer(1.0),
            view=gr.JSON(visible=False),
            labels={"generate": generate, "cancel": cancel, "more": more, "dice": dice, "lock": lock, "clips": clips},
        )
        self._wire(page, Handlers(self.studio, self.telemetry, self.parts, self.trouble))

    def _draw_controls(self, form: SettingsForm) -> tuple[gr.Accordion, Any, Any]:
        gr.HTML(player.picture_html(sample_thumbs()) + RECALL, js_on_load=None, elem_id="picture")
        with gr.Row(elem_id="frame", elem_classes="offstage"):
            form.draw(*CROP)
        form.draw(*SHAPE, *WORDS)
        gr.HTML(BUILDER, js_on_load=None, elem_id="prompt-note")
        gr.HTML(LOOKS, js_on_load=None, elem_id="looks")
        form.draw(*SPEED, *MAIN)
        with gr.Row(elem_id="seed-row", equal_height=False):
            form.draw(*SEED)
            dice = gr.Button("dice", elem_id="dice", size="sm")
            lock = gr.Checkbox(False, label="lock", elem_id="lock", container=False)
        with gr.Accordion("more", open=False, elem_id="more") as more:
            form.draw(*MORE)
        gr.HTML(player.NATIVE, js_on_load=None, elem_id="native")
        return more, lock, dice

    def _draw_stage(self, language: Component) -> tuple[gr.Button, gr.Button, gr.Number]:
        gr.HTML(player.STAGE, js_on_load=None, elem_id="stage")
        with gr.Row(elem_id="actions", equal_height=False):
            with gr.Column(elem_id="press", scale=0, min_width=220):
                gr.HTML(player.QUEUE_STATE, js_on_load=None, elem_id="queue-state")
                with gr.Row(elem_id="buttons"):
                    clips = gr.Number(
                        1, minimum=1, maximum=MOST_CLIPS, precision=0, label="clips", elem_id="clips", container=False
                    )
                    generate = gr.Button("generate", variant="primary", elem_id="generate")
                    gr.HTML(OPEN, js_on_load=None, elem_id="sweep")
                    cancel = gr.Button("cancel", elem_id="cancel")
                gr.HTML(player.NOTES, js_on_load=None, elem_id="notes")
            with gr.Column(elem_id="meter", scale=1, min_width=240):
                gr.HTML(player.GAUGE, js_on_load=None, elem_id="gauge")
                draw_bridge("gauge", {"history": self._history}, language)
                draw_bridge("result", {"rate": Ratings(self.studio).rate}, language)
                gr.HTML(player.OFFER, js_on_load=None, elem_id="offer")
        gr.HTML(player.CLIP, js_on_load=None, elem_id="clip")
        return generate, cancel, clips

    def _history(self, sent: dict[str, Any], language: str, request: gr.Request) -> View:
        return history_view(self.telemetry.history(), language)

    def _kept(self, name: str) -> Any:
        """Something that this browser keeps over a reload."""
        return gr.BrowserState(None, storage_key=f"{STORAGE}-{name}", secret=STORAGE)

    def _wire(self, page: gr.Blocks, handlers: Handlers) -> None:
        parts = self.parts
        bridge = gr.HTML(
            "", js_on_load=bridge_js("animate", dict.fromkeys(BRIDGE_EVENTS)), elem_id="bridge", elem_classes="bridge"
        )
        self._on(page.load, handlers.open)
        self._on(parts.timer.tick, handlers.poll)
        edits = EditHandlers(handlers)
        self._on(parts.labels["generate"].click, edits.submit)
        self._on(parts.labels["cancel"].click, handlers.cancel)
        self._on(parts.labels["dice"].click, handlers.roll)
        self._on(parts.language.input, handlers.translate)
        self._on(parts.form.fields["engine"].input, handlers.change_engine)
        looks, form = LooksHandlers(handlers), FormHandlers(handlers)
        self._on(parts.form.fields["shape"].input, form.choose_shape)
        self._on(parts.form.fields["speed"].input, form.change_speed)
        recalls = ResultHandlers(handlers)
        compare = CompareHandlers(handlers)
        compared, results = (compare.weigh, compare.begin), (recalls.use_frame, recalls.longer)
        own = (recalls.pick, handlers.sample, handlers.again, handlers.get_model, looks.put_on, looks.edit)
        others = (edits.begin, edits.leave, ManyHandlers(handlers).add, recalls.read, recalls.recall, form.put_back)
        for name, handler in zip(BRIDGE_EVENTS, (*own, *others, *compared, *results), strict=True):
            self._on(getattr(bridge, name), handler)
        framing = [parts.form.fields[name].change for name in FRAMING]
        self._on(framing, handlers.frame, trigger_mode="always_last")
        fields = [field.change for name, field in parts.form.fields.items() if name not in FRAMING]
        self._on(fields, handlers.check, trigger_mode="always_last")
        self._remember()

    def _on(self, trigger: Callable[..., Any] | Sequence[Callable[..., Any]], handler: Any, **options: Any) -> None:
        """Run a handler on everything, let it change anything, then let the browser show what it says."""
        parts = self.parts
        listen = partial(gr.on, list(trigger)) if isinstance(trigger, Sequence) else trigger
        listen(
            handler,
            inputs=parts.inputs(),
            outputs=parts.outputs(),
            show_progress="hidden",
            api_visibility="private",
            preprocess=False,
            queue=False,
            **options,
        ).then(None, inputs=[parts.view], js=SHOW, show_progress="hidden")

    def _remember(self) -> None:
        """Keep what is typed in the browser, without asking the studio."""
        parts = self.parts
        names = [*parts.form.fields, "locked"]
        fields = [*parts.form.fields.values(), parts.lock]
        gather = f"(...typed) => Object.fromEntries({json.dumps(names)}.map((name, i) => [name, typed[i]]))"
        gr.on([field.change for field in fields], None, inputs=fields, outputs=[parts.typed], js=gather)
