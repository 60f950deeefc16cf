"""What the DiT makes of a conditioning: keys and values of every block's cross-attention."""

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.dit.attention import to_keys, to_values
from engine.dit.shape import DitShape
from engine.dit.weights import DitWeights


@dataclass(frozen=True, eq=False)
class Cross:
    """Everything in a forward that depends on the conditioning alone.

    Attributes:
        keys, values: [blocks, B, L, groups, D].
        mask: [B, L] bool, False where a row is padding; None where nothing is.
    """

    keys: Tensor
    values: Tensor
    mask: Tensor | None

    @property
    def bytes(self) -> int:
        """Memory that it holds."""
        return self.keys.nbytes + self.values.nbytes


def cross_of(weights: DitWeights, shape: DitShape, states: Tensor, mask: Tensor | None = None) -> Cross:
    """Project encoder states.

    Args:
        weights: of the DiT.
        shape: of the DiT.
        states: [B, L, width of the conditioning].
        mask: [B, L] bool, False where a row of the states is padding; None where nothing is.
    """
    embedded = weights.condition(states)
    heads = (shape.groups, shape.width)
    keys = [to_keys(block.cross, embedded, heads, shape.eps) for block in weights.blocks]
    values = [to_values(block.cross, embedded, heads) for block in weights.blocks]
    return Cross(torch.stack(keys), torch.stack(values), mask)
