"""When a generation steps: denoise, shift, explicit times."""

import numpy as np

from engine.checks import number, whole
from engine.errors import RequestError
from engine.request.fields import share
from engine.request.request import MAX_STEPS, Request


def denoise(request: Request) -> float:
    """How far the source is noised.

    Raises:
        RequestError: not 0 .. 1, or below 1 without a source.
    """
    found = share("denoise", request.denoise)
    if found < 1.0 and request.source is None:
        raise RequestError("denoise", found, "needs a source below 1", "Set denoise to 1, or give a source.")
    return found


def shift(value: object) -> float:
    """The timestep shift.

    Raises:
        RequestError: not a finite number above 0.
    """
    found = number("shift", value, "Pass a number above 0, 3 for turbo checkpoints.")
    if found <= 0.0:
        raise RequestError("shift", found, "is not above 0", "Pass a number above 0, 3 for turbo checkpoints.")
    return found


def steps(request: Request, explicit: tuple[float, ...] | None) -> int:
    """How many steps: what was asked for, or as many as there are explicit times above 0.

    Raises:
        RequestError: not a whole number in 1 .. 64.
    """
    asked = whole("steps", request.steps, 1, MAX_STEPS)
    return asked if explicit is None else len(explicit) - 1


def timesteps(request: Request) -> tuple[float, ...] | None:
    """Explicit times with their last 0, or None.

    Raises:
        RequestError: not 1 .. 64 falling times in 0 .. 1, a start below 1 without a source, or denoise beside them.
    """
    if request.timesteps is None:
        return None
    times = _times(request.timesteps)
    if times[0] < 1.0 and request.source is None:
        raise RequestError("timesteps", times[0], "needs a source to start below 1", "Start at 1, or give a source.")
    if request.denoise != 1.0:
        problem = "already says how far the source is noised"
        raise RequestError("timesteps", times[0], problem, "Leave denoise at 1, or leave timesteps out.")
    return times


def _times(value: object) -> tuple[float, ...]:
    fix = f"Pass 1 to {MAX_STEPS} times that fall from at most 1, such as [1.0, 0.9, 0.75, 0.5]."
    try:
        given = np.asarray(value, np.float32)
    except (TypeError, ValueError):
        raise RequestError("timesteps", type(value).__name__, "is not a list of numbers", fix) from None
    if given.ndim != 1 or given.size == 0:
        raise RequestError("timesteps", f"array{list(given.shape)}", "is not a list of times", fix)
    times = given if given[-1] == 0.0 else np.append(given, np.float32(0.0))
    if not 1 <= times.size - 1 <= MAX_STEPS:
        raise RequestError("timesteps", times.size - 1, "is not a count of steps that can be taken", fix)
    # written so that NaN fails too
    if not (times[0] <= 1.0 and bool((np.diff(times) < 0.0).all())):
        raise RequestError("timesteps", [float(time) for time in given], "does not fall, or is out of range", fix)
    return tuple(float(time) for time in times)
