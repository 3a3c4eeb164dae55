"""The real pynvml, in a child process, reads cards that the test writes."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from svd_studio.gpu import telemetry
from svd_studio.gpu.computer import process_seconds
from svd_studio.gpu.telemetry import HISTORY_LENGTH, Telemetry
from svd_studio.ui.texts import say
from tests.gpu.scripted_card import (
    BUSY,
    DRIVER_NOT_LOADED,
    GPU_IS_LOST,
    HOT,
    IDLE,
    LIBRARY,
    THROTTLED,
    VERSION_MISMATCH,
    NvmlError,
    ScriptedCard,
    build,
)

READER = """
import dataclasses, json, sys
from svd_studio.gpu.telemetry import Telemetry
pids = set()
telemetry = Telemetry(lambda: pids, retry_s=float(sys.argv[1]))
for line in sys.stdin:
    pids = set(json.loads(line))
    print(json.dumps(dataclasses.asdict(telemetry.sample())), flush=True)
assert "torch" not in sys.modules
"""


class Reader:
    """A child process that samples when asked."""

    def __init__(self, environment: dict[str, str], retry_s: float = 0.0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", READER, str(retry_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )

    def sample(self, *pids: int) -> SimpleNamespace:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(pids) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline(), object_hook=lambda values: SimpleNamespace(**values))

    def close(self) -> None:
        self.process.communicate(timeout=10)
        assert self.process.returncode == 0


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("driver"))


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory, library: Path) -> ScriptedCard:
    return ScriptedCard(tmp_path_factory.mktemp("card"), library)


@pytest.fixture(scope="module")
def running(scripted: ScriptedCard) -> Iterator[Reader]:
    child = Reader(scripted.environment())
    yield child
    child.close()


@pytest.fixture
def card(scripted: ScriptedCard) -> ScriptedCard:
    """An idle card."""
    scripted.set()
    return scripted


@pytest.fixture
def reader(running: Reader, card: ScriptedCard) -> Reader:
    """One process for all tests, which goes from trouble to trouble without a restart."""
    assert running.sample().state == "ok"
    return running


@pytest.fixture
def fresh(card: ScriptedCard) -> Iterator[Reader]:
    """A process that has not asked the driver yet."""
    child = Reader(card.environment())
    yield child
    child.close()


def only(snapshot: SimpleNamespace) -> Any:
    (card,) = snapshot.cards
    return card


def test_an_idle_card_is_read_in_full(card: ScriptedCard, reader: Reader) -> None:
    snapshot = reader.sample()
    assert (snapshot.state, snapshot.problem) == ("ok", None)
    assert (snapshot.driver, snapshot.cuda) == ("580.95.05", [13, 0])
    seen = only(snapshot)
    assert abs(seen.when - time.time()) < 5
    assert vars(seen) == {
        "index": 0,
        "name": "NVIDIA GeForce RTX 4090",
        "uuid": "GPU-4090",
        "total_gb": 24.0,
        "used_gb": 0.5,
        "free_gb": 23.5,
        "studio_gb": 0.0,
        "load_percent": 0,
        "temperature_c": 38,
        "memory_temperature_c": 44,
        "power_w": 22.5,
        "power_limit_w": 450.0,
        "throttle": [],
        "compute": [8, 9],
        "when": seen.when,
    }


def test_a_running_reader_sees_the_card_get_busy_hot_and_slow(card: ScriptedCard, reader: Reader) -> None:
    card.set([BUSY])
    seen = only(reader.sample())
    assert (seen.load_percent, seen.used_gb, seen.power_w, seen.throttle) == (99, 15.0, 430.0, [])
    card.set([HOT])
    seen = only(reader.sample())
    assert (seen.temperature_c, seen.memory_temperature_c, seen.throttle) == (84, 98, [])
    card.set([THROTTLED])
    assert only(reader.sample()).throttle == ["thermal", "power_cap"]
    card.set([BUSY | {"throttle": ["hardware", "power_brake"]}])
    assert only(reader.sample()).throttle == ["power_brake"], "the slowdown bit only repeats its cause"
    card.set([BUSY | {"throttle": ["hardware"]}])
    assert only(reader.sample()).throttle == ["hardware"]


def test_the_studios_share_is_told_from_what_others_hold(card: ScriptedCard, reader: Reader) -> None:
    card.set([BUSY | {"processes": {4711: 9.5, 4712: 0.5, 99: 3.0}}])
    assert only(reader.sample(4711, 4712)).studio_gb == 10.0
    assert only(reader.sample()).studio_gb == 0.0, "no worker holds nothing"


@pytest.mark.parametrize("processes", [{4711: None, 99: 3.0}, {99: 3.0}, {}, None])
def test_a_share_that_windows_or_a_container_hides_is_unknown(
    card: ScriptedCard, reader: Reader, processes: dict[int, float | None] | None
) -> None:
    card.set([BUSY | {"processes": processes}])
    assert only(reader.sample(4711)).studio_gb is None


def test_two_cards_are_told_apart_and_one_can_be_lost_alone(card: ScriptedCard, reader: Reader) -> None:
    second = HOT | {"name": "NVIDIA GeForce RTX 3060", "uuid": "GPU-3060", "total_gb": 12.0, "used_gb": 1.0}
    card.set([IDLE, second])
    snapshot = reader.sample()
    assert [(seen.index, seen.uuid, seen.total_gb) for seen in snapshot.cards] == [
        (0, "GPU-4090", 24.0),
        (1, "GPU-3060", 12.0),
    ]
    card.set([IDLE | {"lost": True}, second])
    snapshot = reader.sample()
    assert (snapshot.state, [seen.uuid for seen in snapshot.cards]) == ("lost", ["GPU-3060"])


UNSUPPORTED = sorted(IDLE.keys() - {"lost"})


@pytest.mark.parametrize("reading", UNSUPPORTED)
def test_a_reading_that_the_card_does_not_know_is_missing_alone(
    card: ScriptedCard, reader: Reader, reading: str
) -> None:
    whole = vars(only(reader.sample(4711)))
    card.set([IDLE | {reading: None}])
    snapshot = reader.sample(4711)
    assert snapshot.state == "ok"
    seen = only(snapshot)
    assert vars(seen).get(reading) in (None, [], "NVIDIA")
    changed = {key for key, value in vars(seen).items() if value != whole[key]}
    with_total = {"total_gb", "used_gb", "free_gb"}  # the driver tells them in one answer
    silent = {"throttle", "processes"}  # none is also what an idle card says
    assert changed - {"when"} == (with_total if reading in with_total else {reading} - silent)


def test_a_lost_card_comes_back_without_a_restart(card: ScriptedCard, reader: Reader) -> None:
    assert reader.sample().state == "ok"
    card.set([{"lost": True}])
    for _ in range(3):
        snapshot = reader.sample()
        assert (snapshot.state, snapshot.cards, snapshot.problem.code) == ("lost", [], "card.lost")
    card.set()
    assert reader.sample().state == "ok"


def test_a_card_that_is_lost_between_two_readings_is_lost(card: ScriptedCard, reader: Reader) -> None:
    card.set([{"temperature_c": NvmlError(GPU_IS_LOST)}])
    snapshot = reader.sample()
    assert (snapshot.state, snapshot.cards) == ("lost", [])
    card.set([{"temperature_c": NvmlError(999)}])
    assert only(reader.sample()).temperature_c is None


def test_a_driver_that_leaves_while_it_starts_is_no_driver(card: ScriptedCard, fresh: Reader) -> None:
    card.set(driver=NvmlError(DRIVER_NOT_LOADED))
    snapshot = fresh.sample()
    assert (snapshot.state, snapshot.problem.code) == ("no_driver", "card.driver_failed")
    card.set()
    assert fresh.sample().state == "ok"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DRIVER_NOT_LOADED, "card.driver_not_loaded"),
        (VERSION_MISMATCH, "card.driver_mismatch"),
        (999, "card.driver_failed"),
    ],
)
def test_a_driver_that_does_not_start_is_named_and_asked_again(
    card: ScriptedCard, fresh: Reader, error: int, code: str
) -> None:
    card.set(init_error=error)
    snapshot = fresh.sample()
    assert (snapshot.state, snapshot.cards, snapshot.driver) == ("no_driver", [], None)
    assert vars(snapshot.problem.values) == {"number": error}
    assert snapshot.problem.code == code
    card.set()
    assert fresh.sample().state == "ok"


def test_a_driver_without_a_card_is_its_own_state(card: ScriptedCard, reader: Reader) -> None:
    card.set([])
    snapshot = reader.sample()
    assert (snapshot.state, snapshot.problem.code, snapshot.driver) == ("no_card", "card.none", "580.95.05")
    card.set()
    assert reader.sample().state == "ok"


def test_a_name_in_no_alphabet_does_not_lose_the_card(card: ScriptedCard, reader: Reader) -> None:
    card.set([{"name": "\udcff\udcfe"}])
    assert only(reader.sample()).name == "NVIDIA"


def test_a_missing_driver_is_found_after_it_was_installed(tmp_path: Path, library: Path) -> None:
    folder = tmp_path / "driver"
    folder.mkdir()
    broken = folder / LIBRARY
    broken.write_bytes(b"")  # an empty file also hides a real driver of this machine
    card = ScriptedCard(tmp_path, broken)
    child = Reader(card.environment())
    snapshot = child.sample()
    assert (snapshot.state, snapshot.problem.code) == ("no_driver", "card.no_driver")
    broken.unlink()
    broken.symlink_to(library)
    assert child.sample().state == "ok"
    child.close()


def test_a_dead_driver_is_not_asked_at_every_sample(card: ScriptedCard) -> None:
    card.set(init_error=DRIVER_NOT_LOADED)
    child = Reader(card.environment(), retry_s=0.4)
    assert child.sample().state == "no_driver"
    card.set()
    assert child.sample().state == "no_driver", "still resting"
    deadline = time.monotonic() + 5
    while child.sample().state != "ok":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child.close()


def test_without_pynvml_the_studio_still_knows_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    snapshot = Telemetry().sample()
    assert (snapshot.state, snapshot.problem.code) == ("no_driver", "card.no_reader")
    assert 0 < snapshot.machine.ram_free_gb < snapshot.machine.ram_total_gb


def test_the_processor_load_is_since_the_sample_before(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([(10.0, 100.0), (13.0, 104.0), (13.0, 104.0)])
    monkeypatch.setattr(telemetry, "cpu_seconds", lambda: next(seconds))
    gauge = Telemetry()
    assert [gauge.sample().machine.cpu_percent for _ in range(3)] == [None, 75.0, None]


def test_what_our_own_processes_compute_is_told_apart() -> None:
    if process_seconds(os.getpid()) is None:
        pytest.skip("this system does not tell")
    gauge = Telemetry()
    assert gauge.sample().machine.studio_cpu_percent is None
    sum(range(6_000_000))
    machine = gauge.sample().machine
    assert machine.studio_cpu_percent is not None
    assert machine.cpu_percent is not None
    assert 0 < machine.studio_cpu_percent <= 100
    assert process_seconds(2**22 + 1) is None, "no such process"


def test_the_real_processor_load_is_a_percentage() -> None:
    gauge = Telemetry()
    gauge.sample()
    sum(range(3_000_000))
    percent = gauge.sample().machine.cpu_percent
    assert percent is not None
    assert 0 < percent <= 100


def test_the_thread_keeps_ten_minutes_and_stops() -> None:
    gauge = Telemetry(every_s=0.0)
    assert gauge.history() == ()
    gauge.start()
    gauge.start()
    assert sum(thread.name == "telemetry" for thread in threading.enumerate()) == 1
    deadline = time.monotonic() + 8
    while len(gauge.history()) < HISTORY_LENGTH:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    oldest = gauge.history()[0]
    while gauge.history()[0] is oldest:
        assert time.monotonic() < deadline
    gauge.stop()
    assert len(gauge.history()) == HISTORY_LENGTH
    assert not any(thread.name == "telemetry" for thread in threading.enumerate())
    newest = gauge.latest()
    assert newest is gauge.history()[-1]
    time.sleep(0.02)
    assert gauge.latest() is newest


def test_every_trouble_with_a_card_has_words_in_both_languages() -> None:
    codes = ["no_driver", "driver_not_loaded", "driver_mismatch", "driver_failed", "no_reader", "none", "lost"]
    for code in codes:
        for language in ("en", "zh-CN"):
            assert say(telemetry.Message(f"card.{code}", {"number": 999}), language)
