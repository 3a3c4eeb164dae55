"""Forty values that no field should get, given to every field of the API: a sentence, and nothing for the worker."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from svd_studio.core.config import StudioConfig
from svd_studio.host import private_folder
from svd_studio.studio import Studio
from svd_studio.ui.endpoints import Endpoints

NO_NUMBERS: list[Any] = [
    *(float("nan"), float("inf"), -float("inf"), True, False, 10**400, -(10**400), 2**63, -(2**63), 1e308, -1e308),
    *([], [7], [[7]], {}, {"value": 7}, {"__proto__": 1}, [None], [[], {}], {"0": 7}, [True]),
    *("7", "", " 7 ", "7.0", "1e3", "NaN", "Infinity", "0x10", "1_000", "٧", "７", "-7", "true", "null", "undefined"),
    *(
        "\0",
        "\ud800",
        "7\0",
        "'; DROP TABLE jobs; --",
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "%s%n",
        "x" * 5_000_000,
    ),
]
NO_WORDS: list[Any] = [
    *(value for value in NO_NUMBERS if not isinstance(value, str)),
    *("\0", "a\0b", "\ud800", "\udfff", "a\ud83d", "\x07", "\x1b[31m", "\x7f", "\x9b", "\u0378", "\U000e0fff"),
    *("\uffff", "\U0010ffff", "x" * 2001, "x" * 5_000_000, "海" * 2001, "\r\0\n", "\x00" * 9, "ok\x1e", "\ufdd0"),
]
NUMBERS = ("frames", "motion_bucket", "steps", "seed", "guidance_first", "guidance_last", "motion_fps", "image_noise")
NUMBERS += ("smooth", "fps")
CHOICES = ("engine", "preset", "shape", "fit", "scale")
WORDS = ("prompt", "negative_prompt")


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    studio = Studio(StudioConfig(tmp_path_factory.mktemp("studio")))
    private_folder(studio.config.uploads)
    Image.new("RGB", (64, 64), "teal").save(studio.config.uploads / "picture.png")
    yield Endpoints(studio)
    assert studio.queue.find() == []


@pytest.mark.parametrize("field", [*NUMBERS, *CHOICES, *WORDS])
def test_bad_values_are_refused_with_a_sentence(endpoints: Endpoints, field: str) -> None:
    values = NO_WORDS if field in WORDS else NO_NUMBERS
    assert len(values) >= 40
    for value in values:
        if field in CHOICES and value == "":
            continue  # the field was left empty
        said = refusal(endpoints, **{field: value})
        assert re.search(r"[.!)]$", said), f"{value!r:.60}: {said}"
        assert len(said) < 400, said
        assert not re.search(r"Traceback|Error\b|pydantic|Input should|object at", said), said


@pytest.mark.parametrize("picture", [None, "x", 7, [], {}, {"path": "/etc/passwd"}, {"path": None}, {"path": "\0"}])
def test_a_picture_that_was_not_uploaded_is_refused(endpoints: Endpoints, picture: Any) -> None:
    with pytest.raises(gr.Error):
        endpoints.animate(picture, SimpleNamespace(username=None))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: repr(value)[:20].encode("ascii", "replace").decode())
def test_no_bad_number_is_a_job(endpoints: Endpoints, value: Any) -> None:
    for verb in (endpoints.job, endpoints.cancel):
        with pytest.raises(gr.Error):
            verb(value, SimpleNamespace(username=None))  # type: ignore[arg-type]


def refusal(endpoints: Endpoints, **values: Any) -> str:
    picture = {"path": str(Path(endpoints.studio.config.uploads) / "picture.png")}
    with pytest.raises(gr.Error) as refused:
        endpoints.animate(picture, SimpleNamespace(username=None), **values)  # type: ignore[arg-type]
    return str(refused.value.message)
