"""Passages: what one pass captured, by song position, and how it becomes part of the learned source."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidecar.fields import MAX_SECONDS

MAX_SAMPLES: Final = 2**26
"""Most samples of a passage, which hold 512 MB: 10 minutes up to 111 kHz, 5.8 at 192."""

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """Audio at a place of the song, read part by part.

    Attributes:
        first: song sample of its first.
        samples: its length.
        part: samples [low, high) of it, [2, high - low] float32.
    """

    first: int
    samples: int
    part: Callable[[int, int], Audio]

    @property
    def end(self) -> int:
        """The song sample after its last."""
        return self.first + self.samples


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
    def layer(self) -> Layer | None:
        """All of it; None where nothing was written."""
        if self.first is None:
            return None
        return Layer(self.first, self._end, lambda low, high: self._buffer[:, low:high])

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


def merge(learned: Layer | None, fresh: Layer, rate: int) -> Layer:
    """A freshly captured passage over what was learned before, without a copy of either.

    Where together they would span more than 10 minutes, the fresh one stands alone: what the user played last is what
    the user meant.
    """
    if learned is None:
        return fresh
    first, end = min(learned.first, fresh.first), max(learned.end, fresh.end)
    if end - first > room(rate):
        return fresh

    def part(low: int, high: int) -> Audio:
        joined = np.zeros((2, high - low), np.float32)
        for layer in (learned, fresh):
            start, stop = max(first + low, layer.first), min(first + high, layer.end)
            if start < stop:
                there = slice(start - first - low, stop - first - low)
                joined[:, there] = layer.part(start - layer.first, stop - layer.first)
        return joined

    return Layer(first, end - first, part)
