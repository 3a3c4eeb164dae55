"""The attention that is used is the fastest that works and says the same."""

import time

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from svd_studio.engines import attention
from svd_studio.engines.attention import fastest, pick_attention

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "TOKENS", 64)


def slow(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    time.sleep(0.05)
    return scaled_dot_product_attention(query, key, value)


def dead(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    raise NotImplementedError("no operator found")


def wrong(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return torch.zeros_like(query)


def test_a_faster_one_is_taken() -> None:
    assert fastest({"torch": slow, "other": scaled_dot_product_attention}, CPU, torch.float32) is (
        scaled_dot_product_attention
    )


@pytest.mark.parametrize("other", [dead, wrong])
def test_one_that_fails_or_says_something_else_is_not(other: attention.Attend) -> None:
    assert fastest({"torch": slow, "other": other}, CPU, torch.float32) is slow


def test_one_that_is_no_faster_is_not() -> None:
    assert fastest({"torch": scaled_dot_product_attention, "other": slow}, CPU, torch.float32) is (
        scaled_dot_product_attention
    )


def test_a_processor_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "fastest", dead)
    assert pick_attention(CPU, torch.float32) is scaled_dot_product_attention


def test_xformers_is_asked_where_it_is_installed() -> None:
    for attend in attention._others().values():
        query = torch.randn(1, 2, 8, 16)
        try:
            found = attend(query, query, query)
        except NotImplementedError:
            continue  # built for another CUDA
        assert torch.allclose(found, scaled_dot_product_attention(query, query, query), atol=1e-4)
