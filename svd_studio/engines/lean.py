"""The same networks with less work: what stock diffusers computes and then throws away, or copies without need.

Every change is algebra, so frames differ only by rounding (5e-6 in fp32): the cross-attention sees one token,
whose softmax is 1; divisions are by 1.0; blends of x and x + y are x + a·y; sums and activations go where a
fresh tensor already lies; mixing over time that ends in a layer of zeros is left out, as SVD-Nano's does everywhere.
A decoder so peaks at about two thirds of its memory (tests/engines/test_lean.py).
"""

from collections.abc import Callable, Iterator, Mapping
from types import MethodType
from typing import Any

import torch
from diffusers import StableVideoDiffusionPipeline
from diffusers.models.attention import BasicTransformerBlock, TemporalBasicTransformerBlock, _chunked_feed_forward
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from diffusers.models.autoencoders.autoencoder_kl_temporal_decoder import TemporalDecoder
from diffusers.models.resnet import AlphaBlender, ResnetBlock2D, SpatioTemporalResBlock, TemporalResnetBlock
from diffusers.models.transformers.transformer_temporal import TransformerSpatioTemporalModel
from torch import Tensor, nn
from torch.nn.functional import conv2d, scaled_dot_product_attention, silu

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Query, key and value, each (batch, heads, tokens, size), to what is attended to."""


def make_lean(pipeline: StableVideoDiffusionPipeline, attend: Attend = scaled_dot_product_attention) -> None:
    """Give the UNet and the decoder their leaner forms; before hooks are set, which would be lost."""
    for model in (pipeline.unet, pipeline.vae.decoder):
        for module in model.modules():
            if type(module) in FORWARDS and _is_as_expected(module):
                module.forward = MethodType(FORWARDS[type(module)], module)
            if type(module) in LAST:
                module.is_idle = _is_zero(LAST[type(module)](module))
    for module in pipeline.unet.modules():
        if isinstance(module, Attention):
            module.set_processor(LeanAttention(attend))


def make_stock(pipeline: StableVideoDiffusionPipeline) -> None:
    """Take the leaner forms back."""
    for model in (pipeline.unet, pipeline.vae.decoder):
        for module in model.modules():
            module.__dict__.pop("forward", None)
            if isinstance(module, Attention):
                module.set_processor(AttnProcessor2_0())


class LeanAttention:
    """Self-attention without a mask, a residual or a division by one."""

    def __init__(self, attend: Attend) -> None:
        self.attend = attend

    def __call__(self, attn: Attention, hidden_states: Tensor, *_: Any, **__: Any) -> Tensor:
        query, key, value = (
            part(hidden_states).unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            for part in (attn.to_q, attn.to_k, attn.to_v)
        )
        attended: Tensor = attn.to_out[0](self.attend(query, key, value).transpose(1, 2).flatten(2))
        return attended


def _is_as_expected(module: nn.Module) -> bool:
    """Whether a module is of the kind that SVD uses; another one of its class keeps its stock form."""
    if isinstance(module, nn.Conv3d):
        return module.kernel_size == (3, 1, 1) and module.stride == (1, 1, 1) and module.padding == (1, 0, 0)
    if isinstance(module, ResnetBlock2D):
        return module.upsample is None and module.downsample is None and module.time_embedding_norm == "default"
    return True


def _is_zero(layer: nn.Module) -> bool:
    return not any(weight.is_meta or weight.any() for weight in layer.parameters())


def _told(attention: Attention, context: Tensor) -> Tensor:
    """Cross-attention to one token (n, 1, channels), which every query takes whole."""
    value: Tensor = attention.to_out[0](attention.to_v(context))
    return value


def _feed_forward(block: Any, feed: nn.Module, hidden: Tensor) -> Tensor:
    if block._chunk_size is None:
        return feed(hidden)  # type: ignore[no-any-return]
    return _chunked_feed_forward(feed, hidden, block._chunk_dim, block._chunk_size)  # type: ignore[no-any-return]


def _spatial_block(self: Any, hidden_states: Tensor, encoder_hidden_states: Tensor, **_: Any) -> Tensor:
    hidden = self.attn1(self.norm1(hidden_states)).add_(hidden_states)
    hidden += _told(self.attn2, encoder_hidden_states)
    return _feed_forward(self, self.ff, self.norm3(hidden)).add_(hidden)


def _temporal_block(self: Any, hidden_states: Tensor, num_frames: int, encoder_hidden_states: Tensor) -> Tensor:
    """`encoder_hidden_states` is (clips, 1, channels) here: one row a clip, not one a pixel."""
    places, channels = hidden_states.shape[1:]
    clips = len(encoder_hidden_states)
    hidden = hidden_states.view(clips, num_frames, places, channels).transpose(1, 2)
    hidden = hidden.reshape(clips * places, num_frames, channels)
    hidden = _feed_forward(self, self.ff_in, self.norm_in(hidden)).add_(hidden)
    if not self.is_idle:
        hidden = self.attn1(self.norm1(hidden)).add_(hidden)
    hidden.view(clips, places * num_frames, channels).add_(_told(self.attn2, encoder_hidden_states))
    hidden = _feed_forward(self, self.ff, self.norm3(hidden)).add_(hidden)
    hidden = hidden.view(clips, places, num_frames, channels).transpose(1, 2)
    return hidden.reshape(clips * num_frames, places, channels)


def _transformer(
    self: Any,
    hidden_states: Tensor,
    encoder_hidden_states: Tensor,
    image_only_indicator: Tensor,
    return_dict: bool = True,
) -> tuple[Tensor]:
    rows, channels, height, width = hidden_states.shape
    clips, frames = image_only_indicator.shape
    hidden = self.norm(hidden_states).permute(0, 2, 3, 1).reshape(rows, height * width, channels)
    hidden = self.proj_in(hidden)
    positions = _frame_positions(self, frames, hidden)
    for block, temporal_block in zip(self.transformer_blocks, self.temporal_transformer_blocks, strict=True):
        hidden = block(hidden, encoder_hidden_states=encoder_hidden_states)
        numbered = (hidden.unflatten(0, (clips, frames)) + positions).flatten(0, 1)
        context = encoder_hidden_states[::frames]
        over_time = temporal_block(numbered, num_frames=frames, encoder_hidden_states=context)
        hidden = self.time_mixer(hidden, over_time)
    hidden = self.proj_out(hidden).unflatten(1, (height, width)).permute(0, 3, 1, 2)
    return (hidden_states + hidden,)


def _frame_positions(self: Any, frames: int, like: Tensor) -> Tensor:
    """The embedding of frame numbers (frames, 1, channels), the same at every step."""
    kept = self.__dict__.setdefault("_kept_positions", {})
    key = (frames, like.dtype, like.device)
    if key not in kept:
        kept.clear()
        kept[key] = self.time_pos_embed(self.time_proj(torch.arange(frames, device=like.device)).to(like.dtype))[
            :, None
        ]
    positions: Tensor = kept[key]
    return positions


def _blend(self: Any, x_spatial: Tensor, x_temporal: Tensor, image_only_indicator: Tensor | None = None) -> Tensor:
    """Mix frames as they are alone with what they are together; of 5-D ones `x_temporal` is only what time adds."""
    share = torch.sigmoid(self.mix_factor).to(x_spatial.dtype)
    if x_spatial.ndim == 3:
        return torch.lerp(x_temporal, x_spatial, share)
    return x_spatial.addcmul_(x_temporal, share if self.switch_spatial_to_temporal_mix else 1 - share)


def _res_block(self: Any, hidden_states: Tensor, temb: Tensor, image_only_indicator: Tensor) -> Tensor:
    return _with_time(self, self.spatial_res_block(hidden_states, temb), image_only_indicator.shape[-1], temb)


def _with_time(block: Any, alone: Tensor, frames: int, temb: Tensor | None = None) -> Tensor:
    """Add to frames (clips · frames, channels, h, w), in their own memory, what a block makes of their order."""
    if block.is_idle:
        return alone
    apart, told = _by_frame(alone, frames), None if temb is None else _by_frame(temb, frames)
    over_time = block.temporal_res_block(apart.transpose(1, 2), told)
    return block.time_mixer(apart, over_time.transpose(1, 2)).flatten(0, 1)  # type: ignore[no-any-return]


def _by_frame(rows: Tensor, frames: int) -> Tensor:
    return rows.view(-1, frames, *rows.shape[1:])


def _decoder(self: Any, sample: Tensor, image_only_indicator: Tensor, num_frames: int = 1) -> Tensor:
    for step in _decoder_steps(self, num_frames):
        sample = step(sample)  # the step before is let go here, which a call within a call could not do
    over_time = self.time_conv_out(_by_frame(sample, num_frames).transpose(1, 2))
    return over_time.transpose(1, 2).flatten(0, 1)  # type: ignore[no-any-return]


def _decoder_steps(decoder: Any, frames: int) -> Iterator[Callable[[Tensor], Tensor]]:
    """Everything between latents and pixels but the last mixing over time, in pieces that each need little."""
    yield decoder.conv_in
    first, *others = decoder.mid_block.resnets
    yield from _halves(first, frames)
    for attention, block in zip(decoder.mid_block.attentions, others, strict=False):
        yield attention
        yield from _halves(block, frames)
    for level in decoder.up_blocks:
        for block in level.resnets:
            yield from _halves(block, frames)
        yield from level.upsamplers or ()
    yield lambda sample: silu(decoder.conv_norm_out(sample), inplace=True)
    yield decoder.conv_out


def _halves(block: Any, frames: int) -> Iterator[Callable[[Tensor], Tensor]]:
    yield lambda sample: block.spatial_res_block(sample, None)
    yield lambda sample: _with_time(block, sample, frames)


def _spatial_res(self: Any, input_tensor: Tensor, temb: Tensor | None = None) -> Tensor:
    hidden = self.conv1(silu(self.norm1(input_tensor), inplace=True))
    if temb is not None:
        hidden += self.time_emb_proj(silu(temb))[:, :, None, None]
    hidden = self.conv2(silu(self.norm2(hidden), inplace=True))
    kept = input_tensor if self.conv_shortcut is None else self.conv_shortcut(input_tensor)
    if self.output_scale_factor != 1.0:
        return (hidden + kept) / self.output_scale_factor  # type: ignore[no-any-return]
    return hidden.add_(kept)  # type: ignore[no-any-return]


def _temporal_res(self: Any, input_tensor: Tensor, temb: Tensor | None) -> Tensor:
    """Only what time adds: the blend adds the rest."""
    hidden = self.conv1(silu(self.norm1(input_tensor), inplace=True))
    if temb is not None:
        hidden += self.time_emb_proj(silu(temb))[:, :, :, None, None].transpose(1, 2)
    return self.conv2(silu(self.norm2(hidden), inplace=True))  # type: ignore[no-any-return]


def _over_frames(self: Any, input: Tensor) -> Tensor:
    """A convolution over frames alone, as one in two dimensions: (frames, all pixels of a frame)."""
    flat = conv2d(input.flatten(3), self.weight[..., 0], self.bias, padding=(1, 0))
    return flat.view(*flat.shape[:3], *input.shape[3:])


FORWARDS: Mapping[type[nn.Module], Callable[..., Any]] = {
    BasicTransformerBlock: _spatial_block,
    TemporalBasicTransformerBlock: _temporal_block,
    TransformerSpatioTemporalModel: _transformer,
    AlphaBlender: _blend,
    SpatioTemporalResBlock: _res_block,
    TemporalDecoder: _decoder,
    ResnetBlock2D: _spatial_res,
    TemporalResnetBlock: _temporal_res,
    nn.Conv3d: _over_frames,
}

LAST: Mapping[type[nn.Module], Callable[[Any], nn.Module]] = {
    SpatioTemporalResBlock: lambda block: block.temporal_res_block.conv2,
    TemporalBasicTransformerBlock: lambda block: block.attn1.to_out[0],
}
"""The last layer of what mixes frames: where it is all zeros, nothing before it need be computed."""
