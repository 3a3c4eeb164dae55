"""Who sends slowly or nothing holds no place; what fails behind the guard is one sentence, and one line in the log."""

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.config import HTTP_PROTOCOLS

from svd_studio.api import limit_connections
from svd_studio.api.bodies import SLOWEST_LINE, Body, Broken
from svd_studio.api.connections import MOST_CONNECTIONS, Connection
from svd_studio.api.guard import Guard
from svd_studio.api.hosts import Hosts
from tests.api.small_page import MOST_UNREAD
from tests.api.window import Window, ask

JSON = {"Content-Type": "application/json"}


class Line:
    """A line that brings the same piece after so many seconds of its own clock, and then nothing more."""

    def __init__(self, piece: int, pieces: int, every_s: float) -> None:
        self.now, self.piece, self.left, self.every_s = 0.0, piece, pieces, every_s

    def clock(self) -> float:
        return self.now

    async def receive(self) -> Any:
        await asyncio.sleep(0)
        self.now += self.every_s
        self.left -= 1
        return {"type": "http.request", "body": bytes(self.piece), "more_body": self.left > 0}


@pytest.mark.parametrize(
    ("piece", "every_s", "status"), [(SLOWEST_LINE, 1.0, 0), (SLOWEST_LINE, 1.5, 408), (1, 10.0, 408), (1, 0.1, 0)]
)
def test_a_body_may_be_as_slow_as_a_slow_line_and_no_slower(piece: int, every_s: float, status: int) -> None:
    line = Line(piece, 300, every_s)
    body = Body(line.receive, 10**9, clock=line.clock)

    async def read() -> None:
        while line.left:
            await body.receive()

    if status:
        with pytest.raises(Broken):
            asyncio.run(read())
    else:
        asyncio.run(read())
    assert body.broken == status


def test_after_its_body_a_request_may_wait_as_long_as_it_likes() -> None:
    line = Line(1, 1, 0.0)
    body = Body(line.receive, 10, clock=line.clock)
    asyncio.run(body.receive())
    line.now = 10**6
    assert asyncio.run(body.receive())["type"] == "http.request"


def test_a_body_that_stops_is_answered_in_one_sentence_and_hung_up_on(tmp_path: Path) -> None:
    async def reading(scope: Any, receive: Any, send: Any) -> None:
        while True:
            await receive()

    async def stopped() -> Any:
        await asyncio.Event().wait()

    guard = Guard(reading, Hosts(7860), tmp_path)
    guard.patience_s = 0.05
    start, end = answered(guard, "POST", "/gradio_api/queue/join", stopped)
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert end["body"].decode().startswith("That came too slowly")


def answered(guard: Guard, method: str, path: str, receive: Any = None) -> list[Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"host", b"localhost:7860")]}
    asyncio.run(asyncio.wait_for(guard({**scope, "query_string": b""}, receive, send), 20))
    return sent


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server with four places, where nobody may be silent for longer than a moment."""
    monkeypatch.setattr(Connection, "head_s", 0.4)
    monkeypatch.setattr(Connection, "most", 4)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(hello, http=Connection, lifespan="off", log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listening.getsockname()[1]
        server.should_exit = server.force_exit = True
        thread.join()


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


ASKED = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
@pytest.mark.parametrize("answers", [0, 2])
def test_who_does_not_go_on_with_what_he_asks_is_hung_up_on(port: int, answers: int, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for _ in range(answers):
            connection.sendall(ASKED)
            received = b""
            while not received.endswith(b"hello"):
                received += connection.recv(4096)
        connection.sendall(begun)
        assert connection.recv(4096) == b""


@pytest.mark.parametrize("has_asked", [False, True])
def test_who_opens_many_connections_and_says_nothing_keeps_nobody_out(
    port: int, monkeypatch: pytest.MonkeyPatch, has_asked: bool
) -> None:
    monkeypatch.setattr(Connection, "head_s", 60.0)
    silent = []
    for _ in range(12):
        silent.append(socket.create_connection(("127.0.0.1", port), timeout=10))
        silent[-1].sendall(ASKED * has_asked)
        assert not has_asked or silent[-1].recv(4096)
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(ASKED)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    for connection in silent:
        connection.close()


@pytest.mark.parametrize(("files", "most"), [(256, 128), (10**6, MOST_CONNECTIONS)])
def test_the_page_is_served_with_these_limits(monkeypatch: pytest.MonkeyPatch, files: int, most: int) -> None:
    monkeypatch.setitem(HTTP_PROTOCOLS, "auto", "")
    monkeypatch.setattr(Connection, "most", 0)
    limit_connections(files)
    config = uvicorn.Config(hello)
    config.load()
    assert (config.http_protocol_class, Connection.most) == (Connection, most)


NONSENSE = [
    ("/gradio_api/queue/join", b'{"data":1e999}'),
    ("/gradio_api/queue/join", b'"\\ud800"'),
    ("/gradio_api/queue/join", b'{"data":[],"fn_index":999,"session_hash":"a"}'),
    ("/gradio_api/run/make", b'{"data":[null,"x"],"fn_index":-1}'),
    ("/gradio_api/run/nothing", b'{"data":[]}'),
    ("/gradio_api/call/v2/nothing", b'{"x":1}'),
    ("/gradio_api/call/v2/make", b'{"x":1e999}'),
    ("/gradio_api/cancel", b'{"session_hash":1e999}'),
    ("/gradio_api/reset", b'{"event_id":1e999}'),
]


@pytest.mark.parametrize(("path", "body"), NONSENSE)
def test_nonsense_is_refused_in_one_plain_sentence(window: Window, path: str, body: bytes) -> None:
    answer = ask(window, "POST", path, JSON, body)
    assert (answer.status, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert answer.text.startswith("The studio cannot make sense of that: reload")


@pytest.mark.parametrize("sent", [[], [1, 2], [{"path": "/etc/passwd"}, "x"]])
def test_values_that_no_field_holds_are_refused_in_a_sentence(window: Window, sent: list[Any]) -> None:
    answer = ask(window, "POST", "/gradio_api/run/make", JSON, json.dumps({"data": sent}).encode())
    assert "The studio cannot make sense of that: reload" in answer.text
    assert "Traceback" not in answer.text
    assert "/etc" not in answer.text


def test_answers_that_nobody_fetches_are_forgotten_the_oldest_first(window: Window) -> None:
    calls: list[str] = []
    deadline = time.monotonic() + 30
    while len(calls) <= MOST_UNREAD and time.monotonic() < deadline:
        answer = ask(window, "POST", "/gradio_api/call/make", JSON, b'{"data": []}')
        if answer.status == 200:
            calls.append(json.loads(answer.text)["event_id"])
        else:
            assert (answer.status, json.loads(answer.text)["detail"][:16]) == (503, "Too many answers")
    assert "cannot make sense" in ask(window, path=f"/gradio_api/call/make/{calls[-1]}").text
    assert "Not Found" in ask(window, path=f"/gradio_api/call/make/{calls[0]}").text


@pytest.mark.parametrize("path", ["/?page=none&deep_link=x", "/static/" + "x" * 3000])
def test_a_page_that_makes_no_sense_is_not_there(window: Window, path: str) -> None:
    answer = ask(window, path=path)
    assert (answer.status, answer.text[:13]) == (404, "There is noth")


@pytest.mark.parametrize(
    ("method", "path", "error", "status"),
    [
        ("POST", "/gradio_api/run/make", KeyError(-1), 400),
        ("POST", "/gradio_api/upload", OSError(28, "No space left on device"), 500),
        ("GET", "/media/abc", KeyError("secret"), 500),
        ("GET", "/", KeyError("secret"), 500),
    ],
)
def test_only_what_is_our_fault_is_500_and_stands_in_the_log_at_length(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, method: str, path: str, error: Exception, status: int
) -> None:
    async def failing(*_: object) -> None:
        raise error

    start, end = answered(Guard(failing, Hosts(7860), tmp_path), method, path)
    assert start["status"] == status
    assert b"secret" not in end["body"]
    assert b"Traceback" not in end["body"]
    assert [(record.levelno, record.exc_info is not None) for record in caplog.records] == [
        (logging.ERROR, True) if status == 500 else (logging.WARNING, False)
    ]
