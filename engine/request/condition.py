"""A further prompt of a request: what it says, where it counts and at which steps."""

from dataclasses import dataclass

from engine.request.conditioning import Conditioning
from engine.request.curves import Curve


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
