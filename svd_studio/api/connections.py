"""How long a connection may say nothing, and how many there may be; uvicorn limits neither.

A request's body has its own limits in bodies.py; here it is what comes before the guard is asked.
"""

import asyncio

from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 20.0
"""How long the first lines of a request may take, from the connection's start or the last answer on."""

MOST_CONNECTIONS = 1000


def limit_connections(files: int) -> None:
    """Have uvicorn count and time connections; call it before the page is served.

    `files` is how many this process may have open: half of them stay for the studio's own work.
    """
    Connection.most = min(MOST_CONNECTIONS, files // 2)
    HTTP_PROTOCOLS["auto"] = f"{__name__}:{Connection.__name__}"


class Connection(H11Protocol):
    """Hang up on who says nothing; where there are too many, at once, and first on who never asked for anything."""

    head_s, most = HEAD_S, MOST_CONNECTIONS
    _hurry: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, and make room for it."""
        super().connection_made(transport)
        self._wait_for_head()
        if len(self.connections) > self.most:
            others = [other for other in self.connections if isinstance(other, Connection) and other is not self]
            min(filter(_is_idle, others), key=_has_asked, default=self).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Hand on what comes, and stop the clock once a request's head is whole."""
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it came already."""
        before = self.cycle
        super().on_response_complete()
        if self.cycle is before:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clock."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._stop_waiting()
        self._hurry = self.loop.call_later(self.head_s, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._hurry is not None:
            self._hurry.cancel()
            self._hurry = None


def _is_idle(connection: Connection) -> bool:
    return connection._hurry is not None and not connection.transport.is_closing()


def _has_asked(connection: Connection) -> bool:
    return connection.cycle is not None
