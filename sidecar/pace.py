"""Pace: how many ticks a second there are, and how many this machine could sustain."""

import time
from collections import deque
from typing import Final

SPAN_S: Final = 2.0
"""Seconds that the measured rate looks back: a display that follows each tick is not readable."""

KEPT: Final = 64
"""Units of work that the sustained rate looks back: some five seconds of a live pass."""


class Pace:
    """Measures the work of one pass. Nothing that is rendered depends on it."""

    def __init__(self) -> None:
        self._ticks: deque[float] = deque(maxlen=1_000)
        self._units: deque[tuple[float, bool]] = deque(maxlen=KEPT)

    def add(self, seconds: float, *, tick: bool) -> None:
        """A unit of work took so long: a tick, or a window between two of them."""
        self._units.append((seconds, tick))
        if tick:
            self._ticks.append(time.monotonic())

    @property
    def ticks(self) -> float:
        """Ticks a second, lately."""
        now = time.monotonic()
        while self._ticks and self._ticks[0] < now - SPAN_S:
            self._ticks.popleft()
        return len(self._ticks) / SPAN_S

    @property
    def sustained(self) -> float:
        """Ticks a second, with their windows, if there were nothing else to do; 0 before there were any."""
        ticks, busy = sum(tick for _, tick in self._units), sum(seconds for seconds, _ in self._units)
        return ticks / busy if busy > 0.0 else 0.0
