"""A lane: the polyline of one parameter in one pass, as the host drew it."""

from bisect import bisect_left, bisect_right
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_BREAKPOINTS: Final = 65_536
"""Breakpoints a lane keeps: one automation message. A peer that sends points but no blocks cannot fill the memory."""


class Lane:
    """The polyline of one parameter: steps (POINT) and linear moves (RAMP) in the order of their positions."""

    def __init__(self, position: int, value: float) -> None:
        self._positions: list[int] = [position]
        self._values: list[float] = [value]
        self._ramps: list[bool] = [False]

    def __len__(self) -> int:
        return len(self._positions)

    def add(self, position: int, value: float, *, ramp: bool = False) -> None:
        """Add a breakpoint; a position before the last one counts as at the last one."""
        if len(self) >= MAX_BREAKPOINTS:
            self._positions.pop()
            self._values.pop()
            self._ramps.pop()
        self._positions.append(max(position, self._positions[-1]))
        self._values.append(value)
        self._ramps.append(ramp)

    def before(self, limit: int) -> int:
        """How many breakpoints lie before a position; at least 1, the first one is always in force."""
        return max(bisect_left(self._positions, limit), 1)

    def value(self, index: int) -> float:
        """The value at a breakpoint."""
        return self._values[index]

    def position(self, index: int) -> int:
        """The position of a breakpoint."""
        return self._positions[index]

    def at(self, position: int) -> float:
        """The value at a position."""
        index = max(bisect_right(self._positions, position) - 1, 0)
        after = index + 1
        if after == len(self) or not self._ramps[after] or position < self._positions[index]:
            return self._values[index]
        share = (position - self._positions[index]) / (self._positions[after] - self._positions[index])
        return self._values[index] + (self._values[after] - self._values[index]) * share

    def sample(self, positions: NDArray[np.int64]) -> NDArray[np.float64]:
        """`at` of many positions, bit for bit."""
        where = np.array(self._positions, np.int64)
        values = np.array(self._values, np.float64)
        ramps = np.array([*self._ramps[1:], False])
        index = np.maximum(np.searchsorted(where, positions, "right") - 1, 0)
        after = np.minimum(index + 1, len(self) - 1)
        span = np.maximum(where[after] - where[index], 1)
        moved = values[index] + (values[after] - values[index]) * ((positions - where[index]) / span)
        return np.where(ramps[index] & (positions >= where[index]), moved, values[index])

    def forget(self, count: int) -> None:
        """Drop the first `count` breakpoints; the last one is always kept."""
        count = min(count, len(self) - 1)
        del self._positions[:count], self._values[:count], self._ramps[:count]
