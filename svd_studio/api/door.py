"""The page that asks for a name and a password, and what it hears from Gradio's login when they do not fit."""

import json
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope

from svd_studio.api.passwords import Doorkeeper, is_signed_in
from svd_studio.core.errors import Message
from svd_studio.ui.texts import LANGUAGES, say, words

SKELETON = Path(__file__).with_suffix(".html")
WORDS_GO_HERE = "{/* words */}"


class Door(Route):
    """Show whoever has to sign in our own page instead of Gradio's; everybody else goes on to the studio."""

    def __init__(self) -> None:
        super().__init__("/", show_door)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is Match.NONE or is_signed_in(Request(scope)):
            return Match.NONE, {}
        return match, child


def show_door(request: Request) -> Response:
    """Answer with the page, which nothing may keep: the same address shows the studio after signing in."""
    return HTMLResponse(door_html(), headers={"Cache-Control": "no-store"})


@cache
def door_html() -> str:
    """The page with its words in every language; its script takes the one that the browser speaks."""
    told = {
        language: {code: text for code, text in words(language).items() if code.startswith("door.page.")}
        for language in LANGUAGES
    }
    shown = json.dumps(told, ensure_ascii=False).replace("</", "<\\/")
    return SKELETON.read_text(encoding="utf-8").replace(WORDS_GO_HERE, shown)


def admitting(keeper: Doorkeeper) -> Callable[[str, str], bool]:
    """What Gradio's `auth=` takes: a refusal is our own sentence, and tells whom it slows down how long."""

    def admit(name: str, password: str) -> bool:
        if wait_s := math.ceil(keeper.wait_s(name)):
            sentence = say(Message("door.page.slow", {"seconds": wait_s}))
            raise HTTPException(429, sentence, {"Retry-After": str(wait_s)})
        if not keeper(name, password):
            raise HTTPException(400, say("door.page.wrong"))
        return True

    return admit
