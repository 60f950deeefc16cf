"""Private, counter-based noise: a function of its key alone, never of a global generator."""

from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from engine.constants import LATENT_CHANNELS, MAX_FRAMES


class Purpose(IntEnum):
    """Second word of the Philox key, so that no two uses of one seed share numbers."""

    INITIAL = 0
    """Noise a generation starts from."""
    FIRST_STEP = 1
    """Noise added after step 0; after step n it is 1 + n."""


def normal(seed: int, purpose: int, frames: int, start: int = 0) -> NDArray[np.float32]:
    """Standard normal noise [T, 64] float32 of the frames [start, start + T) of a song, read-only.

    A frame's noise depends on the key and on its place in the song alone: regions that overlap share it, which is what
    makes their generations agree where they meet, and a region has the noise that a generation of the whole song has
    there.

    Args:
        seed: 0 .. 2**64 - 1.
        purpose: 0 .. 2**64 - 1, see Purpose.
        frames: T, up to 15000.
        start: song frame of the first, >= 0.
    """
    return _rows(_start_tape, seed, purpose, frames, start)


def step_normal(seed: int, step: int, frames: int, start: int = 0) -> NDArray[np.float32]:
    """Noise [T, 64] that a solver adds after a step (0, 1, ...); as `normal` with the purpose 1 + step."""
    return _rows(_step_tape, seed, Purpose.FIRST_STEP + step, frames, start)


class _Tape:
    """Noise of one key from the start of a block of 15000 frames on, drawn as far as anyone asked.

    The draw consumes a varying count of random words per frame, so a frame is reached only through those before it;
    what was drawn is kept, and a song played from its start draws every frame once.
    """

    def __init__(self, seed: int, purpose: int, block: int) -> None:
        key, counter = np.array([seed, purpose], np.uint64), np.array([0, block, 0, 0], np.uint64)
        self._generator = np.random.Generator(np.random.Philox(key=key, counter=counter))
        self._noise = np.empty((0, LATENT_CHANNELS), np.float32)
        self._drawn = 0
        self._lock = Lock()

    def rows(self, first: int, last: int) -> NDArray[np.float32]:
        """Rows [first, last) of the block."""
        with self._lock:
            if last > len(self._noise):
                self._grow(last)
            if last > self._drawn:
                self._generator.standard_normal(dtype=np.float32, out=self._noise[self._drawn : last])
                self._drawn = last
        rows = self._noise[first:last]
        rows.setflags(write=False)
        return rows

    def _grow(self, least: int) -> None:
        # no larger than asked for at first: a stream draws a new tape for every step, and memory that it just used is
        # still in the cache
        room = min(max(least, 2 * len(self._noise)), MAX_FRAMES)
        grown = np.empty((room, LATENT_CHANNELS), np.float32)
        grown[: self._drawn] = self._noise[: self._drawn]
        self._noise = grown


@lru_cache(maxsize=8)  # depth is at most 8: consecutive snapshots mostly share a seed
def _start_tape(seed: int, purpose: int, block: int) -> _Tape:
    return _Tape(seed, purpose, block)


@lru_cache(maxsize=16)  # the eight steps of two seeds; apart from the above, so that steps do not push starts out
def _step_tape(seed: int, purpose: int, block: int) -> _Tape:
    return _Tape(seed, purpose, block)


def _rows(
    tape: Callable[[int, int, int], _Tape], seed: int, purpose: int, frames: int, start: int
) -> NDArray[np.float32]:
    block, first = divmod(start, MAX_FRAMES)
    last = first + frames
    if last <= MAX_FRAMES:
        return tape(seed, purpose, block).rows(first, last)
    parts = [
        tape(seed, purpose, block).rows(first, MAX_FRAMES),
        tape(seed, purpose, block + 1).rows(0, last - MAX_FRAMES),
    ]
    joined = np.concatenate(parts)
    joined.setflags(write=False)
    return joined
