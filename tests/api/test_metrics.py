"""/metrics as Prometheus reads it."""

import re
from pathlib import Path

import pytest

from svd_studio.api.metrics import metrics
from svd_studio.core.clip import ClipRequest, ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.engines.catalog import engine_info
from svd_studio.gpu.telemetry import CardSample, MachineSample, Snapshot, Telemetry
from svd_studio.studio import Studio
from tests.api.window import Window, ask, keep_clip

CARD = CardSample(
    index=0,
    name='RTX "4090"\\\n',
    uuid="GPU-1",
    total_gb=24.0,
    used_gb=15.5,
    free_gb=8.5,
    studio_gb=None,
    load_percent=99,
    temperature_c=67,
    memory_temperature_c=None,
    power_w=430.5,
    power_limit_w=450.0,
    throttle=("thermal",),
    compute=(8, 9),
    when=0.0,
)
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)')


class OneCard(Telemetry):
    """A machine with a busy card."""

    def latest(self) -> Snapshot:
        return Snapshot((CARD,), MachineSample(64.0, 32.0, 10.0), "ok", None, "580", (13, 0), 0.0)


def parse(text: str) -> dict[str, float]:
    """Read the exposition format strictly: HELP, then TYPE, then samples of that name, each once."""
    found: dict[str, float] = {}
    described: list[str] = []
    current = ""
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            current = line.split(" ")[2]
            assert current not in described
            assert len(line.split(" ", 3)[3]) > 10
            described.append(current)
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {current} gauge"
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] == current
            name = f"{match[1]}{{{match[2]}}}" if match[2] else match[1]
            assert name not in found
            found[name] = float(match[3])
    return found


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(StudioConfig(tmp_path / "data"))


def test_the_parser_of_these_tests_finds_mistakes() -> None:
    with pytest.raises(AssertionError):
        parse('# HELP a A long enough text.\n# TYPE a gauge\na{b="c"d"} 1\n')


def test_jobs_are_counted_by_status(studio: Studio) -> None:
    settings = ClipSettings(seed=1).resolve(engine_info("svd-nano")).settings
    for _ in range(3):
        studio.queue.add(ClipRequest(settings, Path("a.png")), "a", "owner")
    studio.cancel(1)
    found = parse(metrics(studio, OneCard()))
    assert found['svd_studio_jobs{status="queued"}'] == 2
    assert found['svd_studio_jobs{status="cancelled"}'] == 1
    assert found['svd_studio_jobs{status="failed"}'] == 0


def test_seconds_are_summed_over_the_clips(studio: Studio, clip_file: Path) -> None:
    for number in range(3):
        keep_clip(studio, clip_file, f"{number}.mp4")
    found = parse(metrics(studio, OneCard()))
    assert found['svd_studio_stage_seconds{stage="denoise"}'] == 7.5
    assert found['svd_studio_stage_seconds{stage="decode"}'] == 4.5


def test_the_card_is_told_in_base_units_and_unknown_figures_are_left_out(studio: Studio) -> None:
    found = parse(metrics(studio, OneCard()))
    card = 'card="0",name="RTX \\"4090\\"\\\\\\n"'
    assert found[f'svd_studio_card_memory_bytes{{{card},kind="used"}}'] == 15.5 * 1024**3
    assert found[f"svd_studio_card_temperature_celsius{{{card}}}"] == 67
    assert found[f"svd_studio_card_power_watts{{{card}}}"] == 430.5
    assert found[f'svd_studio_card_throttled{{{card},reason="thermal"}}'] == 1
    assert found['svd_studio_machine_memory_bytes{kind="free"}'] == 32 * 1024**3
    assert not any("memory_temperature" in name or 'kind="studio"' in name for name in found)


def test_the_route_answers_in_the_text_form(window: Window) -> None:
    answer = ask(window, path="/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert parse(answer.text)['svd_studio_stage_seconds{stage="denoise"}'] == 2.5
