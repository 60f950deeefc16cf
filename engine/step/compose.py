"""One velocity from those of several prompts."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_LEAST = 1e-8  # what a sum of weights is divided by at least


def shares(weights: Sequence[NDArray[np.float32]]) -> list[Tensor]:
    """Weights [T] of the prompts as parts [T, 1] of their sum: exactly 1 where only one prompt has weight.

    Where all weights are 0 all parts are 0, so that the frame stays as it is.
    """
    total = weights[0]
    for weight in weights[1:]:
        total = total + weight
    total = np.maximum(total, np.float32(_LEAST))
    return [torch.tensor(weight / total).unsqueeze(1) for weight in weights]


def compose(velocities: Sequence[Tensor], parts: Sequence[Tensor]) -> Tensor:
    """Sum of velocities [T, 64], each times its part [T, 1]."""
    composed = velocities[0] * parts[0]
    for velocity, part in zip(velocities[1:], parts[1:], strict=True):
        composed += velocity * part
    return composed
