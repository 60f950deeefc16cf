"""Clips by number, in two sets that share none."""

from typing import Final

import numpy as np

_SEED: Final = 2026_1123  # of the corpus; another number is another corpus


def training(index: int) -> np.random.Generator:
    """Where the random numbers of a training clip begin."""
    return np.random.default_rng((_SEED, 0, index))


def held_out(index: int) -> np.random.Generator:
    """Where the random numbers of a clip begin that no training sees."""
    return np.random.default_rng((_SEED, 1, index))
