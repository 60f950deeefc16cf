"""An opening: a PASS record, and the points that came between it and the pass's first block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Point = tuple[str, int, float, bool]
"""Key, song sample, plain value, and whether it is a ramp."""


@dataclass
class Opening:
    """A pass that is about to begin.

    Attributes:
        number: the pass's number.
        song: song sample at which it starts.
        offline: it is a bounce.
        latency: samples of declared look-ahead; 0 for none.
        points: in the order sent.
        due: it begins as soon as what the pass before taught is worked out.
        covered: song sample before which every point was given meanwhile.
    """

    number: int
    song: int
    offline: bool
    latency: int = 0
    points: list[Point] = field(default_factory=list[Point])
    due: bool = False
    covered: int | None = None

    def first_values(self, otherwise: Mapping[str, float]) -> dict[str, float]:
        """The value of each parameter at the start; one that the host leaves out keeps the value in force."""
        return {**otherwise, **{key: value for key, _, value, _ in reversed(self.points)}}

    def primed_values(self, otherwise: Mapping[str, float]) -> dict[str, float]:
        """What the pass is primed with: the value of each parameter after every point at the start."""
        at_start = {key: value for key, song, value, _ in self.points if song <= self.song}
        return {**self.first_values(otherwise), **at_start}

    @property
    def later_points(self) -> list[Point]:
        """The points after the start."""
        return [point for point in self.points if point[1] > self.song]
