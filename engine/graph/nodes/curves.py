"""Curves over the frames of a generation."""

from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from engine.constants import MAX_FRAMES
from engine.graph.declare import Family, param, port
from engine.graph.values import FrameCurve
from engine.request.curves import sample

family = Family("curves")

WAVES: Final = ("sine", "square", "triangle")
OPERATIONS: Final = ("add", "multiply", "min", "max", "lerp")
_LIMIT: Final = 1e6  # far beyond any range a request accepts, and products of two stay finite in float32

Length = Annotated[int, param(1500, "Frames; a generation of another length resamples it.", low=1, high=MAX_FRAMES)]


@family.node("CurveConstant")
def curve_constant(
    value: Annotated[float, param(1.0, "At every frame.", low=-_LIMIT, high=_LIMIT)],
    length: Length,
) -> FrameCurve:
    """One value at every frame."""
    return _curve(np.full(length, value))


@family.node("CurveRamp")
def curve_ramp(
    start: Annotated[float, param(0.0, "At the first frame.", low=-_LIMIT, high=_LIMIT)],
    end: Annotated[float, param(1.0, "At the last frame.", low=-_LIMIT, high=_LIMIT)],
    length: Length,
) -> FrameCurve:
    """A straight line; both ends are met."""
    return _curve(np.linspace(start, end, length))


@family.node("CurveWave")
def curve_wave(
    wave: Annotated[str, param("sine", "Shape: sine and square from -1 to 1, triangle from 0 to 1.", choices=WAVES)],
    frames_per_cycle: Annotated[float, param(50.0, "Frames of one cycle.", low=1.0, high=MAX_FRAMES)],
    amplitude: Annotated[float, param(1.0, "Factor on the shape.", low=-_LIMIT, high=_LIMIT)],
    offset: Annotated[float, param(0.0, "Added to it.", low=-_LIMIT, high=_LIMIT)],
    length: Length,
) -> FrameCurve:
    """A wave that starts a cycle at the first frame."""
    phase = np.mod(np.arange(length), frames_per_cycle) / frames_per_cycle
    if wave == "sine":
        shape = np.sin(2.0 * np.pi * phase)
    elif wave == "square":
        shape = np.where(phase < 0.5, 1.0, -1.0)
    else:
        shape = np.where(phase < 0.5, 2.0 * phase, 2.0 * (1.0 - phase))
    return _curve(shape * amplitude + offset)


@family.node("CurveMath")
def curve_math(
    curve_a: Annotated[FrameCurve, port("First operand; its length is the result's.")],
    curve_b: Annotated[FrameCurve | None, port("Second operand, resampled to the first; 0 without one.")],
    operation: Annotated[str, param("add", "What is done per frame.", choices=OPERATIONS)],
    t: Annotated[float, param(0.5, "Share of the second operand in lerp.", low=0.0, high=1.0)],
) -> FrameCurve:
    """Two curves become one, frame by frame."""
    a = curve_a.values.astype(np.float64)
    b = np.zeros_like(a) if curve_b is None else sample(curve_b.values, a.size, "curve_b").astype(np.float64)
    return _curve(_combine(operation, a, b, t))


def _combine(operation: str, a: NDArray[np.float64], b: NDArray[np.float64], t: float) -> NDArray[np.float64]:
    if operation == "add":
        return a + b
    if operation == "multiply":
        return a * b
    if operation == "min":
        return np.minimum(a, b)
    if operation == "max":
        return np.maximum(a, b)
    return (1.0 - t) * a + t * b


def _curve(values: NDArray[np.float64]) -> FrameCurve:
    return FrameCurve(values.astype(np.float32))
