"""Nobody can ask so often that others wait; who waits a moment may ask again."""

from pathlib import Path

from starlette.datastructures import Headers

from svd_studio.api.guard import UPLOAD, Guard
from svd_studio.api.hosts import Hosts
from svd_studio.api.pace import MOST_VISITORS, Pace, Paces
from svd_studio.api.passwords import AT_THIS_COMPUTER
from svd_studio.library.uploads import MEGABYTE
from tests.api.window import Window, ask


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_allowed_and_then_so_many_a_second() -> None:
    clock = Clock()
    paces, pace = Paces(clock), Pace(burst=5, per_second=2)
    assert [paces.allow("a", pace) for _ in range(7)] == [True] * 5 + [False] * 2
    clock.now = 1.0
    assert [paces.allow("a", pace) for _ in range(3)] == [True, True, False]
    clock.now = 1000.0
    assert [paces.allow("a", pace) for _ in range(6)] == [True] * 5 + [False]


def test_one_visitor_does_not_slow_another_or_other_kinds_of_requests() -> None:
    paces, pace = Paces(Clock()), Pace(1, 1)
    assert paces.allow("a", pace)
    assert not paces.allow("a", pace)
    assert paces.allow("b", pace)
    assert paces.allow("a", Pace(2, 1))


def test_a_flood_of_addresses_takes_no_memory() -> None:
    paces, pace = Paces(Clock()), Pace(1, 1)
    for number in range(3 * MOST_VISITORS):
        paces.allow(str(number), pace)
    assert len(paces._left) == MOST_VISITORS


def test_guessing_through_the_tunnel_ends_and_leaves_the_owner_alone(window: Window) -> None:
    theirs = {"Host": "abc123.gradio.live", "Content-Type": "application/x-www-form-urlencoded"}
    window.share("https://abc123.gradio.live")
    try:
        statuses = [
            ask(
                window, "POST", "/login", theirs | {"X-Forwarded-For": f"203.0.113.{n}"}, b"username=a&password=b"
            ).status
            for n in range(30)
        ]
        assert 429 in statuses
        refused = ask(window, "POST", "/login", theirs, b"username=a&password=b")
        assert refused.text == "That was a lot at once: wait a moment and try again."
        assert ask(window, path="/config").status == 200
        assert ask(window, "POST", "/login", {"Content-Type": theirs["Content-Type"]}, b"username=a").status != 429
    finally:
        window.share()


def test_strangers_upload_no_faster_than_the_oldest_go_and_this_computer_does(tmp_path: Path) -> None:
    """Chunked bodies count as the largest: nobody knows how long they will be."""
    guard = Guard(None, Hosts(7860), tmp_path)  # type: ignore[arg-type]  # nothing is handed on
    announced, chunked = Headers({"content-length": str(100 * MEGABYTE)}), Headers({"transfer-encoding": "chunked"})
    tries = [guard._has_room(f"10.0.0.{number}", UPLOAD, chunked if number % 2 else announced) for number in range(30)]
    assert tries == [True] * 10 + [False] * 20
    assert not guard._has_room("tunnel", UPLOAD, announced)
    assert guard._has_room("tunnel", "/gradio_api/queue/join", announced)
    assert all(guard._has_room(AT_THIS_COMPUTER, UPLOAD, announced) for _ in range(30))
