"""Passwords for a studio that others can reach. Nothing here is ever logged or shown."""

import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping

from starlette.requests import Request

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without l, o, 0 and 1, which look alike; 20 of these 32 letters are 100 bits."""

WRONG_TRIES, PERIOD_S = 5, 60.0


def new_password() -> str:
    """A password that is easy to type and cannot be guessed."""
    return "".join(secrets.choice(ALPHABET) for _ in range(20))


class Doorkeeper:
    """Decide whether a name and password fit; Gradio's `auth=` takes it.

    After five wrong tries within a minute nobody is let in until the first of them is a minute old.
    """

    def __init__(self, passwords: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        self._passwords = {name: password.encode() for name, password in passwords.items()}
        self._now = clock
        self._wrong: deque[float] = deque(maxlen=WRONG_TRIES)

    def __call__(self, name: str, password: str) -> bool:
        if len(self._wrong) == WRONG_TRIES and self._now() - self._wrong[0] < PERIOD_S:
            return False
        expected = self._passwords.get(name, b"")
        # Compared also for an unknown name, so that the answer takes as long.
        fits = hmac.compare_digest(expected, password.encode(errors="replace")) and bool(expected)
        if not fits:
            self._wrong.append(self._now())
        return fits


def is_signed_in(request: Request) -> bool:
    """Whether a request may see what is behind the login: Gradio's own check, from its own tokens."""
    return request.app.auth is None or signed_in_as(request) is not None


def signed_in_as(request: Request) -> str | None:
    """The name under which a request's browser logged in; None where nobody did."""
    app = request.app
    cookies = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
    names = (app.tokens.get(request.cookies.get(cookie)) for cookie in cookies)
    return next((str(name) for name in names if name), None)
