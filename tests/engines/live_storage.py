"""Counts the bytes that a network holds at once, without computing anything: the meta device has shapes only."""

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def attend(query: Tensor, key: Tensor, value: Tensor, **_: Any) -> Tensor:
    """Stand in for fused attention, which needs its output alone; on the meta device torch would pick another."""
    return torch.empty_like(query)


def most_live(models: Sequence[nn.Module], run: Callable[[], Any]) -> int:
    """The most bytes of activations that live at once while it runs; what is only a view counts once."""
    with torch.no_grad(), _Tracker(models) as tracker:
        run()
    return tracker.most


class _Tracker(TorchDispatchMode):
    def __init__(self, models: Sequence[nn.Module]) -> None:
        super().__init__()
        self.live = self.most = 0
        self.known = {weight.untyped_storage()._cdata: 0 for model in models for weight in model.parameters()}

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key not in self.known:
            self.known[key] = size
            self.live += size
            self.most = max(self.most, self.live)
            weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self.live -= size
        self.known.pop(key, None)
