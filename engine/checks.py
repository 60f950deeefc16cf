"""Checks of what crosses the engine's boundary: whole numbers, real numbers, text and float32 arrays."""

import math
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import RequestError


def whole(field: str, value: object, low: int, high: int) -> int:
    """The value as an int in low .. high.

    Raises:
        RequestError: not a whole number (a bool is not one), or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise RequestError(field, value, "is not a whole number", f"Pass an int from {low} to {high}.")
    number = int(value)
    if not low <= number <= high:
        raise RequestError(field, number, "is out of range", f"Keep {field} between {low} and {high}.")
    return number


def number(field: str, value: object, fix: str) -> float:
    """The value as a finite float.

    Raises:
        RequestError: not a real number, or NaN or infinite.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise RequestError(field, value, "is not a finite number", fix)
    return float(value)


def text(field: str, value: object) -> str:
    """The value as text.

    Raises:
        RequestError: not a str.
    """
    if not isinstance(value, str):
        raise RequestError(field, type(value).__name__, "is not text", "Pass a str.")
    return value


def frozen(values: ArrayLike, shape: tuple[int | None, ...], field: str) -> NDArray[np.float32]:
    """A read-only, C-contiguous float32 array of the given shape. Copies unless the input already is one.

    Args:
        values: anything numpy reads as numbers.
        shape: wanted length per axis, None for any length >= 1.
        field: name used in errors.

    Raises:
        RequestError: wrong shape, not numeric, or not finite.
    """
    try:
        array = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError):
        raise RequestError(
            field, type(values).__name__, "is not an array of numbers", "Pass a numeric array."
        ) from None
    wanted = "[" + ", ".join("any" if n is None else str(n) for n in shape) + "]"
    fits = array.ndim == len(shape) and all(
        n == want or (want is None and n > 0) for n, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        raise RequestError(field, f"array{list(array.shape)}", "has the wrong shape", f"Pass an array {wanted}.")
    if not np.isfinite(array).all():
        raise RequestError(field, f"array{list(array.shape)}", "holds NaN or infinite values", "Pass finite values.")
    if array.flags.writeable or not array.flags.c_contiguous or array.base is not None:
        array = array.copy(order="C")
        array.setflags(write=False)
    return array
