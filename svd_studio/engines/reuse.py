"""Deep features change little from step to step: some steps renew only the outermost layer.

DeepCache (Ma et al. 2023, arXiv 2312.00858) on SVD's UNet: everything below the last layer of the last level is kept
from the last whole step. Lossy, so it belongs to the recipe (speed).
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import UNetSpatioTemporalConditionModel
from torch import Tensor, nn

HOOKS = ("forward", "_old_forward", "_hf_hook", "_diffusers_hook")
"""What offloading leaves in a model: it would send a copy's call to the model that was copied."""


class DeepFeatures:
    """Ask a UNet wholly and remember what its last layer was given, or only that layer with what is remembered."""

    def __init__(self, unet: UNetSpatioTemporalConditionModel) -> None:
        self.unet = unet
        self._kept: dict[int, Tensor] = {}
        self._seen: Tensor | None = None
        self._shallow = _outermost(unet, self._recall)
        self._rows = slice(0, 1)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Remember whole steps while this lasts; then forget everything."""
        hook = _last_layer(self.unet).register_forward_pre_hook(self._remember)
        try:
            yield
        finally:
            hook.remove()
            self._kept.clear()

    def ask(self, rows: slice, whole: bool, *inputs: Any, **told: Any) -> Tensor:
        """The network's answer for these rows of the guidance batch; wholly where nothing is remembered of one."""
        if not whole and all(row in self._kept for row in range(rows.start, rows.stop)):
            self._rows = rows
            return self._shallow(*inputs, **told)[0]  # type: ignore[no-any-return]
        answer: Tensor = self.unet(*inputs, **told)[0]
        assert self._seen is not None
        self._kept |= zip(range(rows.start, rows.stop), self._seen.chunk(rows.stop - rows.start), strict=True)
        self._seen = None
        return answer

    def _remember(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        outer = self.unet.conv_in.out_channels
        self._seen = inputs[0][:, :-outer].clone()  # the rest is the skip connection, made anew each time

    def _recall(self) -> Tensor:
        kept = [self._kept[row] for row in range(self._rows.start, self._rows.stop)]
        return kept[0] if len(kept) == 1 else torch.cat(kept)


class _Kept(nn.Module):
    """Stand in for all that lies below the last layer."""

    def __init__(self, recall: Any) -> None:
        super().__init__()
        self.recall = recall

    def forward(self, **_: Any) -> Tensor:
        return self.recall()  # type: ignore[no-any-return]


def _outermost(unet: UNetSpatioTemporalConditionModel, recall: Any) -> Any:
    """A UNet of the same modules that has only its first convolution and its last layer."""
    last = _own(unet.up_blocks[-1])
    last.resnets = last.resnets[-1:]
    if hasattr(last, "attentions"):
        last.attentions = last.attentions[-1:]
    shallow = _own(unet)
    shallow.down_blocks = nn.ModuleList()
    shallow.mid_block = _Kept(recall)
    shallow.up_blocks = nn.ModuleList([last])
    return shallow


def _own(module: nn.Module) -> Any:
    """A copy that shares the parts and can lose some of them."""
    own = copy.copy(module)
    own.__dict__ = {name: value for name, value in module.__dict__.items() if name not in HOOKS}
    own._modules = dict(module._modules)
    return own


def _last_layer(unet: UNetSpatioTemporalConditionModel) -> Any:
    return unet.up_blocks[-1].resnets[-1]
