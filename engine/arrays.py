"""Checked, frozen float32 arrays: what crosses the engine's boundary."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import RequestError


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
