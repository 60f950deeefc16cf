"""Passages: what one pass captured, by song position, and how it becomes part of the learned source."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidecar.fields import MAX_SECONDS

MAX_SAMPLES: Final = 2**26
"""Most samples of a passage, which hold 512 MB: 10 minutes up to 111 kHz, 5.8 at 192."""

Audio = NDArray[np.float32]


class Passage:
    """Audio by song position, at most 10 minutes from its first sample; one written again replaces the one before.

    Args:
        rate: samples per second.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._room = room(rate)
        self._buffer: Audio = np.zeros((2, self._room), np.float32)  # pages that are never written take no memory
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
        """Write [2, n] samples at a song position; what lies outside the room is dropped."""
        if audio.shape[1] == 0:
            return
        if self.first is None:
            self.first = song
        low, high = max(song - self.first, 0), min(song - self.first + audio.shape[1], self._room)
        if low >= high:
            return
        self._buffer[:, low:high] = audio[:, low - (song - self.first) : high - (song - self.first)]
        self._end = max(self._end, high)


def room(rate: int) -> int:
    """Most samples of a source at a rate."""
    return min(MAX_SECONDS * rate, MAX_SAMPLES)


def merge(learned: tuple[int, Audio] | None, fresh: tuple[int, Audio], rate: int) -> tuple[int, Audio]:
    """A freshly captured passage over what was learned before.

    Both are a first song sample and [2, n] audio. Where together they would span more than 10 minutes, the fresh
    passage stands alone: what the user played last is what the user meant.
    """
    if learned is None:
        return fresh
    first = min(learned[0], fresh[0])
    end = max(learned[0] + learned[1].shape[1], fresh[0] + fresh[1].shape[1])
    if end - first > room(rate):
        return fresh
    joined = np.zeros((2, end - first), np.float32)
    for start, audio in (learned, fresh):
        joined[:, start - first : start - first + audio.shape[1]] = audio
    return first, joined
