"""A further prompt of a request: what it says, where it counts and at which steps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.request.conditioning import Conditioning
from engine.request.curves import Curve, sample
from engine.request.fields import interval


@dataclass(frozen=True, eq=False, kw_only=True)
class Condition:
    """A prompt with a weight per frame and a range of steps. Checked when its request is submitted, not here.

    The velocities of all conditions that are active at a step are averaged per frame by their weights.

    Attributes:
        conditioning: the prompt.
        weight: curve >= 0, its share at each frame; 0 everywhere costs no forward.
        steps: (start, end) in shares of the schedule, 0 <= start <= end <= 1: it is active at step i of n where
            start <= i / n < end.
    """

    conditioning: Conditioning
    weight: Curve = 1.0
    steps: tuple[float, float] = (0.0, 1.0)


def combine_conditionings(
    a: Conditioning, b: Conditioning, weight_b: Curve = 0.5, steps_b: tuple[float, float] = (0.0, 1.0)
) -> tuple[Condition, Condition]:
    """Two prompts that share every frame: A weighs 1 - weight_b, and all there is at steps outside B's.

    For a request: its `conditioning` and `weight` are the first one's, and the second is one of its `conditions`.

    Args:
        a, b: the prompts.
        weight_b: curve 0 .. 1.
        steps_b: where B is active, as in `Condition.steps`.

    Raises:
        RequestError: weight_b or steps_b.
    """
    first, second = combine_conditions((Condition(conditioning=a),), (Condition(conditioning=b),), weight_b, steps_b)
    return first, second


def combine_conditions(
    a: Sequence[Condition], b: Sequence[Condition], weight_b: Curve = 0.5, steps_b: tuple[float, float] = (0.0, 1.0)
) -> tuple[Condition, ...]:
    """The same for prompts that are combinations already: weights multiply, and what is in B keeps within its steps.

    Raises:
        RequestError: a weight or a range of steps.
    """
    weight = sample(weight_b, np.size(weight_b), "weight_b", 0.0, 1.0)
    start, end = interval("steps_b", steps_b)
    rest = np.asarray(1.0 - weight, dtype=np.float32)
    kept = (replace(entry, weight=_times(entry.weight, rest)) for entry in a)
    added = (replace(entry, weight=_times(entry.weight, weight), steps=_within(entry.steps, start, end)) for entry in b)
    return (*kept, *added)


def _times(weight: Curve, factor: NDArray[np.float32]) -> NDArray[np.float32]:
    values = max(np.size(weight), factor.size)
    return sample(weight, values, "weight", 0.0) * sample(factor, values, "weight")


def _within(steps: tuple[float, float], start: float, end: float) -> tuple[float, float]:
    first = max(steps[0], start)
    return first, max(first, min(steps[1], end))  # ranges that do not meet leave none
