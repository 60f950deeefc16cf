"""A further prompt of a request: what it says, where it counts and at which steps."""

from dataclasses import dataclass

import numpy as np

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
    weight = sample(weight_b, np.size(weight_b), "weight_b", 0.0, 1.0)
    rest = np.asarray(1.0 - weight, dtype=np.float32)
    return Condition(conditioning=a, weight=rest), Condition(
        conditioning=b, weight=weight, steps=interval("steps_b", steps_b)
    )
