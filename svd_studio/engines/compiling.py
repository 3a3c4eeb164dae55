"""torch.compile for the UNet's blocks: kernels that torch launches one by one become one.

Compiling takes a minute for each shape, so nobody waits for it: the first clip of a shape runs as it is, and its blocks
are compiled while nothing else waits. Off by itself when it fails, for then there is no compiler on this machine.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import torch
from diffusers import UNetSpatioTemporalConditionModel
from diffusers.models.attention import BasicTransformerBlock, TemporalBasicTransformerBlock
from diffusers.models.resnet import SpatioTemporalResBlock
from torch import nn

from svd_studio.core.errors import Cancelled, OutOfMemory

log = logging.getLogger(__name__)

BLOCKS = (BasicTransformerBlock, TemporalBasicTransformerBlock, SpatioTemporalResBlock)
"""54 in SVD's UNet, of 12 kinds."""

KINDS = 64
"""Graphs that torch keeps of one piece of code: 12 kinds, for some shapes."""

Shape = tuple[int, ...]


class CompiledBlocks:
    """The compiled forms of a UNet's blocks, by the shape of what it is asked."""

    def __init__(self, unet: UNetSpatioTemporalConditionModel, usable: bool, backend: str = "inductor") -> None:
        self.unet, self.usable, self.backend = unet, usable, backend
        self.ready: set[Shape] = set()
        self._compiled: dict[nn.Module, Callable[..., object]] = {}

    @contextmanager
    def used_for(self, shape: Shape) -> Iterator[bool]:
        """Use compiled blocks where they are ready for this shape; tells whether they are."""
        ready = self.usable and shape in self.ready
        if ready:
            self._switch_on()
        try:
            yield ready
        finally:
            self._switch_off()

    def warm(self, shape: Shape, ask: Callable[[], object]) -> None:
        """Compile what one question needs; does nothing when it is done already. Raises Cancelled, OutOfMemory."""
        if shape in self.ready or not self.usable:
            return
        self._switch_on()
        try:
            ask()
            self.ready.add(shape)
        except (Cancelled, OutOfMemory, torch.OutOfMemoryError):
            raise
        except Exception:  # a compiler may fail in any way, and clips are made without it
            log.exception("torch.compile failed")
            self.give_up()
        finally:
            self._switch_off()

    def give_up(self) -> None:
        """Go on without, and never try again in this process."""
        self.usable = False
        self._switch_off()

    def forget(self) -> None:
        """Let go of what was compiled, which would hold on to weights that are freed."""
        if self._compiled:
            self._compiled.clear()
            torch._dynamo.reset()

    def _switch_on(self) -> None:
        torch._dynamo.config.cache_size_limit = KINDS
        for block in _blocks(self.unet):
            if block not in self._compiled:
                self._compiled[block] = torch.compile(block._call_impl, backend=self.backend, dynamic=False)
            block._compiled_call_impl = self._compiled[block]

    def _switch_off(self) -> None:
        for block in self._compiled:
            block._compiled_call_impl = None


@contextmanager
def counting_in_half(wanted: bool) -> Iterator[None]:
    """Let matrix products add up in fp16, which GeForce cards do twice as fast and a little coarser."""
    matmul = torch.backends.cuda.matmul
    before = matmul.allow_fp16_accumulation
    matmul.allow_fp16_accumulation = wanted
    try:
        yield
    finally:
        matmul.allow_fp16_accumulation = before


def can_compile() -> bool:
    """Whether torch finds what it writes kernels with for a card; on Windows it has to be added by hand."""
    return find_spec("triton") is not None


def _blocks(unet: UNetSpatioTemporalConditionModel) -> Iterator[nn.Module]:
    """All but the outermost one, which is listened to while deep features are used again."""
    last = unet.up_blocks[-1].resnets[-1]
    return (module for module in unet.modules() if isinstance(module, BLOCKS) and module is not last)
