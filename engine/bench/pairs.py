"""Timing two things against each other, in turns, so that the machine's other work hits both alike."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError

Percentiles: TypeAlias = tuple[float, float, float]
"""5th, 50th and 95th percentile."""

Progress: TypeAlias = Callable[[], None]
"""Called after every pair."""

First = TypeVar("First")
Second = TypeVar("Second")


@dataclass(frozen=True)
class Took:
    """Seconds that something took: by the clock, and of the processor's time that this process was given.

    On a machine that does nothing else the two agree where one thread works; on a busy one the second tells more.
    """

    wall: float
    cpu: float

    def __add__(self, other: "Took") -> "Took":
        return Took(self.wall + other.wall, self.cpu + other.cpu)

    def __sub__(self, other: "Took") -> "Took":
        return Took(self.wall - other.wall, self.cpu - other.cpu)

    def __mul__(self, factor: float) -> "Took":
        return Took(self.wall * factor, self.cpu * factor)


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """One thing's time over another's.

    Attributes:
        pairs: how often both were timed.
        of_pairs: ratio of the two times of each pair.
        of_fastest: fastest over fastest.
        of_cpu: median over median in processor time, the figure least disturbed by other work on the machine.
    """

    pairs: int
    of_pairs: Percentiles
    of_fastest: float
    of_cpu: float

    @classmethod
    def of(cls, above: Sequence[Took], below: Sequence[Took]) -> Self:
        """The ratio of what was timed in turns."""
        over, under = _wall(above), _wall(below)
        return cls(
            pairs=len(above),
            of_pairs=_percentiles(over / under),
            of_fastest=float(over.min() / under.min()),
            of_cpu=float(np.median([took.cpu for took in above]) / np.median([took.cpu for took in below])),
        )


def in_turns(
    first: Callable[[], First], second: Callable[[], Second], pairs: int, done: Progress | None = None
) -> list[tuple[First, Second]]:
    """Call both once per pair, in every second pair the other way round, so that a drift of clock or load cancels.

    Raises:
        EngineError: pairs is less than 1.
    """
    if pairs < 1:
        raise EngineError(f"pairs = {pairs} is less than 1.", "Measure at least one pair.")
    results: list[tuple[First, Second]] = []
    for n in range(pairs):
        if n % 2:
            later = second()
            results.append((first(), later))
        else:
            results.append((first(), second()))
        if done is not None:
            done()
    return results


def now() -> Took:
    """The two clocks. Only differences mean something."""
    return Took(time.perf_counter(), time.process_time())


def timed(work: Callable[[], object]) -> Took:
    """How long one call takes."""
    start = now()
    work()
    return now() - start


def milliseconds(times: Sequence[Took]) -> Percentiles:
    """Percentiles by the clock, in milliseconds."""
    return _percentiles(_wall(times) * 1e3)


def _wall(times: Sequence[Took]) -> NDArray[np.float64]:
    return np.array([took.wall for took in times])


def _percentiles(values: NDArray[np.float64]) -> Percentiles:
    low, middle, high = np.percentile(values, (5, 50, 95))
    return float(low), float(middle), float(high)
