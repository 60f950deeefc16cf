"""Passages: what one pass captured, by song position, and how it becomes part of the learned source."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidecar.fields import MAX_SECONDS

GROWTH: Final = 2**16  # samples; 1.4 s at 48 kHz, so that a minute of capture reallocates a few times only

Audio = NDArray[np.float32]


class Passage:
    """Audio by song position, at most 60 s from its first sample; a sample written again replaces the one before.

    Args:
        rate: samples per second.
    """

    def __init__(self, rate: int) -> None:
        self._room = MAX_SECONDS * rate
        self._buffer: Audio = np.zeros((2, 0), np.float32)
        self._end = 0
        self.first: int | None = None

    @property
    def audio(self) -> Audio:
        """[2, n] float32 from song sample `first` on; a view, silence where nothing was written."""
        return self._buffer[:, : self._end]

    @property
    def silent(self) -> bool:
        """Nothing but silence was written."""
        return not self.audio.any()

    def write(self, song: int, audio: Audio) -> None:
        """Write [2, n] samples at a song position; what lies outside the 60 s is dropped."""
        if audio.shape[1] == 0:
            return
        if self.first is None:
            self.first = song
        low, high = max(song - self.first, 0), min(song - self.first + audio.shape[1], self._room)
        if low >= high:
            return
        self._grow(high)
        self._buffer[:, low:high] = audio[:, low - (song - self.first) : high - (song - self.first)]
        self._end = max(self._end, high)

    def _grow(self, size: int) -> None:
        if size > self._buffer.shape[1]:
            grown = np.zeros((2, min(size + GROWTH + size // 2, self._room)), np.float32)
            grown[:, : self._end] = self.audio
            self._buffer = grown


def merge(learned: tuple[int, Audio] | None, fresh: tuple[int, Audio], rate: int) -> tuple[int, Audio]:
    """A freshly captured passage over what was learned before.

    Both are a first song sample and [2, n] audio. Together they may span 60 s; where they would span more, the fresh
    passage stands alone: what the user played last is what the user meant.
    """
    if learned is None:
        return fresh
    first = min(learned[0], fresh[0])
    end = max(learned[0] + learned[1].shape[1], fresh[0] + fresh[1].shape[1])
    if end - first > MAX_SECONDS * rate:
        return fresh
    joined = np.zeros((2, end - first), np.float32)
    for start, audio in (learned, fresh):
        joined[:, start - first : start - first + audio.shape[1]] = audio
    return first, joined
