"""Serve a real, small Gradio page behind our doors: a process of its own, steered by lines on stdin.

`python -m tests.api.small_page DATA PORT CLIP [PASSWORD]` says its routes as JSON when it is up, then reads
lines: `share URL` opens the tunnel's door, `share` shuts it. It ends with its stdin. A guest's password is the
owner's, backwards.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware

from svd_studio.api import Doorkeeper, Guard, Hosts, admitting, clean_environment, limit_connections, routes
from svd_studio.core.config import StudioConfig
from svd_studio.gpu.telemetry import Telemetry
from svd_studio.studio import GUEST, OWNER, Studio
from svd_studio.ui.unread import bound_unread
from svd_studio.ui.walls import refuse_nonsense, shut_gradios_doors

MOST_UNREAD = 30


def build(clip_id: str) -> Any:
    """What a page of ours uses: a picture, a queued click with a js part, a timer, a clip."""
    import gradio as gr

    def make(picture: str, words: str) -> Iterator[str]:
        for step in range(3):
            time.sleep(0.02)
            yield f"step {step} {words} {os.path.basename(picture)}"

    def keep(event: gr.EventData) -> Any:
        return event._data["name"]

    with gr.Blocks() as page:
        picture = gr.Image(elem_id="picture", type="filepath")
        words = gr.Textbox(elem_id="words")
        button = gr.Button("Make", elem_id="make")
        said = gr.Textbox(elem_id="said")
        ticks = gr.Textbox("", elem_id="ticks")
        gr.HTML(f"<video id='clip' muted preload='auto' src='/media/{clip_id}'></video>")
        button.click(make, [picture, words], said, api_name="make", js="(a, b) => [a, b]")
        kept = gr.File(visible=False)
        button.click(keep, None, kept, api_name="keep")
        gr.Timer(0.3).tick(lambda: str(time.time()), None, ticks, queue=False, show_progress="hidden")
    bound_unread(page, MOST_UNREAD)
    refuse_nonsense(page)
    return page


def routes_of(found: list[Any]) -> Iterator[tuple[str, str]]:
    """Every method and path that Gradio's app answers."""
    for route in found:
        if hasattr(route, "original_router"):
            yield from routes_of(route.original_router.routes)
        else:
            yield from ((method, route.path) for method in route.methods)


def main(data: str, port: str, clip_id: str, password: str | None = None) -> None:
    config = StudioConfig(Path(data))
    shut_gradios_doors()
    cleaned = clean_environment(os.environ, config)
    os.environ.clear()
    os.environ.update(cleaned)
    limit_connections(2000)
    hosts = Hosts(int(port))
    app, _, _ = build(clip_id).launch(
        prevent_thread_lock=True,
        quiet=True,
        server_name="127.0.0.1",
        server_port=int(port),
        auth=admitting(Doorkeeper({OWNER: password, GUEST: password[::-1]})) if password else None,
        max_file_size="100mb",
        app_kwargs={
            "middleware": [Middleware(Guard, hosts=hosts, uploads=config.uploads)],
            "routes": routes(Studio(config), Telemetry()),
        },
    )
    print(json.dumps(sorted(routes_of(app.routes))), flush=True)
    for line in sys.stdin:
        hosts.share(line.removeprefix("share").strip() or None)
        print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
