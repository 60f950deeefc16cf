"""Curves: one float per latent frame, or one float for all of them."""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import RequestError

Curve: TypeAlias = float | NDArray[np.float32]
"""A constant, or values [n] spread evenly over a generation's frames."""


def sample(
    curve: ArrayLike, frames: int, field: str, low: float = -np.inf, high: float = np.inf
) -> NDArray[np.float32]:
    """Evaluate a curve at every frame.

    Args:
        curve: a number, or an array [n]. n == frames is taken as it is; any other length is resampled linearly with
            both end points kept (first value at the first frame, last value at the last).
        frames: T, the number of frames wanted.
        field: name used in errors.
        low, high: accepted range of values, inclusive.

    Returns:
        A new array [T] float32.

    Raises:
        RequestError: not numeric, more than one axis, empty, not finite or out of range.
    """
    try:
        values = np.asarray(curve, dtype=np.float64)
    except (TypeError, ValueError):
        raise RequestError(
            field, type(curve).__name__, "is not a number or an array of numbers", "Pass a float or an array [T]."
        ) from None
    if values.ndim > 1 or values.size == 0:
        raise RequestError(
            field, f"array{list(values.shape)}", "is not a curve", "Pass a float or a non-empty array with one axis."
        )
    _check_values(values.reshape(-1), field, low, high)
    if values.ndim == 0 or values.size == 1:
        return np.full(frames, values.reshape(-1)[0], dtype=np.float32)
    if values.size == frames:
        return values.astype(np.float32)
    positions = np.linspace(0.0, values.size - 1.0, frames)
    return np.interp(positions, np.arange(values.size), values).astype(np.float32)


def _check_values(values: NDArray[np.float64], field: str, low: float, high: float) -> None:
    # Values are compared as float32, which is what the step maths will see.
    with np.errstate(over="ignore"):  # what overflows becomes infinite, which is refused below
        single = values.astype(np.float32)
    bad = ~np.isfinite(single) | (single < low) | (single > high)
    if not bad.any():
        return
    where = int(np.argmax(bad))
    at = field if values.size == 1 else f"{field}[{where}]"
    if not np.isfinite(single[where]):
        raise RequestError(
            at, float(values[where]), "is not finite in float32", "Remove NaN and infinite values from the curve."
        )
    raise RequestError(at, float(values[where]), "is out of range", f"Keep {field} between {low:g} and {high:g}.")
