"""Lanes: what the host drew, as one value per frame of song.

A `Lane` is the polyline of one parameter in one pass. A `LaneSet` turns the polylines into frame values on the virtual
clock: what is known at virtual frame v is the polyline before S(v), whatever blocks it arrived in.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidecar.frames import centres, first_sample, frame_of
from sidecar.parameters import TABLE
from sidecar.region import Region

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


ON: Final = 0.5
"""From here on a switch is on: its two values are 0 and 1, and a ramp between them passes everything else."""


@dataclass(frozen=True)
class Memory:
    """Frame values of earlier rounds of a loop, by absolute frame: NaN where a frame was not reached."""

    start: int = 0
    values: Mapping[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])

    def over(self, key: str, region: Region) -> NDArray[np.float32]:
        """The remembered values over a region, [T] float32, NaN where unknown."""
        out = np.full(region.frames, np.nan, np.float32)
        kept = self.values.get(key)
        if kept is not None:
            low, high = max(region.start, self.start), min(region.end, self.start + len(kept))
            if low < high:
                out[low - region.start : high - region.start] = kept[low - self.start : high - self.start]
        return out


class LaneSet:
    """All engine parameters of one pass on the virtual clock.

    Args:
        region: the frames that generations cover.
        rate: host samples per second.
        start: the song sample at which the pass starts.
        values: plain value of every engine parameter at the start.
        memory: frame values of the loop's earlier rounds.
    """

    def __init__(
        self, region: Region, rate: int, start: int, values: Mapping[str, float], memory: Memory | None = None
    ) -> None:
        self._region = region
        self._rate = rate
        self._first_frame = frame_of(start, rate)
        self._reached = self._first_frame
        self._start = start
        self._primed = False
        self._lanes = {row.key: Lane(start, values[row.key]) for row in TABLE if row.target == "engine"}
        self._known = {row.key: np.full(region.frames, np.nan, np.float32) for row in TABLE.lanes}
        memory = memory or Memory()
        self._before = {row.key: memory.over(row.key, region) for row in TABLE.lanes}
        # most lanes of a project never move: those cost nothing per frame
        self._still = {key for key, before in self._before.items() if _is_all(before, values[key])}
        self._counted = dict.fromkeys(self._lanes, 1)
        self._held = {key: lane.value(0) for key, lane in self._lanes.items()}
        self._first_values = dict(self._held)
        self._rises = dict.fromkeys(self._lanes, 0)
        self.changes = 0

    def add(self, key: str, position: int, value: float, *, ramp: bool = False) -> None:
        """Add a breakpoint of an engine parameter; others have no lane here."""
        lane = self._lanes.get(key)
        if lane is None:
            return
        if key in self._still and value != self._held[key]:
            self._know(key, self._reached)
            self._still.remove(key)
        lane.add(position, value, ramp=ramp)

    def prime(self) -> None:
        """Take in every point at the start itself: what the pass begins with. Calling it again does nothing."""
        if self._primed:
            return
        self._primed = True
        for key in self._lanes:
            self._reach(key, self._start + 1)
        self._first_values = dict(self._held)
        self._rises = dict.fromkeys(self._lanes, 0)

    def settle(self, frame: int) -> None:
        """Reach virtual frame `frame`: the polylines before S(frame) take effect, frames before it become known."""
        self.prime()
        limit = first_sample(frame, self._rate)
        for key in self._lanes:
            if key in self._known and key not in self._still:
                self._fill(key, frame)
            self._reach(key, limit)
        self._reached = frame

    def hold(self, key: str) -> float:
        """The value in force at the last position that was settled; on a ramp, where its line has got to."""
        return self._held[key]

    def rises(self, key: str) -> int:
        """How often a switch went from off to on after the start."""
        return self._rises[key]

    def curve(self, key: str) -> float | NDArray[np.float32]:
        """As `frames`; a number, rounded to float32, where the lane never moved."""
        return float(np.float32(self._held[key])) if key in self._still else self.frames(key)

    def frames(self, key: str) -> NDArray[np.float32]:
        """A lane over the region as far as it is known, [T] float32: known, else the previous round's, else held."""
        here = min(max(self._first_frame - self._region.start, 0), self._region.frames)
        values = np.full(self._region.frames, self.hold(key), np.float32)
        values[:here] = self._first_values[key]
        for layer in (self._before[key], self._known[key]):
            np.copyto(values, layer, where=~np.isnan(layer))
        return values

    def remember(self) -> Memory:
        """What the next round of a loop may reuse: this pass's frames over those of the rounds before."""
        for key in self._still:
            self._know(key, self._reached)
        kept = {key: np.where(np.isnan(new), self._before[key], new) for key, new in self._known.items()}
        return Memory(self._region.start, kept)

    def _reach(self, key: str, limit: int) -> None:
        lane, counted = self._lanes[key], self._counted[key]
        if len(lane) == 1:
            return
        passed = lane.before(limit)
        for index in range(counted, passed):
            before, value = lane.value(index - 1), lane.value(index)
            self.changes += value != before
            self._rises[key] += before < ON <= value
        self._held[key] = lane.at(limit - 1)
        lane.forget(passed - 1)  # the last one passed stays: a ramp may start there
        self._counted[key] = 1

    def _know(self, key: str, frame: int) -> None:
        """The frames of a lane that never moved, up to a frame."""
        low = max(self._first_frame, self._region.start) - self._region.start
        self._known[key][low : max(min(frame, self._region.end) - self._region.start, low)] = self._held[key]

    def _fill(self, key: str, frame: int) -> None:
        low = max(self._reached, self._first_frame, self._region.start)
        high = min(frame, self._region.end)
        if low < high:
            values = self._lanes[key].sample(centres(np.arange(low, high), self._rate))
            self._known[key][low - self._region.start : high - self._region.start] = values


def _is_all(remembered: NDArray[np.float32], value: float) -> bool:
    return bool((np.isnan(remembered) | (remembered == np.float32(value))).all())
