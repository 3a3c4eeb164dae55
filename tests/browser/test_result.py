"""The finished clip as a person uses it: rated, made longer, taken apart, taken along, seen against another."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from svd_studio.core.config import StudioConfig
from svd_studio.library.clips import Clip
from svd_studio.studio import Studio
from svd_studio.video.metadata import probe, read_frames
from tests.browser.page import StudioPage
from tests.journeys.window import Window
from tests.library.made_clips import Maker

OpenPage = Callable[..., StudioPage]
SAMPLES = Path(__file__).parents[2] / "presets" / "pictures"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Clip]]:
    """A folder with two clips of eight frames, and one that is soon made again; no worker may be there yet."""
    studio = Studio(StudioConfig(tmp_path_factory.mktemp("studio")))
    with pytest.MonkeyPatch.context() as patch:
        maker = Maker(studio, studio.keep_picture(SAMPLES / "coffee.jpg"), patch)
        two = [maker.clip(title, frames=8, width=256, height=144) for title in ("calm", "wild")]
        return studio.config.data, [*two, maker.clip("short")]


@pytest.fixture(scope="module")
def window(made: tuple[Path, list[Clip]], chromium: Any) -> Iterator[Window]:
    with Window(made[0]) as opened:
        yield opened


@pytest.fixture(scope="module")
def clips(made: tuple[Path, list[Clip]]) -> list[Clip]:
    return made[1]


def choose(page: StudioPage, button: str, entry: str) -> None:
    """Open one of the clip's menus and press what it offers."""
    page.page.click(button)
    page.page.click(f".menu button:has-text('{entry}')")


@pytest.mark.slow
def test_a_clip_goes_on_and_becomes_one_longer_clip(open_page: OpenPage, window: Window, clips: list[Clip]) -> None:
    page = open_page()
    page.page.click(f".recent button[data-clip='{clips[2].id}']")
    page.page.evaluate("document.activeElement.blur()")
    page.page.keyboard.press("4")
    page.wait_until(lambda: window.studio.clips.get(clips[2].id).rating == 4)  # type: ignore[union-attr]
    choose(page, ".clip [data-result=longer]", "From its end")
    page.page.wait_for_selector(".recalled:has-text('goes on from its end')")
    page.generate()
    page.wait_until(lambda: window.studio.clips.newest(1)[0].rendered.settings.parts == 2)
    assert window.studio.clips.newest(1)[0].rendered.frames == 3, "a part's first frame is the last one before"


def test_a_frame_is_saved_and_begins_the_next_clip(open_page: OpenPage, clips: list[Clip], tmp_path: Path) -> None:
    page = open_page()
    page.page.click(f".recent button[data-clip='{clips[1].id}']")
    page.page.wait_for_function("document.querySelector('.player').currentTime > 0")
    page.page.click(".clip [data-result=frame]")
    shown = int(page.text(".counter").split()[1])
    with page.page.expect_download() as download:
        page.page.click(f".menu button:has-text('Save frame {shown} ')")
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    frame = list(read_frames(clips[1].rendered.path))[shown - 1]
    assert Image.open(saved).tobytes() == frame.tobytes()
    choose(page, ".clip [data-result=frame]", "Start a new clip")
    page.page.wait_for_selector(f".recalled:has-text('wild, frame {shown}')")
    page.page.click("[data-recalled=back]")
    page.page.wait_for_selector(".samples [aria-pressed=true]")


@pytest.mark.slow
def test_it_is_taken_along_in_another_shape(open_page: OpenPage, clips: list[Clip], tmp_path: Path) -> None:
    page = open_page()
    page.page.click(f".recent button[data-clip='{clips[0].id}']")
    with page.page.expect_download() as download:
        choose(page, ".clip [data-result=as]", "1080 × 1080")
        page.page.wait_for_selector(".clip .as[aria-busy]")
    upright = tmp_path / "square.mp4"
    download.value.save_as(upright)
    assert (probe(upright).frames, probe(upright).width, probe(upright).height) == (8, 1080, 1080)
    page.page.wait_for_selector(".clip .as:not([aria-busy])")


@pytest.mark.usefixtures("clips")
def test_a_finished_clip_is_seen_against_itself_before(open_page: OpenPage, window: Window) -> None:
    with pytest.MonkeyPatch.context() as patch:
        maker = Maker(window.studio, window.studio.keep_picture(SAMPLES / "coffee.jpg"), patch)
        clip = maker.clip("sharp", frames=4, width=256, height=144, finish={"sharpen": 1.0, "smooth": 2})
    page = open_page()
    page.page.click(f".recent button[data-clip='{clip.id}']")
    page.page.click(".clip [data-result=before]")
    page.page.wait_for_selector(".wipe-left:has-text('Before finishing')")
    page.page.wait_for_function("[...document.querySelectorAll('.wipe video')].every(video => video.currentTime > 0)")
    page.page.keyboard.press("Space")
    assert page.text(".wipe-counter").endswith("of 8"), "stepped by the frames of the one that has more"
    shown = page.page.evaluate("[...document.querySelectorAll('.wipe video')].map(video => video.src)")
    assert [address.rpartition("/media/")[2] for address in shown] == [f"{clip.id}/before", clip.id]
    page.page.keyboard.press("Escape")
    page.page.click(".recent li:last-child button")
    page.page.wait_for_selector(".clip [data-result=before]", state="hidden")


def test_two_clips_are_seen_under_one_edge(open_page: OpenPage, window: Window, clips: list[Clip]) -> None:
    window.studio.clips.rate(clips[0].id, 5)
    page = open_page()
    page.page.click(".rooms [data-room=gallery]")
    page.page.select_option(".gallery-order", "best")
    page.page.wait_for_function("document.querySelector('.gallery-title')?.textContent === 'calm'")
    page.page.click(f"[data-clip='{clips[0].id}'] .gallery-open")
    page.page.click(".gallery-detail [data-wipe=with]")
    page.page.click(f"[data-clip='{clips[1].id}'] .gallery-open")
    page.page.wait_for_function("[...document.querySelectorAll('.wipe video')].every(video => video.currentTime > 0)")
    page.page.keyboard.press("Space")
    page.page.click(".wipe [data-wipe=on]")
    page.page.wait_for_function(
        "(() => { const [one, other] = document.querySelectorAll('.wipe video');"
        " return one.paused && other.paused && !one.seeking && one.currentTime === other.currentTime; })()"
    )
    page.page.focus(".wipe-edge")
    page.page.keyboard.press("ArrowRight")
    assert page.page.evaluate("document.querySelector('.wipe-screen').style.getPropertyValue('--edge')") == "51%"
    page.page.keyboard.press("Escape")
    page.page.wait_for_selector(".wipe:not([open])", state="attached")
