"""A studio that others can reach lets in whoever knows the password, and nobody else."""

from collections.abc import Callable, Iterator

import pytest

from svd_studio.api.passwords import (
    ALPHABET,
    AT_THIS_COMPUTER,
    PERIOD_S,
    VISITOR,
    WRONG_TRIES,
    Doorkeeper,
    new_password,
)
from tests.api.conftest import PASSWORD
from tests.api.window import Answer, Window, ask


class Clock:
    """A time that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_passwords_are_long_clear_and_never_the_same() -> None:
    passwords = {new_password() for _ in range(200)}
    assert len(passwords) == 200
    assert all(len(password) == 20 and set(password) <= set(ALPHABET) for password in passwords)
    assert not set("lo01IO") & set(ALPHABET)


def test_the_right_name_and_password_open() -> None:
    keeper = Doorkeeper({"studio": "right"})
    assert keeper("studio", "right")
    for name, password in [("studio", "wrong"), ("studio", ""), ("nobody", ""), ("", "right")]:
        assert not keeper(name, password)


def test_odd_letters_are_only_wrong() -> None:
    keeper = Doorkeeper({"studio": "密码"})
    assert keeper("studio", "密码")
    assert not keeper("studio", "\ud800")
    assert not keeper("工作室", "密码")


@pytest.fixture
def come_from() -> Iterator[Callable[[str], None]]:
    """Lets the next tries come from a visitor, as the guard would say it."""
    before = VISITOR.get()
    yield lambda visitor: VISITOR.set(visitor) and None
    VISITOR.set(before)


ComeFrom = Callable[[str], None]


def test_five_wrong_tries_slow_down_whoever_made_them_and_nobody_else(come_from: ComeFrom) -> None:
    clock = Clock()
    keeper = Doorkeeper({"studio": "right"}, clock)
    come_from("10.0.0.66")
    for _ in range(WRONG_TRIES):
        assert not keeper("studio", "wrong")
    assert not keeper("studio", "right")
    come_from("10.0.0.2")
    assert keeper("studio", "right"), "another visitor"
    come_from("10.0.0.66")
    clock.now += PERIOD_S / WRONG_TRIES - 0.5
    assert not keeper("studio", "right")
    assert keeper.wait_s("studio") == pytest.approx(0.5)
    clock.now += 1
    assert keeper.wait_s("studio") == 0
    assert keeper("studio", "right")


def test_guesses_from_everywhere_leave_everybody_a_first_try(come_from: ComeFrom) -> None:
    keeper = Doorkeeper({"studio": "right", "guest": "too"}, Clock())
    for number in range(300):
        come_from(f"10.0.1.{number}")
        assert not keeper("studio", "wrong")
    assert not keeper("studio", "right"), "one who guessed has had his try"
    come_from("10.0.0.2")
    assert keeper("studio", "right")
    assert not keeper("studio", "wrong")
    assert not keeper("studio", "right")
    assert keeper("guest", "too"), "nobody guesses at that name"


def test_nothing_shuts_out_whoever_sits_at_this_computer(come_from: ComeFrom) -> None:
    keeper = Doorkeeper({"studio": "right"}, Clock())
    for visitor in ("tunnel", AT_THIS_COMPUTER):
        come_from(visitor)
        for _ in range(100):
            assert not keeper("studio", "wrong")
    assert keeper("studio", "right")


def test_slow_mistakes_never_make_anybody_wait() -> None:
    clock = Clock()
    keeper = Doorkeeper({"studio": "right"}, clock)
    for _ in range(30):
        assert not keeper("studio", "wrong")
        clock.now += PERIOD_S / 4
        assert keeper("studio", "right")


def test_the_doorkeeper_does_not_show_what_it_knows() -> None:
    keeper = Doorkeeper({"studio": "secret"})
    assert "secret" not in repr(keeper)


def log_in(window: Window, password: str, headers: dict[str, str] | None = None) -> Answer:
    form = {"Content-Type": "application/x-www-form-urlencoded"} | (headers or {})
    return ask(window, "POST", "/login", form, f"username=owner&password={password}".encode())


def cookie_of(answer: Answer) -> dict[str, str]:
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def test_everything_is_behind_the_password(locked_window: Window) -> None:
    clip = f"/media/{locked_window.clip.id}"
    paths = [clip, f"{clip}/poster", f"{clip}/download", "/media/job/1/preview", "/media/job/1/picture"]
    paths += ["/metrics", "/health", "/config"]
    for path in paths:
        for stranger in ({}, {"Cookie": "access-token-x=y"}):
            answer = ask(locked_window, path=path, headers=stranger)
            assert answer.status == 401, path
            assert b"ftyp" not in answer.body
    signed_in = cookie_of(log_in(locked_window, PASSWORD))
    for path in paths:
        assert ask(locked_window, path=path, headers=signed_in).status == (404 if "/job/" in path else 200)


def test_whoever_signs_out_is_out(locked_window: Window) -> None:
    signed_in = cookie_of(log_in(locked_window, PASSWORD))
    assert ask(locked_window, path="/health", headers=signed_in).status == 200
    elsewhere = cookie_of(log_in(locked_window, PASSWORD))
    left = ask(locked_window, "POST", "/logout", signed_in)
    assert (left.status, left.headers["location"]) == (303, "/")
    assert ask(locked_window, path="/health", headers=signed_in).status == 401
    assert ask(locked_window, path="/health", headers=elsewhere).status == 200, "others who go by that name stay"
    assert ask(locked_window, "POST", "/logout", {"Cookie": "access-token-x=y"}).status == 303


def test_no_page_signs_anybody_out_by_a_link_or_a_picture(locked_window: Window) -> None:
    """Without https no browser says which page makes it send this: so no GET does anything."""
    signed_in = cookie_of(log_in(locked_window, PASSWORD))
    for method in ("GET", "HEAD"):
        assert ask(locked_window, method, "/logout", signed_in).status == 404
    foreign = signed_in | {"Origin": "http://attacker.example"}
    assert ask(locked_window, "POST", "/logout", foreign).status == 403
    assert ask(locked_window, path="/health", headers=signed_in).status == 200


def test_guessing_through_the_tunnel_ends_after_five_tries_and_not_for_the_owner(locked_window: Window) -> None:
    tunnel = {"Host": "abc123.gradio.live"}
    locked_window.share("https://abc123.gradio.live")
    try:
        tries = [log_in(locked_window, "guess", tunnel).status for _ in range(WRONG_TRIES)]
        assert tries == [400] * WRONG_TRIES
        slowed = log_in(locked_window, PASSWORD, tunnel)
        assert slowed.status == 429
        assert 0 < int(slowed.headers["retry-after"]) <= PERIOD_S / WRONG_TRIES
        assert "Too many wrong passwords" in slowed.text
        assert "look again at the lines" in log_in(locked_window, "guess").text
        assert log_in(locked_window, PASSWORD).status == 200
    finally:
        locked_window.share()
