"""One velocity from those of several prompts."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_LEAST = np.float32(1e-8)  # what a sum of weights is divided by at least


def shares(weights: Sequence[NDArray[np.float32]]) -> list[Tensor]:
    """Weights [T] of the prompts as parts [T, 1] of their sum: exactly 1 where only one prompt has weight.

    Where all weights are 0 all parts are 0, so that the frame stays as it is.
    """
    total = weights[0]
    for weight in weights[1:]:
        total = total + weight
    return [torch.tensor(weight / np.maximum(total, _LEAST)).unsqueeze(1) for weight in weights]


def compose(velocities: Iterable[Tensor], parts: Sequence[Tensor]) -> Tensor:
    """Sum of velocities [T, 64], each times its part [T, 1].

    Velocities are taken one by one, so that a backend may write each of them to the same place.
    """
    composed = torch.zeros(())
    for n, (velocity, part) in enumerate(zip(velocities, parts, strict=True)):
        composed = velocity * part if n == 0 else composed + velocity * part
    return composed
