"""Lanes: what the host drew, as one value per frame of song.

A `LaneSet` turns polylines into frame values on the virtual clock: what is known at virtual frame v is the polyline
before S(v), whatever blocks it arrived in.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from sidecar.frames import centres, first_sample, first_samples, frame_of
from sidecar.lane import Lane
from sidecar.parameters import TABLE
from sidecar.region import Region
from sidecar.track import KEPT_FRAMES, Memory, Track

ON: Final = 0.5
"""From here on a switch is on: its two values are 0 and 1, and a ramp between them passes everything else."""


DEPARTED: Final = 0.01
"""Share of a parameter's range by which a round of a loop leaves the round before. Hosts that send one value a block
read a drawn ramp at other places in each round, and are not to be taken for a hand on the knob."""


class Drawn(Protocol):
    """Lanes as a snapshot reads them."""

    def hold(self, key: str) -> float:
        """The value in force."""
        ...

    def frames(self, key: str, region: Region) -> NDArray[np.float32]:
        """A lane over a region, [T] float32."""
        ...

    def curve(self, key: str, region: Region) -> float | NDArray[np.float32]:
        """The same; a number, rounded to float32, where the lane never moved."""
        ...

    def rises(self, key: str) -> int:
        """How often a switch was turned on since the start, as far as it is in force."""
        ...


class LaneSet:
    """All engine parameters of one pass on the virtual clock.

    Args:
        rate: host samples per second.
        start: the song sample at which the pass starts.
        values: plain value of every engine parameter at the start.
        memory: frame values of the loop's earlier rounds.
    """

    def __init__(self, rate: int, start: int, values: Mapping[str, float], memory: Memory | None = None) -> None:
        self.rate = rate
        self._first_frame = frame_of(start, rate)
        self._reached = self._first_frame
        self._start = start
        self._primed = False
        rows = [row for row in TABLE if row.target == "engine"]
        self._lanes = {row.key: Lane(start, values[row.key]) for row in rows}
        self._stepped = {row.key for row in rows if row.curve == "stepped"}
        self._known = {row.key: Track(self._first_frame) for row in rows}
        self._before = memory or Memory()
        self._departed: set[str] = set()
        self._counted = dict.fromkeys(self._lanes, 1)
        self._held = {key: lane.value(0) for key, lane in self._lanes.items()}
        self._first_values = dict(self._held)
        self._still = {row.key for row in TABLE.lanes if self._before.is_all(row.key, values[row.key])}
        self._rises: dict[str, list[int]] = {row.key: [] for row in rows if row.text == "switch"}
        self.changes = 0

    def add(self, key: str, position: int, value: float, *, ramp: bool = False) -> None:
        """Add a breakpoint of an engine parameter; others have no lane here."""
        lane = self._lanes.get(key)
        if lane is None:
            return
        if value != self._held[key]:
            self._still.discard(key)
        lane.add(position, value, ramp=ramp)

    def prime(self) -> None:
        """Take in every point at the start itself: what the pass begins with. Calling it again does nothing."""
        if self._primed:
            return
        self._primed = True
        for key in self._lanes:
            self._reach(key, self._start + 1)
        self._first_values = dict(self._held)
        self._rises = {key: [] for key in self._rises}

    def settle(self, frame: int) -> None:
        """Reach virtual frame `frame`: the polylines before S(frame) take effect, frames before it become known."""
        self.prime()
        limit = first_sample(frame, self.rate)
        for key in self._lanes:
            self._fill(key, frame)
            self._reach(key, limit)
        self._reached = max(frame, self._reached)

    @property
    def reached(self) -> int:
        """The virtual frame that was reached."""
        return self._reached

    def hold(self, key: str) -> float:
        """The value in force at the last position that was settled; on a ramp, where its line has got to."""
        return self._held[key]

    def frames(self, key: str, region: Region) -> NDArray[np.float32]:
        """A lane over a region as far as it is known, [T] float32: known, else the previous round's, else held.

        A lane that left the previous round's is held: somebody drew it anew, or has a hand on the knob.
        """
        here = min(max(self._first_frame - region.start, 0), region.frames)
        values = np.full(region.frames, self.hold(key), np.float32)
        values[:here] = self._first_values[key]
        layers = [self._tracked(key)] if key in self._departed else [self._before, self._tracked(key)]
        for layer in layers:
            known = layer.over(key, region)
            np.copyto(values, known, where=~np.isnan(known))
        return values

    def curve(self, key: str, region: Region) -> float | NDArray[np.float32]:
        """As `frames`; a number, rounded to float32, where the lane never moved: most of a project's do not."""
        return float(np.float32(self._held[key])) if key in self._still else self.frames(key, region)

    def rises(self, key: str) -> int:
        """How often a switch was turned on after the start, before what was settled."""
        return len(self._rises[key])

    def rises_until(self, key: str, position: int) -> int:
        """How often a switch was turned on after the start, up to and at a song sample that was settled."""
        return bisect_right(self._rises[key], position)

    def as_of(self, frame: int) -> Drawn:
        """The lanes as a snapshot of a frame that was reached reads them: what is in force is the value in that frame.

        A lane's is the one at the frame's centre, a stepped parameter's the one at its start.
        """
        return _AsOf(self, Region(frame, 1))

    def remember(self) -> Memory:
        """What the next round of a loop may reuse: this pass's frames over those of the rounds before."""
        tracks = {row.key: self._tracked(row.key) for row in TABLE.lanes}
        some = next(iter(tracks.values()))
        reached = some.start + len(next(iter(some.values.values())))
        longest = max((len(kept) for kept in self._before.values.values()), default=0)
        start = min(some.start, self._before.start) if longest else some.start
        end = max(reached, self._before.start + longest)
        start, end = max(start, reached - KEPT_FRAMES), min(end, max(start, reached - KEPT_FRAMES) + KEPT_FRAMES)
        kept = Region(start, end - start)
        new = {key: track.over(key, kept) for key, track in tracks.items()}
        return Memory(start, {k: np.where(np.isnan(v), self._before.over(k, kept), v) for k, v in new.items()})

    def _tracked(self, key: str) -> Memory:
        track = self._known[key]
        return Memory(track.start, {key: track.values})

    def _reach(self, key: str, limit: int) -> None:
        lane, counted = self._lanes[key], self._counted[key]
        passed = lane.before(limit)
        for index in range(counted, passed):
            before, value = lane.value(index - 1), lane.value(index)
            self.changes += value != before
            if before < ON <= value and key in self._rises:
                self._rises[key].append(lane.position(index))
        self._held[key] = lane.at(limit - 1)
        lane.forget(passed - 1)  # the last one passed stays: a ramp may start there
        self._counted[key] = 1

    def _fill(self, key: str, frame: int) -> None:
        if frame <= self._reached:
            return
        where = first_samples if key in self._stepped else centres
        positions = where(np.arange(self._reached, frame), self.rate)
        lane = self._lanes[key]
        alone = len(positions) == 1  # the usual case, for which arrays are a detour
        values = np.array([lane.at(int(positions[0]))]) if alone else lane.sample(positions)
        self._known[key].append(values)
        if key in self._before.values and key not in self._still and key not in self._departed:
            self._compare(key, Region(self._reached, len(values)), values)

    def _compare(self, key: str, region: Region, values: NDArray[np.float64]) -> None:
        away = np.abs(values - self._before.over(key, region))
        if (away > DEPARTED * (TABLE[key].max - TABLE[key].min)).any():  # not a number where nothing is remembered
            self._departed.add(key)


@dataclass(frozen=True)
class _AsOf:
    lanes: LaneSet
    frame: Region

    def hold(self, key: str) -> float:
        return float(self.lanes.frames(key, self.frame)[0])

    def frames(self, key: str, region: Region) -> NDArray[np.float32]:
        return self.lanes.frames(key, region)

    def curve(self, key: str, region: Region) -> float | NDArray[np.float32]:
        return self.lanes.curve(key, region)

    def rises(self, key: str) -> int:
        return self.lanes.rises_until(key, first_sample(self.frame.start, self.lanes.rate))
