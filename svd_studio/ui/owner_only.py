"""The rooms that change this computer are the owner's: whoever else asks is refused, whatever the page shows him."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr

from svd_studio.ui.endpoints import only_owner, owner_of
from svd_studio.ui.rooms import Asked, View


def owner_only(handler: Callable[[dict[str, Any], str], View]) -> Asked:
    """Answer the owner, and refuse everybody else in words."""

    @wraps(handler)
    def answer(sent: dict[str, Any], language: str, request: gr.Request) -> View:
        only_owner(owner_of(request))
        return handler(sent, language)

    return answer
