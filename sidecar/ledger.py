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

MAX_TOTAL: Final = 256 * 1024 * 1024
"""Audio kept for all of them: two full ones, or 42 s at 48 kHz for each of sixteen."""

Audio = NDArray[np.float32]


class Ledger:
    """Rendered windows of one instance by song position.

    Args:
        rate: host samples per second.
        limit: bytes of audio it may hold.

    Attributes:
        bytes: that it holds.
    """

    def __init__(self, rate: int, limit: int = MAX_BYTES) -> None:
        self.rate = rate
        self.bytes = 0
        self._limit = limit
        self._windows: OrderedDict[int, Audio] = OrderedDict()

    def add(self, runs: Iterable[Run]) -> None:
        """Keep windows that were rendered; they replace what was there."""
        for run in runs:
            frame = frame_of(run.start, self.rate)
            before = self._windows.pop(frame, None)
            self.bytes += run.audio.nbytes - (0 if before is None else before.nbytes)
            self._windows[frame] = run.audio
        while self.bytes > self._limit and len(self._windows) > 1:
            self.forget_oldest()

    def forget_oldest(self) -> None:
        """Let go of the window that was rendered longest ago."""
        self.bytes -= self._windows.popitem(last=False)[1].nbytes

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


class Ledgers:
    """The ledgers of all instances, which share a bound: where it is reached, the one that holds most gives way.

    Args:
        limit: bytes of audio that they may hold together.
    """

    def __init__(self, limit: int = MAX_TOTAL) -> None:
        self._limit = limit
        self._open: list[Ledger] = []

    @property
    def bytes(self) -> int:
        """That all of them hold."""
        return sum(ledger.bytes for ledger in self._open)

    def open(self, rate: int) -> Ledger:
        """One for an instance whose host runs at `rate`."""
        self._open.append(Ledger(rate))
        return self._open[-1]

    def close(self, ledger: Ledger) -> None:
        """An instance no longer needs its ledger."""
        self._open.remove(ledger)

    def keep(self, ledger: Ledger, runs: Iterable[Run]) -> None:
        """Keep windows that were rendered."""
        ledger.add(runs)
        while self.bytes > self._limit:
            max(self._open, key=lambda each: each.bytes).forget_oldest()
