"""Checks that several fields of a request share."""

from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.checks import number, text
from engine.errors import RequestError
from engine.request.curves import sample


def share(field: str, value: object) -> float:
    """A number from 0 to 1.

    Raises:
        RequestError: it is not.
    """
    found = number(field, value, "Pass a number from 0 to 1.")
    if not 0.0 <= found <= 1.0:
        raise RequestError(field, found, "is out of range", f"Keep {field} between 0 and 1.")
    return found


def one_of(field: str, value: object, names: tuple[str, ...]) -> str:
    """One of some names.

    Raises:
        RequestError: it is not.
    """
    if text(field, value) not in names:
        raise RequestError(field, value, "is not known", f"Use one of {', '.join(names)}.")
    return str(value)


def interval(field: str, value: object) -> tuple[float, float]:
    """A pair (start, end) with 0 <= start <= end <= 1.

    Raises:
        RequestError: it is not.
    """
    fix = "Pass (start, end) with 0 <= start <= end <= 1."
    bounds = cast(tuple[object, ...], value) if isinstance(value, tuple) else ()
    if len(bounds) != 2:
        raise RequestError(field, cast(object, value), "is not a pair", fix)
    start, end = (number(field, bound, fix) for bound in bounds)
    if not 0.0 <= start <= end <= 1.0:
        raise RequestError(field, (start, end), "is out of order or out of range", fix)
    return start, end


def optional_curve(field: str, value: ArrayLike | None, frames: int) -> NDArray[np.float32] | None:
    """A curve [T] from 0 to 1, or None.

    Raises:
        RequestError: as `engine.request.curves.sample`.
    """
    return None if value is None else sample(value, frames, field, 0.0, 1.0)
