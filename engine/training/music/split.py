"""Which clips are learned from, and which are only measured on: two streams of random numbers that never meet."""

from typing import Final

import numpy as np

SEED: Final = 20261123
"""Of the corpus that the shipped checkpoint was trained on."""

_TRAINING, _HELD_OUT = 0, 1


def training(index: int, seed: int = SEED) -> np.random.Generator:
    """What the training clip of this number, 0 or more, is composed from."""
    return np.random.default_rng((seed, _TRAINING, index))


def held_out(index: int, seed: int = SEED) -> np.random.Generator:
    """What the held-out clip of this number, 0 or more, is composed from. Nothing is trained on these."""
    return np.random.default_rng((seed, _HELD_OUT, index))
