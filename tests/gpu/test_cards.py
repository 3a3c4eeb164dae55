"""Which cards get a worker: all that are worth one, only those that a person allows, and never none."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from svd_studio.gpu.cards import ANYWHERE, Card, rendering_cards
from svd_studio.gpu.fit import freest
from svd_studio.gpu.nvml import CardSample
from tests.gpu.scripted_card import ScriptedCard


def sample(index: int, total_gb: float | None = 24.0, free_gb: float | None = 20.0, **other: Any) -> CardSample:
    known = dict.fromkeys(CardSample.__dataclass_fields__)
    values = {"index": index, "name": "a card", "uuid": f"GPU-{index}{index}", "throttle": (), "when": 0.0}
    return CardSample(**{**known, **values, "total_gb": total_gb, "free_gb": free_gb, **other})


TWO = (sample(0), sample(1))


@pytest.mark.parametrize(
    ("cards", "allowed", "wanted"),
    [
        ((), None, ANYWHERE),
        (TWO[:1], None, [Card(0)]),
        (TWO, None, [Card(0, "GPU-00"), Card(1, "GPU-11")]),
        (TWO, "1", [Card(1)]),
        (TWO, "1,0", [Card(0, "GPU-00"), Card(1, "GPU-11")]),
        (TWO, "GPU-1", [Card(1)]),
        (TWO, "", ANYWHERE),
        (TWO, "-1", ANYWHERE),
        ((sample(0, uuid=None), sample(1, uuid=None)), None, [Card(0, "0"), Card(1, "1")]),
        ((sample(0, total_gb=2), sample(1)), None, [Card(1, "GPU-11")]),
        ((sample(0, total_gb=16), sample(1)), None, [Card(0, "GPU-00"), Card(1, "GPU-11")]),
        ((sample(0, total_gb=None), sample(1, total_gb=None)), None, [Card(0, "GPU-00"), Card(1, "GPU-11")]),
    ],
)
def test_each_card_that_is_worth_it_gets_a_worker(
    cards: Sequence[CardSample], allowed: str | None, wanted: Sequence[Card]
) -> None:
    assert rendering_cards(cards, allowed) == tuple(wanted)


def test_one_of_several_is_shown_alone_and_the_only_one_as_ever() -> None:
    shown = {"CUDA_VISIBLE_DEVICES": "GPU-11", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert Card(1, "GPU-11").environment() == shown
    assert Card(1).environment() == {}


def test_the_freest_card_is_found_also_where_the_driver_does_not_tell_whose_memory_it_is() -> None:
    assert freest([sample(0, free_gb=3), sample(1, free_gb=8)], {}) == sample(1, free_gb=8)
    assert freest([sample(0, free_gb=3), sample(1, free_gb=8)], {0: 12.0}) == sample(0, free_gb=3)
    assert freest([], {}) is None


def test_the_studio_counts_what_the_driver_tells(tmp_path: Path) -> None:
    card = ScriptedCard(tmp_path)
    script = (
        "import json, dataclasses; from svd_studio.jobs import place\n"
        "place.torch_has_cuda = lambda: True\n"
        "print(json.dumps([dataclasses.asdict(card) for card in place.cards_here()]))"
    )

    def counted() -> list[dict[str, Any]]:
        told = subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, **card.environment()}, capture_output=True, check=True
        )
        return json.loads(told.stdout)  # type: ignore[no-any-return]

    assert counted() == [{"index": 0, "visible": None}]
    card.set(cards=[{"uuid": "GPU-a"}, {"uuid": "GPU-b"}])
    assert counted() == [{"index": 0, "visible": "GPU-a"}, {"index": 1, "visible": "GPU-b"}]
