"""Private, counter-based noise: a function of its key alone, never of a global generator."""

from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.constants import LATENT_CHANNELS


class Purpose(IntEnum):
    """Second word of the Philox key, so that no two uses of one seed share numbers."""

    INITIAL = 0
    """Noise a generation starts from."""
    FIRST_STEP = 1
    """Noise added after step 0; after step n it is 1 + n."""


@lru_cache(maxsize=8)  # depth is at most 8: consecutive snapshots mostly share a seed
def normal(seed: int, purpose: int, frames: int, start: int = 0) -> NDArray[np.float32]:
    """Standard normal noise [T, 64] float32, read-only.

    The first frames of a longer draw equal a shorter draw with the same key.

    Args:
        seed: 0 .. 2**64 - 1.
        purpose: 0 .. 2**64 - 1, see Purpose.
        frames: T.
        start: 0 .. 2**64 - 1, song frame of the first frame; another one is other noise altogether.
    """
    return _draw(seed, purpose, frames, start)


@lru_cache(maxsize=16)  # the eight steps of two seeds; apart from the above, so that steps do not push starts out
def step_normal(seed: int, step: int, frames: int, start: int = 0) -> NDArray[np.float32]:
    """Noise [T, 64] that a solver adds after a step (0, 1, ...); as `normal` with the purpose 1 + step."""
    return _draw(seed, Purpose.FIRST_STEP + step, frames, start)


def _draw(seed: int, purpose: int, frames: int, start: int) -> NDArray[np.float32]:
    key = np.array([seed, purpose], dtype=np.uint64)
    # Philox counts up from the first of four words, so that draws of different starts never meet
    counter = np.array([0, 0, 0, start], dtype=np.uint64)
    generator = np.random.Generator(np.random.Philox(counter=counter, key=key))
    noise = generator.standard_normal((frames, LATENT_CHANNELS), dtype=np.float32)
    noise.setflags(write=False)
    return noise
