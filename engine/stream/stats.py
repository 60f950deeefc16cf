"""How a stream is doing."""

from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

import numpy as np

_RECENT = 256  # ticks; 64 generations of 8 steps at depth 2, and a percentile of it is quick


@dataclass(frozen=True, kw_only=True)
class StreamStats:
    """Counters of a stream since it was opened, and its state now.

    Attributes:
        ticks, submitted, admitted, finished, failed, cancelled: counts.
        superseded: requests that a newer one replaced before they were admitted.
        active: slots in flight now.
        waiting: a request waits for admission now.
        depth: slots that may be in flight.
        tick_ms: 5th, 50th and 95th percentile of what the latest 256 ticks took, in milliseconds, forwards included;
            only ticks with something in flight count. None before the first of them.
        occupancy: mean number of slots in flight over the same ticks; 0.0 before the first.
        backend: name of what runs the forwards.
        claim: how far a streamed latent equals the one-shot one here, as `Session.self_check` found.
    """

    ticks: int
    submitted: int
    admitted: int
    finished: int
    failed: int
    cancelled: int
    superseded: int
    active: int
    waiting: bool
    depth: int
    tick_ms: tuple[float, float, float] | None
    occupancy: float
    backend: str
    claim: str


class Meter:
    """Durations and occupancy of the latest ticks."""

    def __init__(self) -> None:
        self._ticks: deque[tuple[float, int]] = deque(maxlen=_RECENT)

    @contextmanager
    def tick(self, slots: int) -> Generator[None]:
        """Time a tick with so many slots in flight."""
        start = perf_counter()
        yield
        self._ticks.append((perf_counter() - start, slots))

    @property
    def tick_ms(self) -> tuple[float, float, float] | None:
        """5th, 50th and 95th percentile."""
        if not self._ticks:
            return None
        low, middle, high = np.percentile([seconds * 1e3 for seconds, _ in self._ticks], (5, 50, 95))
        return float(low), float(middle), float(high)

    @property
    def occupancy(self) -> float:
        """Mean number of slots in flight."""
        return sum(slots for _, slots in self._ticks) / len(self._ticks) if self._ticks else 0.0
