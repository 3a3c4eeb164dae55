"""A studio that others can reach lets in whoever knows the password, and nobody else."""

from pathlib import Path

from svd_studio.api.passwords import ALPHABET, PERIOD_S, WRONG_TRIES, Doorkeeper, new_password
from tests.api.conftest import PASSWORD
from tests.api.window import Answer, Window, ask, served


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


def test_five_wrong_tries_in_a_minute_make_everybody_wait() -> None:
    clock = Clock()
    keeper = Doorkeeper({"studio": "right"}, clock)
    for _ in range(WRONG_TRIES):
        assert not keeper("studio", "wrong")
        clock.now += 1
    assert not keeper("studio", "right")
    clock.now += PERIOD_S - WRONG_TRIES - 0.5
    assert not keeper("studio", "right")
    clock.now += 1
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


def log_in(window: Window, password: str) -> Answer:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
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
    ask(locked_window, path="/logout", headers=signed_in)
    assert ask(locked_window, path="/health", headers=signed_in).status == 401


def test_guessing_ends_after_five_tries(tmp_path: Path, clip_file: Path) -> None:
    with served(tmp_path / "data", clip_file, PASSWORD) as window:
        assert [log_in(window, "guess").status for _ in range(WRONG_TRIES)] == [400] * WRONG_TRIES
        assert log_in(window, PASSWORD).status == 400
