"""What stands at the other end of a share link: TLS under a public name, plain HTTP to the studio behind it.

tunnel.pem is a key of these tests alone, for *.gradio.live, which nobody trusts.
"""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from tests.api.window import ROOT, free_port
from tests.waiting import until

CERTIFICATE = Path(__file__).with_name("tunnel.pem")
METHODS = ["GET", "HEAD", "POST"]
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive"}


@contextmanager
def tunnel_to(port: int) -> Iterator[int]:
    """Serve a studio's port behind TLS in a process of its own; gives the port that browsers ask."""
    own = free_port()
    with subprocess.Popen([sys.executable, "-m", "tests.api.tunnel", str(port), str(own)], cwd=ROOT) as process:
        try:
            until(lambda: is_open(own), 30)
            yield own
        finally:
            process.kill()


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main(port: int, own: int) -> None:
    studio = httpx.AsyncHTTPTransport()  # a client would keep cookies

    async def hand_on(request: Request) -> StreamingResponse:
        headers = [(name, value) for name, value in request.headers.raw if name.decode() not in HOP_BY_HOP]
        # As frp does it: a list that the visitor began, and the scheme.
        headers += [(b"x-forwarded-for", b"203.0.113.7"), (b"x-forwarded-proto", b"https")]
        path = request.scope["raw_path"] + _query(request)
        url = httpx.URL(f"http://127.0.0.1:{port}").copy_with(raw_path=path)
        answer = await studio.handle_async_request(
            httpx.Request(request.method, url, headers=headers, content=await request.body())
        )
        shown = StreamingResponse(_passing(answer), answer.status_code)
        shown.raw_headers = [(name, value) for name, value in answer.headers.raw if name.decode() not in HOP_BY_HOP]
        return shown

    app = Starlette(routes=[Route("/{path:path}", hand_on, methods=METHODS)])
    uvicorn.run(
        app,
        port=own,
        ssl_certfile=CERTIFICATE,
        ssl_keyfile=CERTIFICATE,
        log_level="error",
        proxy_headers=False,
    )


def _query(request: Request) -> bytes:
    query: bytes = request.scope["query_string"]
    return b"?" + query if query else b""


async def _passing(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    except (httpx.HTTPError, asyncio.CancelledError):
        pass  # one side hung up
    finally:
        await answer.aclose()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
