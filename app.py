"""Open the studio: serve the page first, then start the render worker behind it.

`python app.py` and `./launch.sh` do the same. Knows the order of starting and ending, and nothing of clips.
"""

import argparse
import logging
import math
import os
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from svd_studio.api import (
    Doorkeeper,
    Guard,
    Hosts,
    admitting,
    clean_environment,
    give_back_large_blocks,
    limit_connections,
    new_password,
    routes,
)
from svd_studio.cli import Parser, config_of, say_error
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput, Message, StudioError
from svd_studio.gpu.telemetry import Telemetry
from svd_studio.host import FileLock, open_many_files, private_folder
from svd_studio.jobs.crew import Crew
from svd_studio.library.uploads import LARGEST_UPLOAD, fresh_uploads
from svd_studio.studio import GUEST, OWNER, Studio, refuse_network_drive
from svd_studio.ui.texts import say

if TYPE_CHECKING:  # gradio takes seconds: refusals come before it
    from svd_studio.ui.tunnel import SharedLink

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
FIRST_PORT, PORTS_TRIED = 7860, 40
OPENING_S = 30.0
TIDY_EVERY_S = 60.0
SHORTEST_LINK_H, LONGEST_LINK_H = 0.1, 72.0
"""Gradio's server ends every tunnel after 72 hours."""

LEAST_GUEST_GB, MOST_GUEST_GB = 0.1, 100_000

Trouble = Callable[[], Message | None]


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C; returns the exit code."""
    try:
        arguments = build_parser().parse_args(argv)
        config = replace(config_of(arguments), room_for_guests=room_for_guests(arguments.guest_gb))
        return open_studio(config, arguments)
    except StudioError as error:
        return say_error(error)


def build_parser() -> Parser:
    """The window's own arguments; verbs are the command line's."""
    parser = Parser(prog="svd_studio", description=say("cli.about"))
    parser.add_argument("--port", type=int, metavar="N", help=say("cli.help.port"))
    parser.add_argument("--data", metavar="DIR", help=say("cli.help.data"))
    parser.add_argument("--no-browser", action="store_true", help=say("cli.help.no_browser"))
    parser.add_argument("--share", action="store_true", help=say("cli.help.share"))
    parser.add_argument("--share-hours", type=number, default=8.0, metavar="H", help=say("cli.help.share_hours"))
    parser.add_argument("--guest-gb", type=number, default=10.0, metavar="GB", help=say("cli.help.guest_gb"))
    parser.add_argument("--listen", action="store_true", help=say("cli.help.listen"))
    return parser


def number(text: str) -> float:
    """What was typed as a number; what is none is out of every bounds, so that the sentence about those is said."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def room_for_guests(gigabytes: float) -> int:
    """How many bytes guests may take. Raises BadInput."""
    if not LEAST_GUEST_GB <= gigabytes <= MOST_GUEST_GB:  # nor NaN
        raise BadInput("share.guest_gb", least=LEAST_GUEST_GB, most=MOST_GUEST_GB)
    return round(gigabytes * 1e9)


def open_studio(config: StudioConfig, arguments: argparse.Namespace) -> int:
    """Take the folder, serve the page, start the worker; end both on Ctrl-C."""
    if not SHORTEST_LINK_H <= arguments.share_hours <= LONGEST_LINK_H:
        raise BadInput("share.hours", least=SHORTEST_LINK_H, most=LONGEST_LINK_H)
    refuse_network_drive(config.data)
    private_folder(config.data)
    lock = FileLock(config.studio_lock)
    if not lock.try_acquire():
        return point_to_first(lock, arguments.no_browser)
    try:
        studio = Studio(config)
        studio.mend()
        if studio.mended:
            print(say(studio.mended), flush=True)
        return serve(studio, arguments, lock)
    finally:
        lock.release()


def serve(studio: Studio, arguments: argparse.Namespace, lock: FileLock) -> int:
    """Put the page on its port, then start the worker; returns when somebody ends it."""
    config = studio.config
    host = "0.0.0.0" if arguments.listen else LOOPBACK
    port = free_port(arguments.port, host)
    environment = clean_environment(os.environ, config)
    os.environ.clear()
    os.environ.update(environment)
    fresh_uploads(config)
    give_back_large_blocks()
    limit_connections(open_many_files())
    crew = Crew(
        [sys.executable, "-P", "-m", "svd_studio", "work", "--data", str(config.data)],
        config.logs,
        studio.cards,
        lambda: {card.index for card in telemetry.latest().cards},
    )
    telemetry = Telemetry(studio_pids=crew.pids)
    telemetry.start()
    hosts = Hosts(port, listening=arguments.listen)
    link = shared_link(hosts, arguments, config) if arguments.share else None
    page = Served(studio, telemetry, crew.trouble, link, crew.renew)
    url = open_page(page, hosts, arguments, host)
    lock.announce(url)
    if link is not None:
        share(link, port)
    private_folder(config.logs)
    ended = end_signal()
    crew.start()
    print(say(Message("app.open", {"url": url, "folder": str(config.data)})), flush=True)
    if arguments.listen and (address := address_on_network()):
        print(say(Message("app.on_network", {"url": f"http://{address}:{port}"})), flush=True)
    if not arguments.no_browser:
        webbrowser.open(url)
    tidied = -TIDY_EVERY_S
    while not ended.wait(0.5):  # a wait without end hears no Ctrl-C on Windows
        if link is not None:
            link.end_in_time()
        if time.monotonic() - tidied > TIDY_EVERY_S:
            tidied = time.monotonic()
            keep_tidy(studio)
    if link is not None:
        link.close()
    crew.stop()
    studio.let_go()
    telemetry.stop()
    return 0


def keep_tidy(studio: Studio) -> None:
    """Tidy up, or leave it for the next time: what goes wrong there ends no studio."""
    try:
        studio.tidy()
    except Exception:
        log.exception("tidying")


@dataclass(frozen=True)
class Served:
    """What the page shows and whom it asks."""

    studio: Studio
    telemetry: Telemetry
    trouble: Trouble
    link: "SharedLink | None"
    renew: Callable[[], None]


def open_page(page: Served, hosts: Hosts, arguments: argparse.Namespace, host: str) -> str:
    """Serve the page behind its guard and return its address on this machine."""
    from starlette.middleware import Middleware

    from svd_studio.ui.app import build_page, launch_options

    studio, is_open_to_others = page.studio, arguments.share or arguments.listen
    build_page(studio, page.telemetry, page.trouble, page.link, page.renew).launch(
        server_name=host,
        server_port=hosts.port,
        share=False,  # the tunnel is our own business
        auth=admitting(_doorkeeper()) if is_open_to_others else None,
        prevent_thread_lock=True,
        quiet=True,
        allowed_paths=[],
        max_file_size=LARGEST_UPLOAD,
        app_kwargs={
            "middleware": [Middleware(Guard, hosts=hosts, uploads=studio.config.uploads)],
            "routes": routes(studio, page.telemetry),
        },
        **launch_options(),
    )
    return f"http://{LOOPBACK}:{hosts.port}"


def shared_link(hosts: Hosts, arguments: argparse.Namespace, config: StudioConfig) -> "SharedLink":
    """Prepare the public link; nothing is opened yet."""
    from svd_studio.ui.tunnel import SharedLink

    return SharedLink(hosts.share, arguments.share_hours, config.data / "share-server.pem")


def share(link: "SharedLink", port: int) -> None:
    """Open the public link and say where it is; without it the studio goes on for this machine alone."""
    try:
        url = link.open(port)
    except StudioError as error:
        print(say(error.message), flush=True)
    else:
        print(say(Message("app.shared", {"url": url, "hours": f"{link.hours:g}"})), flush=True)


def _doorkeeper() -> Doorkeeper:
    """Make two passwords, say them once, and keep them nowhere."""
    passwords = {OWNER: new_password(), GUEST: new_password()}
    for code, name in (("app.password", OWNER), ("app.guest_password", GUEST)):
        print(say(Message(code, {"name": name, "password": passwords[name]})), flush=True)
    return Doorkeeper(passwords)


def point_to_first(lock: FileLock, quiet: bool) -> int:
    """Say where the studio that holds this folder is."""
    url = announced(lock)
    if not url:
        raise StudioError("app.still_opening")
    print(say(Message("app.already_open", {"url": url})))
    if not quiet:
        webbrowser.open(url)
    return 0


def announced(lock: FileLock) -> str:
    """The address of the studio that holds the folder, once it has one; empty when it does not get that far."""
    for _ in range(round(OPENING_S / 0.1)):
        if url := str((lock.holder() or {}).get("url") or ""):
            return url
        time.sleep(0.1)
    return ""


def address_on_network() -> str | None:
    """This machine's address as its own network sees it; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 of RFC 5737, which nobody has
            found = str(probe.getsockname()[0])
        except OSError:
            return None
    return None if found.startswith("127.") else found


def free_port(asked: int | None, host: str) -> int:
    """The port that was asked for, or the first free one. Raises BadInput."""
    tried = [asked] if asked is not None else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
    for port in tried:
        with socket.socket() as probe:
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except (OSError, OverflowError):
                continue
            return port
    if asked is not None:
        raise BadInput("app.port_taken", port=asked)
    raise BadInput("app.no_port", low=FIRST_PORT, high=FIRST_PORT + PORTS_TRIED - 1)


def end_signal() -> threading.Event:
    """What is set at Ctrl-C or when the system asks us to end."""
    ended = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: ended.set())
    return ended


if __name__ == "__main__":
    sys.exit(main())
