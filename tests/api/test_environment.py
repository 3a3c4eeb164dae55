"""What Gradio sees of the environment."""

from pathlib import Path

import pytest

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
