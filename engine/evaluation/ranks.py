"""Whether one thing rises with another."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from scipy import stats as untyped

_stats = cast(Any, untyped)


def spearman(values: Sequence[float], effects: Sequence[float]) -> float:
    """Rank correlation -1 .. 1: 1 where each step up of a value, all different, has more effect; 0 without any."""
    if float(np.ptp(effects)) == 0.0:
        return 0.0
    return float(_stats.spearmanr(values, effects).statistic)
