"""The names under which this studio may be asked: a page that got here by another name is not ours."""

import socket
from urllib.parse import urlsplit


class Hosts:
    """Know our own names; `listening` adds the local network's, `share` the tunnel's while there is one."""

    def __init__(self, port: int, listening: bool = False) -> None:
        self.port = port
        self.listening = listening
        self._tunnel: str | None = None
        names = ["127.0.0.1", "localhost", "[::1]"]
        if listening:
            machine = socket.gethostname().lower()
            names += [machine, f"{machine.partition('.')[0]}.local"]  # the second is what mDNS calls it
        self._names = frozenset(map(self._with_port, names))

    def share(self, url: str | None) -> None:
        """Let the tunnel's address in, and no other tunnel's; None shuts it again."""
        self._tunnel = urlsplit(url).netloc.lower() if url else None

    def know(self, host: str, reached_at: str) -> bool:
        """Whether a Host header names us; `reached_at` is the address that the connection came in on.

        That address needs no list of network cards, and stays right when the network changes.
        """
        if self.is_tunnel(host) or host.lower() in self._names:
            return True
        host = host.lower()
        literal = f"[{reached_at}]" if ":" in reached_at else reached_at
        return self.listening and host == self._with_port(literal.lower())

    def is_tunnel(self, host: str) -> bool:
        """Whether a Host header names the tunnel that is open."""
        return self._tunnel is not None and host.lower() == self._tunnel

    def _with_port(self, name: str) -> str:
        return name if self.port == 80 else f"{name}:{self.port}"
