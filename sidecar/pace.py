"""Pace: how many ticks a second there are, how many this machine could sustain, and the tick that suits it."""

import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from sidecar.frames import FRAME_RATE, WINDOW

SPAN_S: Final = 2.0
"""Seconds that the measured rate looks back: a display that follows each tick is not readable."""

KEPT: Final = 64
"""Units of work that the sustained rate looks back: some five seconds of a live pass."""

LADDER: Final = (1, 2, 3, 4, 6, 8, 12)
"""Frames per tick that are chosen from. So coarse that a machine chooses alike on a quiet day and on a busier one."""

SHARE: Final = 0.6
"""Most of real time that a chosen tick may take: what is left is for a second prompt or guidance, which add a forward
to each step, and for what the host does. On a quiet CPU of the kind of docs/log.md that is 2 frames at 16 and 20 s."""

ENOUGH: Final = 2
"""Ticks and windows that are measured first: a process's very first forward takes four times as long (docs/log.md)."""


@dataclass(frozen=True)
class Cost:
    """What this machine takes, in seconds.

    Attributes:
        tick: for one step of one generation.
        window: for one window.
    """

    tick: float
    window: float

    def share(self, tick_frames: int, rows: int) -> float:
        """The share of real time that is spent with a tick every so many frames and so many generations in flight."""
        return FRAME_RATE * (rows * self.tick / tick_frames + self.window / WINDOW)

    def tick_frames(self, rows: int, sharers: int = 1) -> int:
        """The shortest tick of the ladder that takes no more than its part of `SHARE`, else the longest.

        Args:
            rows: generations in flight.
            sharers: instances that share the machine.
        """
        return next((frames for frames in LADDER if self.share(frames, rows) <= SHARE / sharers), LADDER[-1])


class Pace:
    """Measures the work of one pass."""

    def __init__(self) -> None:
        self._ticks: deque[float] = deque(maxlen=1_000)
        self._units: deque[tuple[float, bool]] = deque(maxlen=KEPT)

    def add(self, seconds: float, *, tick: bool) -> None:
        """A tick took so long, or a window between two of them."""
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

    @property
    def cost(self) -> Cost | None:
        """The fastest of each, for what else the machine did is no cost of ours; None before there were enough."""
        ticks = [seconds for seconds, tick in self._units if tick]
        windows = [seconds for seconds, tick in self._units if not tick]
        return Cost(min(ticks), min(windows)) if min(len(ticks), len(windows)) >= ENOUGH else None
