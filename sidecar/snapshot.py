"""A snapshot: everything a generation is asked for, at one virtual frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.lanes import Drawn
from sidecar.region import Region


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The controls at virtual frame `frame`.

    Attributes:
        frame: v, an absolute song frame.
        control_version: counts the changes that are in it.
        prompt_blend, hint_strength, velocity_scale: [T] float32 over the region, read-only.
        denoise: its lane's value at the frame where the generation will first be heard.
        seed_offset: whole number, added to the document's seed.
    """

    frame: int
    control_version: int
    prompt_blend: NDArray[np.float32]
    hint_strength: NDArray[np.float32]
    velocity_scale: NDArray[np.float32]
    denoise: float
    seed_offset: int


def take(lanes: Drawn, region: Region, frame: int, heard: int, version: int) -> Snapshot:
    """The snapshot of lanes that were settled at `frame`.

    Args:
        heard: the frame at which the generation will first be heard; clamped into the region.
        version: control version of the changes in force.
    """
    return Snapshot(
        frame=frame,
        control_version=version,
        prompt_blend=_frozen(lanes.frames("prompt_blend", region)),
        hint_strength=_frozen(lanes.frames("hint_strength", region)),
        velocity_scale=_frozen(lanes.frames("velocity_scale", region)),
        denoise=float(lanes.frames("denoise", region)[region.clamp(heard) - region.start]),
        seed_offset=round(lanes.hold("seed_offset")),
    )


def _frozen(values: NDArray[np.float32]) -> NDArray[np.float32]:
    values.setflags(write=False)
    return values
