"""Passwords for a studio that others can reach. Nothing here is ever logged or shown."""

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar

from starlette.requests import Request

from svd_studio.api.pace import Pace, Paces

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without l, o, 0 and 1, which look alike; 20 of these 32 letters are 100 bits."""

WRONG_TRIES, PERIOD_S = 5, 60.0
TRYING, TRYING_LATE = Pace(WRONG_TRIES, WRONG_TRIES / PERIOD_S), Pace(1, 1 / PERIOD_S)
"""How many wrong passwords each visitor may give, and how many while others are guessing at the same name."""

GUESSED_AT = Pace(60, 1)
"""From how many wrong passwords on, wherever they come from, somebody guesses at a name."""

AT_THIS_COMPUTER = "here"
"""The visitor who sits at this computer, whom no stranger's guessing may shut out."""

VISITOR: ContextVar[str] = ContextVar("visitor", default="")
"""Who sends the request that is being answered, as the guard tells visitors apart."""


def new_password() -> str:
    """A password that is easy to type and cannot be guessed."""
    return "".join(secrets.choice(ALPHABET) for _ in range(20))


class Doorkeeper:
    """Decide whether a name and password fit; Gradio's `auth=` takes it.

    Five wrong tries slow down whoever made them, and nobody else: even while somebody guesses at a name from
    everywhere, each visitor has a first try. At this computer there is no limit.
    """

    def __init__(self, passwords: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        self._passwords = {name: password.encode() for name, password in passwords.items()}
        self._paces = Paces(clock)

    def __call__(self, name: str, password: str) -> bool:
        if self.wait_s(name) > 0:
            return False
        expected = self._passwords.get(name, b"")
        # Compared also for an unknown name, so that the answer takes as long.
        fits = hmac.compare_digest(expected, password.encode(errors="replace")) and bool(expected)
        if not fits:
            visitor = VISITOR.get()
            for whose, pace in ((visitor, TRYING), (visitor, TRYING_LATE), (self._account(name), GUESSED_AT)):
                self._paces.allow(whose, pace)
        return fits

    def wait_s(self, name: str) -> float:
        """How long whoever asks now has to wait before a try for that name is heard; nothing is counted."""
        visitor, wait_s = VISITOR.get(), self._paces.wait_s
        if visitor == AT_THIS_COMPUTER:
            return 0.0
        of_all = min(wait_s(self._account(name), GUESSED_AT), wait_s(visitor, TRYING_LATE))
        return max(wait_s(visitor, TRYING), of_all)

    def _account(self, name: str) -> str:
        return f"account {name if name in self._passwords else ''}"


def is_signed_in(request: Request) -> bool:
    """Whether a request may see what is behind the login: Gradio's own check, from its own tokens."""
    return request.app.auth is None or signed_in_as(request) is not None


def sign_out(request: Request) -> None:
    """Forget every token of the browser that asks; it has to sign in again, others stay."""
    for token in _tokens_of(request):
        request.app.tokens.pop(token, None)


def signed_in_as(request: Request) -> str | None:
    """The name under which a request's browser logged in; None where nobody did."""
    names = (request.app.tokens.get(token) for token in _tokens_of(request))
    return next((str(name) for name in names if name), None)


def _tokens_of(request: Request) -> list[str]:
    """What a request's browser shows of the tokens that it was given; it may be anything."""
    cookies = (f"{kind}-{request.app.cookie_id}" for kind in ("access-token", "access-token-unsecure"))
    return [request.cookies[cookie] for cookie in cookies if cookie in request.cookies]
