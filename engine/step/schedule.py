"""Flow-matching times of a generation."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=256)
def times(steps: int, shift: float, denoise: float) -> NDArray[np.float32]:
    """Times t[0] > t[1] > ... > t[steps] = 0 of a generation, read-only.

    u falls in equal parts from exactly `denoise` to 0, and t = shift u / (1 + (shift - 1) u); t = 1 is pure noise,
    t = 0 clean.
    Built in float64 and rounded once. diffusers' AceStepPipeline uses the same times for denoise = 1.

    Args:
        steps: number of Euler steps, >= 1.
        shift: > 0; above 1 more of the steps lie near pure noise.
        denoise: 0 .. 1. 0 gives all zeros: nothing to do.

    Returns:
        [steps + 1] float32, the last exactly 0.
    """
    u = denoise * (1.0 - np.arange(steps + 1) / steps)
    # The denominator in this form is exactly shift * u at u = 1, so that t[0] is exactly 1 for every shift.
    t = (shift * u / (shift * u + (1.0 - u))).astype(np.float32)
    t.setflags(write=False)
    return t


def explicit(values: tuple[float, ...]) -> NDArray[np.float32]:
    """Times that were given one by one, the last of them 0, read-only."""
    t = np.array(values, np.float32)
    t.setflags(write=False)
    return t
