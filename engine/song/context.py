"""What a full generation leaves behind for windows of it: every block's keys and values, forward by forward."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from engine.constants import LATENT_CHANNELS
from engine.dit.attention import attend
from engine.dit.band import attend_band, band_mask
from engine.dit.forward import SelfAttention
from engine.dit.shape import DitShape

_FLOAT32 = 4  # bytes


@dataclass(frozen=True, eq=False)
class Kept:
    """One forward of a full generation.

    Attributes:
        time: t that it ran at.
        keys, values: per block [1, S, groups, D], keys turned to their positions.
        velocity: [1, T, 64].
    """

    time: float
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    velocity: Tensor


def kept_bytes(shape: DitShape, frames: int) -> int:
    """Bytes of one forward over T frames: keys and values of all blocks, and the velocity."""
    per_token = 2 * len(shape.windows) * shape.groups * shape.width
    return _FLOAT32 * (per_token * (frames // shape.patch) + LATENT_CHANNELS * frames)


def keeping(all_keys: list[Tensor], all_values: list[Tensor], attention: SelfAttention) -> SelfAttention:
    """An attention that also appends the keys and values that it is given, block by block."""

    def attend_and_keep(block: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        all_keys.append(keys.contiguous())
        all_values.append(values.contiguous())
        return attention(block, queries, keys, values)

    return attend_and_keep


def in_context(kept: Kept, shape: DitShape, first: int, last: int) -> SelfAttention:
    """Attention of the tokens of frames [first, last) to themselves and to what is kept of all others."""
    start, stop = first // shape.patch, last // shape.patch

    def attend_in_context(block: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        total = kept.keys[block].shape[1]
        reach = shape.windows[block]
        begin, end = (0, total) if reach is None else (max(0, start - reach), min(total, stop + reach))
        around_keys = _between(kept.keys[block][:, begin:start], keys, kept.keys[block][:, stop:end])
        around_values = _between(kept.values[block][:, begin:start], values, kept.values[block][:, stop:end])
        if reach is None:
            return attend(queries, around_keys, around_values)
        # a band attends a run of tokens to itself: the context's queries are left empty and dropped again
        before = start - begin
        padded = functional.pad(queries, (0, 0, 0, 0, before, end - stop))
        made = attend_band(padded, around_keys, around_values, reach, _mask(end - begin, reach))
        return made[:, before : before + stop - start]

    return attend_in_context


@lru_cache(maxsize=8)  # one window moves through a song: its length in the middle, and a few at the edges
def _mask(tokens: int, reach: int) -> Tensor:
    return band_mask(tokens, reach)


def _between(before: Tensor, new: Tensor, after: Tensor) -> Tensor:
    return torch.cat((before, new, after), dim=1)
