"""A snapshot: everything a generation is asked for, at one virtual frame."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.lanes import Drawn
from sidecar.parameters import TABLE
from sidecar.region import Region

Curve = float | NDArray[np.float32]
"""A lane over the region: [T] float32, read-only, or a number where it never moved."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The engine parameters at virtual frame `frame`.

    Attributes:
        frame: v, an absolute song frame.
        control_version: counts the changes that are in it.
        curves: every lane by key.
        heard: the frame of the region, from 0, at which the generation will first be heard.
        held: every stepped parameter by key, its value in force.
        new_seeds: how often `new_seed` was switched on since the pass began.
    """

    frame: int
    control_version: int
    curves: Mapping[str, Curve]
    heard: int
    held: Mapping[str, float]
    new_seeds: int

    def scalar(self, key: str) -> float:
        """A lane's value at the frame where the generation will first be heard, rounded to float32."""
        curve = self.curves[key]
        return float(curve[self.heard]) if isinstance(curve, np.ndarray) else curve

    def choice(self, key: str) -> int:
        """A stepped parameter as a whole number."""
        return round(self.held[key])

    def is_all(self, key: str, value: float) -> bool:
        """Whether a lane has this value at every frame."""
        curve = self.curves[key]
        return bool((curve == value).all()) if isinstance(curve, np.ndarray) else curve == value


def take(lanes: Drawn, region: Region, frame: int, heard: int, version: int) -> Snapshot:
    """The snapshot of lanes that were settled at `frame`.

    Args:
        heard: the frame at which the generation will first be heard; clamped into the region.
        version: control version of the changes in force.
    """
    engine = [row for row in TABLE if row.target == "engine"]
    return Snapshot(
        frame=frame,
        control_version=version,
        curves={row.key: _frozen(lanes.curve(row.key, region)) for row in engine if row.curve == "lane"},
        heard=region.clamp(heard) - region.start,
        held={row.key: lanes.hold(row.key) for row in engine if row.curve == "stepped"},
        new_seeds=lanes.rises("new_seed"),
    )


def _frozen(curve: Curve) -> Curve:
    if isinstance(curve, np.ndarray):
        curve.setflags(write=False)
    return curve
