"""What Gradio sees of the environment."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from svd_studio.api.environment import clean_environment
from svd_studio.core.config import StudioConfig

CONFIG = StudioConfig(Path("/data"))


def test_variables_of_gradio_that_we_did_not_set_are_gone() -> None:
    given = {"GRADIO_ALLOWED_PATHS": "/", "GRADIO_SHARE": "true", "gradio_root_path": "/x", "GRADIO_TEMP_DIR": "/tmp"}
    cleaned = clean_environment(given | {"PATH": "/bin", "HF_ENDPOINT": "https://mirror"}, CONFIG)
    assert {name for name in cleaned if name.upper().startswith("GRADIO_")} == {
        "GRADIO_TEMP_DIR",
        "GRADIO_ANALYTICS_ENABLED",
    }
    assert cleaned["GRADIO_TEMP_DIR"] == str(CONFIG.uploads)
    assert cleaned["PATH"] == "/bin"
    assert cleaned["HF_ENDPOINT"] == "https://mirror"


def test_nobody_is_told_that_the_studio_runs() -> None:
    cleaned = clean_environment({"GRADIO_ANALYTICS_ENABLED": "True", "DO_NOT_TRACK": "0"}, CONFIG)
    assert cleaned["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert cleaned["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert cleaned["DO_NOT_TRACK"] == "1"


@pytest.mark.parametrize(
    ("given", "around"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "intra.example"}, "intra.example,127.0.0.1,localhost,::1"),
        ({"no_proxy": "a, b", "NO_PROXY": "b,localhost"}, "a,b,localhost,127.0.0.1,::1"),
        ({"no_proxy": "*"}, "*,127.0.0.1,localhost,::1"),
    ],
)
def test_no_proxy_is_asked_for_our_own_page(given: dict[str, str], around: str) -> None:
    cleaned = clean_environment(given | {"HTTP_PROXY": "http://proxy:3128"}, CONFIG)
    assert cleaned["NO_PROXY"] == cleaned["no_proxy"] == around
    assert cleaned["HTTP_PROXY"] == "http://proxy:3128"


def test_what_was_given_is_left_as_it_was() -> None:
    given = {"GRADIO_SHARE": "true"}
    clean_environment(given, CONFIG)
    assert given == {"GRADIO_SHARE": "true"}


OPENED = """
import sys, threading
from pathlib import Path
from svd_studio.api import give_back_large_blocks
from svd_studio.core.clip import ClipSettings
from svd_studio.engines.catalog import ENGINES
from svd_studio.host import used_memory_gb
from svd_studio.ui.picture_box import framed
give_back_large_blocks()
before = used_memory_gb()
made = ClipSettings(engine="svd-nano").resolve(ENGINES["svd-nano"]).settings
threads = [threading.Thread(target=framed, args=(Path(sys.argv[1]), made, "en")) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(used_memory_gb() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc keeps what others give back")
def test_what_large_pictures_took_goes_back_to_the_system(tmp_path: Path) -> None:
    Image.new("RGB", (5000, 4900)).save(tmp_path / "large.png", compress_level=1)
    run = [sys.executable, "-c", OPENED, str(tmp_path / "large.png")]
    kept_gb = float(subprocess.run(run, capture_output=True, text=True, check=True, timeout=120).stdout)
    assert kept_gb < 0.15, "one of them takes 0.1, and eight threads kept 0.3"
