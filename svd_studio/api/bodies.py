"""What a request brings with it: counted while it comes, and not waited for for ever."""

import asyncio
import time
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

PATIENCE_S, SLOWEST_LINE = 60.0, 64_000
"""How far a body may fall behind a line of so many bytes a second; one that only drips holds its place no longer."""


class Broken(HTTPException):
    """Leave a route whose body is too large or too slow; Gradio takes it for an ordinary refusal."""


class Body:
    """Hand on a body as it comes. Raises Broken with 413 beyond `limit` bytes, with 408 when it is too slow."""

    def __init__(
        self, receive: Receive, limit: int, patience_s: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._receive, self._limit = receive, limit
        self._now, self._until = clock, clock() + patience_s
        self._received = 0
        self._is_whole = False
        self.broken = 0
        """The status with which it was given up; 0 while it was not."""

    async def receive(self) -> Message:
        """What comes next; after the body there is no hurry, for then it is how the visitor's leaving is heard."""
        message = await (self._receive() if self._is_whole else self._in_time())
        self._received += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._received > self._limit:
            raise self._given_up(413)
        return message

    async def _in_time(self) -> Message:
        left_s = self._until + self._received / SLOWEST_LINE - self._now()
        try:
            async with asyncio.timeout(left_s):  # what has come already is taken, however late we ask
                return await self._receive()
        except TimeoutError:
            raise self._given_up(408) from None

    def _given_up(self, status: int) -> Broken:
        self.broken = status
        return Broken(status)
