"""The heat verb as somebody types it: it shows, changes and forgets the limits, and refuses what is none."""

import json
from pathlib import Path
from typing import Any

import pytest

from svd_studio.cli import main
from svd_studio.core.config import StudioConfig
from svd_studio.gpu.thermal import HeatLimits
from svd_studio.studio import Studio


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> tuple[int, str, str]:
        code = main(["heat", *words, "--data", str(tmp_path)])
        done = capsys.readouterr()
        return code, done.out, done.err

    return run


def kept(tmp_path: Path) -> HeatLimits:
    return Studio(StudioConfig(tmp_path)).heat.limits()


def test_it_shows_changes_and_forgets(run: Any, tmp_path: Path) -> None:
    code, said, _ = run()
    assert code == 0
    assert "rest from 87 until 78" in said
    assert "from 85 until 70" in run("--warn", "80", "--rest", "85", "--cool", "70")[1]
    assert kept(tmp_path) == HeatLimits(warn_c=80, rest_c=85, cool_c=70)
    told = json.loads(run("--memory-stop", "102", "--json")[1])
    assert (told["rest_c"], told["memory_stop_c"]) == (85, 102)
    run("--reset")
    assert kept(tmp_path) == HeatLimits()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--memory-rest", "200"], "memory rest is a whole number of °C from 60 to 110"),
        (["--rest", "80"], "have to rise"),
        (["--rest", "warm"], "warm"),
    ],
)
def test_what_is_no_limit_is_one_sentence(run: Any, tmp_path: Path, words: list[str], said: str) -> None:
    code, out, error = run(*words)
    assert (code, out) == (2, "")
    assert said in error
    assert kept(tmp_path) == HeatLimits()
