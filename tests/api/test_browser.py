"""The page under the guard in a real browser, and other sites that try to use it from there."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.api.conftest import PASSWORD
from tests.api.tunnel import tunnel_to
from tests.api.window import ROOT, Window, foreign_site

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    *["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
    *["--disable-background-networking", "--disable-component-update"],
    "--host-resolver-rules=MAP *.test 127.0.0.1, MAP *.gradio.live 127.0.0.1",
]

pytestmark = pytest.mark.skipif(
    os.environ.get("CI") != "true" and not os.path.exists(CHROMIUM), reason="needs Chromium"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def seagull(tmp_path: Path) -> Path:
    path = tmp_path / "seagull.png"
    Image.new("RGB", (64, 48), "teal").save(path)
    return path


def test_the_page_notices_nothing_of_the_guard(window: Window, page: Any, seagull: Path) -> None:
    refused: list[str] = []
    complaints: list[str] = []
    page.on("response", lambda response: refused.append(response.url) if response.status >= 400 else None)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(window.url)
    page.set_input_files("#picture input[type=file]", seagull)
    page.wait_for_selector("#picture img")
    assert page.evaluate("document.querySelector('#picture img').decode().then(() => true)")
    page.fill("#words textarea", "up")
    page.click("#make")
    page.wait_for_function("document.querySelector('#said textarea').value == 'step 2 up seagull.png'")
    page.wait_for_function("document.querySelector('#ticks textarea').value > '0'")
    page.evaluate("document.querySelector('#clip').play()")
    page.wait_for_function("document.querySelector('#clip').currentTime > 0.1")
    assert (refused, complaints) == ([], [])


def test_signing_in_works(locked_window: Window, page: Any, seagull: Path) -> None:
    page.goto(locked_window.url)
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("input:not([type=password]), textarea").first.fill("owner")
    page.locator("input[type=password]").press("Enter")
    page.set_input_files("#picture input[type=file]", seagull)
    page.wait_for_selector("#picture img")
    page.evaluate("document.querySelector('#clip').play()")
    page.wait_for_function("document.querySelector('#clip').currentTime > 0.1")


@pytest.mark.parametrize(("locale", "said"), [("en-US", "look again at the lines"), ("zh-TW", "用户名或密码不对")])
def test_a_wrong_password_is_said_in_the_visitors_language(
    locked_window: Window, browser: Any, locale: str, said: str
) -> None:
    context = browser.new_context(locale=locale)
    page = context.new_page()
    page.goto(locked_window.url)
    page.fill("input[name=username]", " owner")
    page.fill("input[type=password]", "wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"[role=alert]:has-text('{said}')")
    page.keyboard.type(PASSWORD)  # the wrong one is selected
    page.keyboard.press("Enter")
    page.wait_for_selector("#make")
    context.close()


def test_a_guest_works_through_the_tunnel(locked_window: Window, browser: Any, seagull: Path) -> None:
    """Page, login, upload and events, through TLS under the tunnel's name; the owner's clip stays shut."""
    context = browser.new_context(ignore_https_errors=True)
    page, refused = context.new_page(), set()
    page.on("response", lambda response: refused.add((response.status, response.url)) if response.status > 401 else 0)
    with tunnel_to(locked_window.port) as port:
        url = f"https://abc123.gradio.live:{port}"
        locked_window.share(url)
        try:
            sign_in(page, url, "guest", PASSWORD[::-1])
            page.set_input_files("#picture input[type=file]", seagull)
            page.wait_for_selector("#picture img")
            page.fill("#words textarea", "up")
            page.click("#make")
            page.wait_for_function("document.querySelector('#said textarea').value == 'step 2 up seagull.png'")
            page.wait_for_function("document.querySelector('#ticks textarea').value > '0'")
            assert {status for status, _ in refused} == {404}, "only the owner's clip, which is not there for guests"
            assert any(cookie["secure"] for cookie in context.cookies()), "the studio knows that it is asked by https"
            sign_in(page, url, "owner", PASSWORD)
            page.evaluate("document.querySelector('#clip').play()")
            page.wait_for_function("document.querySelector('#clip').currentTime > 0.1")
        finally:
            locked_window.share()
        assert page.goto(url).status == 403
        assert "does not answer to this address" in page.inner_text("body")
    context.close()


def sign_in(page: Any, url: str, name: str, password: str) -> None:
    page.context.clear_cookies()
    page.goto(url)
    page.locator("input[type=password]").fill(password)
    page.locator("input:not([type=password]), textarea").first.fill(name)
    page.locator("input[type=password]").press("Enter")
    page.wait_for_selector("#make")


ATTACKING_PAGE = """
<a id='link' href='{url}/'>studio</a>
<img id='poster' src='{url}/media/{clip}/poster'>
<video id='video' src='{url}/media/{clip}'></video>
<iframe name='frame' src='{url}/'></iframe>
<form id='form' method='post' action='{url}/gradio_api/upload' target='frame' enctype='multipart/form-data'>
<input name='files' value='x'></form>
<script>
const form = new FormData(); form.append('files', new Blob(['x']), 'attack.png');
const results = Promise.allSettled([
  fetch('{url}/gradio_api/upload', {{method: 'POST', body: form, mode: 'no-cors', credentials: 'include'}}),
  fetch('{url}/gradio_api/upload', {{method: 'POST', body: form}}),
  fetch('{url}/config'), fetch('{url}/metrics'), fetch('{url}/media/{clip}'),
]).then(all => all.map(one => one.status == 'fulfilled' ? one.value.status : 'unreadable'));
</script>
"""


@pytest.mark.parametrize("name", ["attacker.test", "localhost", "127.0.0.1"])
def test_another_site_gets_and_leaves_nothing(window: Window, page: Any, name: str) -> None:
    answers: dict[str, int] = {}
    page.on("response", lambda response: answers.update({response.request.method + response.url: response.status}))
    attack = ATTACKING_PAGE.format(url=window.url, clip=window.clip.id)
    with foreign_site({"/": attack}) as site:
        page.goto(site.replace("localhost", name))
        assert set(page.evaluate("results")) <= {0, 403, "unreadable"}  # 0 is what a no-cors answer shows
        page.evaluate("document.querySelector('#form').submit()")
        page.wait_for_timeout(300)
        ours = {name: status for name, status in answers.items() if window.url in name}
        assert set(ours.values()) == {403}  # what Chromium lets through at all
        assert page.evaluate("document.querySelector('#video').readyState") == 0
        assert list(window.config.uploads.rglob("attack.png")) == []
        page.click("#link")
        page.wait_for_selector("#make")


def test_a_rebound_name_shows_one_sentence(window: Window, page: Any) -> None:
    page.goto(f"http://rebound.test:{window.port}/")
    assert "does not answer to this address" in page.inner_text("body")


def test_the_python_client_works(window: Window, seagull: Path) -> None:
    script = (
        "import sys; from gradio_client import Client, handle_file\n"
        "client = Client(sys.argv[1], verbose=False)\n"
        "print(client.predict(handle_file(sys.argv[2]), 'up', api_name='/make'))\n"
        "print(client.submit(handle_file(sys.argv[2]), 'up', api_name='/make').cancel())\n"
    )
    command = [sys.executable, "-c", script, window.url, str(seagull)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=True)
    assert done.stdout.splitlines()[0] == "step 2 up seagull.png"
