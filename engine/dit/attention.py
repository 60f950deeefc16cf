"""Attention of the DiT: projections to heads, and full attention."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from engine.dit.linear import product, runs_onednn
from engine.dit.weights import Attention

_FEW: Final = 256  # queries; for fewer, torch's one kernel takes less time than many products
_SCORES: Final = 1 << 19  # scores held at once, 2 MB: beyond the cache their softmax waits for memory


def to_queries(layer: Attention, x: Tensor, shape: tuple[int, int], eps: float) -> Tensor:
    """[B, S, H] to scaled queries [B, S, heads, D]; shape is (heads, D)."""
    return functional.rms_norm(_heads(layer.query(x), shape), shape[1:], layer.query_norm, eps)


def to_keys(layer: Attention, x: Tensor, shape: tuple[int, int], eps: float) -> Tensor:
    """[B, L, H] to keys [B, L, groups, D]; shape is (groups, D)."""
    return functional.rms_norm(_heads(layer.key(x), shape), shape[1:], layer.key_norm, eps)


def to_values(layer: Attention, x: Tensor, shape: tuple[int, int]) -> Tensor:
    """[B, L, H] to values [B, L, groups, D]; shape is (groups, D)."""
    return _heads(layer.value(x), shape)


def attend(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attention of every query to every key.

    Args:
        queries: [B, S, heads, D], scaled.
        keys, values: [B, L, groups, D]; each group serves heads / groups neighbouring heads.
        mask: [B, L] bool, False where a key is not to be seen by its row; None shows all.

    Returns:
        [B, S, heads * D].
    """
    if mask is None and queries.shape[0] == 1 and runs_onednn(queries) and _are_many(queries):
        return _by_products(queries[0], keys[0], values[0])[None]
    made = functional.scaled_dot_product_attention(
        queries.transpose(1, 2),
        keys.transpose(1, 2),
        values.transpose(1, 2),
        attn_mask=None if mask is None else mask[:, None, None],
        scale=1.0,
        enable_gqa=queries.shape[2] != keys.shape[2],
    )
    return made.transpose(1, 2).flatten(2)


def _are_many(queries: Tensor) -> bool:
    # a program is written once for all lengths
    return torch.compiler.is_exporting() or queries.shape[1] >= _FEW


def _heads(x: Tensor, shape: tuple[int, int]) -> Tensor:
    return x.view(*x.shape[:-1], *shape)


def _by_products(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """One row as plain matrix products, group by group: [S, heads * D]."""
    tokens, heads, width = queries.shape
    groups = keys.shape[1]
    each = heads // groups
    asked = queries.view(tokens, groups, each, width).transpose(0, 1).reshape(groups, tokens * each, width)
    keys, values = keys.transpose(0, 1).contiguous(), values.permute(1, 2, 0).contiguous()
    made = torch.stack([_one_group(*group) for group in zip(asked, keys, values, strict=True)])
    return made.view(groups, tokens, each, width).transpose(0, 1).reshape(tokens, heads * width)


def _one_group(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """[N, D] queries, [L, D] keys, [D, L] values: [N, D]."""
    rows = max(1, _SCORES // keys.shape[0])
    if torch.compiler.is_exporting() or queries.shape[0] <= rows:
        return product(torch.softmax(product(queries, keys), dim=-1), values)
    parts = [product(torch.softmax(product(part, keys), dim=-1), values) for part in torch.split(queries, rows)]
    return torch.cat(parts)
