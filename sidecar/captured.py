"""Captured: the input of a pass as far as it was heard, for a pass that renders from it while it runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]


class Captured:
    """Audio by song position from a first sample on, in the order it is played.

    Args:
        start: song sample of the first.

    Attributes:
        end: song sample before which all was heard.
    """

    def __init__(self, start: int) -> None:
        self._start = self.end = start
        self._audio: Audio = np.zeros((2, 0), np.float32)

    def write(self, song: int, samples: int, audio: Audio | None) -> None:
        """`samples` samples from a song position on; None is silence where audio was lost. What was heard stays."""
        if song + samples <= self.end or samples <= 0:
            return
        self._make_room(song + samples - self._start)
        if audio is not None:
            low = max(self.end, song)
            high = song + min(samples, audio.shape[1])
            if low < high:
                part = np.nan_to_num(audio[:, low - song : high - song], nan=0.0, posinf=0.0, neginf=0.0)
                self._audio[:, low - self._start : high - self._start] = part
        self.end = song + samples

    def over(self, first: int, last: int) -> Audio:
        """Song samples [first, last), [2, n] float32; silence where nothing was heard."""
        placed = np.zeros((2, last - first), np.float32)
        low, high = max(first, self._start), min(last, self.end)
        if low < high:
            placed[:, low - first : high - first] = self._audio[:, low - self._start : high - self._start]
        return placed

    def forget(self, before: int) -> None:
        """Drop what lies before a song sample."""
        surplus = min(before, self.end) - self._start
        if surplus > 0:
            self._audio = self._audio[:, surplus:].copy()
            self._start += surplus

    def _make_room(self, size: int) -> None:
        if size > self._audio.shape[1]:
            grown = np.zeros((2, size + size // 2), np.float32)
            grown[:, : self._audio.shape[1]] = self._audio
            self._audio = grown
