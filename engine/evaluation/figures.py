"""What a measurement found, and what it should have been."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

Done: TypeAlias = Callable[[], None]
"""Called after every part of a measurement."""


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over seeds, or over clips where there are none; `count` of them."""

    mean: float
    deviation: float
    count: int

    @classmethod
    def over(cls, values: Sequence[float]) -> "Spread":
        """Of one value or more."""
        return cls(float(np.mean(values)), float(np.std(values)), len(values))


@dataclass(frozen=True)
class Target:
    """What a figure is to reach: at least `low`, at most `high`."""

    low: float | None = None
    high: float | None = None

    def is_met(self, value: float) -> bool:
        """Whether a value is inside."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row of the table.

    Attributes:
        name: short and stable, for scripts.
        says: what the row says.
        value: what was measured.
        unit: "%" (of a share 0 .. 1), "dB", "dBFS" or "" for a plain number.
        real: the same of real held-out clips, which no model can be expected to pass, or None.
        chance: the same with the prompts dealt anew among what was generated, or None.
        target: or None.
        by: the value in parts, such as per style.
        real_by: the same of `real`, as far as it has parts.
    """

    name: str
    says: str
    value: Spread
    unit: str = ""
    real: float | None = None
    chance: float | None = None
    target: Target | None = None
    by: Mapping[str, float] = field(default_factory=dict[str, float])
    real_by: Mapping[str, float] = field(default_factory=dict[str, float])
