"""Named groups of latent channels and their gains."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.constants import LATENT_CHANNELS
from engine.errors import RequestError
from engine.request.curves import Curve, sample

GROUPS: Final[Mapping[str, slice]] = {f"g{n}": slice(8 * n, 8 * n + 8) for n in range(8)} | {
    f"ch{n}": slice(n, n + 1) for n in (13, 14, 19, 23, 29, 56)
}
"""Eight groups of eight channels, and the single channels that DEMON's demo names its keystones."""


def channel_gain(gains: Mapping[str, Curve], frames: int) -> NDArray[np.float32]:
    """Gain per frame and channel for `Request.channel_gain`. Gains that meet in a channel multiply.

    Args:
        gains: curve, finite, per group: "g0" .. "g7", "ch13", "ch14", "ch19", "ch23", "ch29", "ch56".
        frames: T.

    Returns:
        [T, 64] float32.

    Raises:
        RequestError: an unknown group, or a bad curve.
    """
    product = np.ones((frames, LATENT_CHANNELS), np.float32)
    for name, curve in gains.items():
        if name not in GROUPS:
            raise RequestError("channel_gain", name, "is not a group of channels", f"Use one of {', '.join(GROUPS)}.")
        product[:, GROUPS[name]] *= sample(curve, frames, name)[:, None]
    return product
