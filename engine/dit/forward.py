"""The DiT's forward: patches in, blocks, patches out.

It computes what diffusers' `AceStepTransformer1DModel` computes, with r = t, from tables that do not change from step
to step: `Modulation` (of t), `Cross` (of the conditioning) and `Positions` (of the length).
"""

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from engine.dit.attention import attend, to_keys, to_queries, to_values
from engine.dit.band import attend_band
from engine.dit.cross import Cross
from engine.dit.modulation import Modulation
from engine.dit.positions import Positions, rotate
from engine.dit.shape import DitShape
from engine.dit.weights import Attention, Block, DitWeights


class SelfAttention(Protocol):
    """How tokens attend to the song: given a block's number, its queries [B, S, heads, D] (scaled) and its keys and
    values [B, S, groups, D], queries and keys turned to their positions, returns [B, S, heads * D]."""

    def __call__(self, block: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend."""
        ...


def velocity(
    weights: DitWeights,
    shape: DitShape,
    x: Tensor,
    context: Tensor,
    modulation: Modulation,
    cross: Cross,
    positions: Positions,
    attention: SelfAttention | None = None,
    first: int = 0,
) -> Tensor:
    """Velocity [B, T, 64] of x [B, T, 64] with context [B, T, 128]; T a multiple of the patch.

    Each row's result depends on the batch size, but not on the other rows.

    Args:
        weights, shape, x, context, modulation, cross: as above.
        positions: of the whole song.
        attention: how tokens attend; None is `whole_song`, for an x that is all of it.
        first: token of the song that x starts at.
    """
    tokens = to_tokens(weights, shape, x, context)
    turns = (positions.cosine, positions.sine)
    if attention is None:
        attention = whole_song(shape, positions)
    else:
        turns = positions.at(first, first + tokens.shape[1])
    for number in range(len(weights.blocks)):
        tokens = run_block(number, weights.blocks[number], shape, tokens, turns, modulation, cross, attention)
    return to_frames(weights, shape, tokens, modulation)


def whole_song(shape: DitShape, positions: Positions) -> SelfAttention:
    """Attention of every token to all tokens, or to those in its block's window."""

    def attention(block: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        window = shape.windows[block]
        if window is None:
            return attend(queries, keys, values)
        return attend_band(queries, keys, values, window, positions.masks[window])

    return attention


def to_tokens(weights: DitWeights, shape: DitShape, x: Tensor, context: Tensor) -> Tensor:
    """Patches: x [B, T, 64] behind its context [B, T, 128] to tokens [B, S, H]."""
    frames = torch.cat((context, x), dim=-1)
    rows, length, channels = frames.shape
    return weights.patch_in(frames.view(rows, length // shape.patch, shape.patch * channels))


def run_block(
    number: int,
    block: Block,
    shape: DitShape,
    tokens: Tensor,
    turns: tuple[Tensor, Tensor],
    modulation: Modulation,
    cross: Cross,
    attention: SelfAttention,
) -> Tensor:
    """One transformer block.

    Args:
        number: which block, from 0.
        block: its weights.
        shape: of the DiT.
        tokens: [B, S, H].
        turns: rotary tables of these tokens, `Positions.at`.
        modulation: of the rows' times.
        cross: of the rows' conditionings.
        attention: how tokens attend to the song.
    """
    scale, shift, gate, mlp_scale, mlp_shift, mlp_gate = modulation.blocks[number]
    queries, keys, values = _own_heads(block.own, shape, _modulated(tokens, scale, shift, shape), turns)
    tokens = torch.addcmul(tokens, block.own.out(attention(number, queries, keys, values)), gate)

    normed = functional.rms_norm(tokens, (shape.hidden,), block.cross_norm, shape.eps)
    queries = to_queries(block.cross, normed, (shape.heads, shape.width), shape.eps)
    tokens = tokens + block.cross.out(attend(queries, cross.keys[number], cross.values[number], cross.mask))

    normed = _modulated(tokens, mlp_scale, mlp_shift, shape)
    return torch.addcmul(tokens, block.down(functional.silu(block.gate(normed)) * block.up(normed)), mlp_gate)


def to_frames(weights: DitWeights, shape: DitShape, tokens: Tensor, modulation: Modulation) -> Tensor:
    """Tokens [B, S, H] to velocity [B, T, 64]."""
    scale, shift = modulation.out
    made = weights.patch_out(_modulated(tokens, scale, shift, shape))
    return made.view(made.shape[0], made.shape[1] * shape.patch, -1)


def _own_heads(
    layer: Attention, shape: DitShape, x: Tensor, turns: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    groups = (shape.groups, shape.width)
    queries = to_queries(layer, x, (shape.heads, shape.width), shape.eps)
    keys = to_keys(layer, x, groups, shape.eps)
    return rotate(queries, *turns), rotate(keys, *turns), to_values(layer, x, groups)


def _modulated(tokens: Tensor, scale: Tensor, shift: Tensor, shape: DitShape) -> Tensor:
    return torch.addcmul(shift, functional.rms_norm(tokens, (shape.hidden,), None, shape.eps), scale)
