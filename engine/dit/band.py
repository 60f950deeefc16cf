"""Sliding-window attention, computed block by block so that its cost does not grow with the square of the song."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

_BLOCK: Final = 32  # queries per block: fastest of 16 .. 192 at windows of 64 and 128 tokens (docs/log.md, 2026-11-22)


def band_mask(tokens: int, window: int) -> Tensor:
    """[blocks, 1, block, block + 2 window]: 0 where a query sees a key, else the lowest float32.

    Queries beyond the last token, which fill the last block, see everything: a row without a key would be NaN.
    """
    blocks = max(2, -(-tokens // _BLOCK))  # a compiled forward takes any number of blocks but one
    query = torch.arange(blocks * _BLOCK).view(blocks, _BLOCK, 1)
    key = (torch.arange(blocks) * _BLOCK).view(blocks, 1, 1) + torch.arange(_BLOCK + 2 * window) - window
    seen = ((query - key).abs() <= window) & (key >= 0) & (key < tokens)
    seen |= query >= tokens
    return torch.where(seen, 0.0, torch.finfo(torch.float32).min)[:, None]


def attend_band(queries: Tensor, keys: Tensor, values: Tensor, window: int, mask: Tensor) -> Tensor:
    """Attention of every token to those at most `window` tokens away.

    Args:
        queries: [B, S, heads, D], scaled.
        keys, values: [B, S, groups, D].
        window: tokens to each side.
        mask: `band_mask` of S and the window.

    Returns:
        [B, S, heads * D].
    """
    rows, tokens, heads, width = queries.shape
    blocks = mask.shape[0]
    spare = blocks * _BLOCK - tokens
    asked = functional.pad(queries, (0, 0, 0, 0, 0, spare)).view(rows * blocks, _BLOCK, heads, width).transpose(1, 2)
    made = functional.scaled_dot_product_attention(
        asked,
        _spans(keys, window, spare),
        _spans(values, window, spare),
        attn_mask=mask.repeat(rows, 1, 1, 1) if rows > 1 else mask,
        scale=1.0,
        enable_gqa=heads != keys.shape[2],
    )
    return made.transpose(1, 2).reshape(rows, blocks * _BLOCK, heads * width)[:, :tokens]


def _spans(x: Tensor, window: int, spare: int) -> Tensor:
    """[B, S, groups, D] to [B * blocks, groups, block + 2 window, D]: what each block can see."""
    padded = functional.pad(x, (0, 0, 0, 0, window, window + spare))
    return padded.unfold(1, _BLOCK + 2 * window, _BLOCK).flatten(0, 1).transpose(2, 3)
