"""The ledger: what was rendered last at each place of the song, so that it can be kept as a take."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import StateError
from sidecar.fields import MAX_SECONDS
from sidecar.frames import WINDOW, down_to_window, first_sample, frame_of, up_to_window

if TYPE_CHECKING:
    from sidecar.windows import Run

MAX_BYTES: Final = 96 * 1024 * 1024
"""Audio kept for an instance: four minutes at 48 kHz. What was rendered longest ago goes first."""

Audio = NDArray[np.float32]


class Ledger:
    """Rendered windows of one instance by song position.

    Args:
        rate: host samples per second.
        limit: bytes of audio it may hold.
    """

    def __init__(self, rate: int, limit: int = MAX_BYTES) -> None:
        self.rate = rate
        self._limit = limit
        self._bytes = 0
        self._windows: OrderedDict[int, Audio] = OrderedDict()

    def add(self, runs: Iterable[Run]) -> None:
        """Keep windows that were rendered; they replace what was there."""
        for run in runs:
            frame = frame_of(run.start, self.rate)
            before = self._windows.pop(frame, None)
            self._bytes += run.audio.nbytes - (0 if before is None else before.nbytes)
            self._windows[frame] = run.audio
        while self._bytes > self._limit and len(self._windows) > 1:
            self._bytes -= self._windows.popitem(last=False)[1].nbytes

    def span(self, start: int, end: int) -> tuple[int, Audio]:
        """The windows that hold the song samples [start, end): the first sample, and [2, n] float32.

        Raises:
            StateError: the span is empty or too long, or something in it was not rendered.
        """
        if not start < end <= start + MAX_SECONDS * self.rate:
            fix = f"Choose a start before the end, and at most {MAX_SECONDS} s."
            raise StateError(f"A take from sample {start} to {end} cannot be made.", fix)
        first = down_to_window(frame_of(start, self.rate))
        frames = range(first, up_to_window(frame_of(end - 1, self.rate) + 1), WINDOW)
        hole = next((frame for frame in frames if frame not in self._windows), None)
        if hole is not None:
            at = first_sample(hole, self.rate) / self.rate
            raise StateError(f"Nothing was heard at {at:.1f} s.", "Play the whole span, then make the take.")
        return first_sample(first, self.rate), np.concatenate([self._windows[frame] for frame in frames], axis=1)
