"""Gains of latent channels, by the names of groups of them."""

from collections.abc import Mapping
from typing import Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from engine.checks import text, whole
from engine.constants import LATENT_CHANNELS
from engine.errors import RequestError
from engine.request.curves import Curve, sample

Channels: TypeAlias = str | tuple[int, int]
"""A group's name, or the first and the last of a run of channels."""

GROUPS: Final[Mapping[str, slice]] = {f"g{n}": slice(8 * n, 8 * n + 8) for n in range(8)} | {
    f"ch{n}": slice(n, n + 1) for n in (13, 14, 19, 23, 29, 56)
}
"""Eight groups of eight channels, and the single channels that DEMON's demo names its keystones."""


def channel_gain(gains: Mapping[Channels, Curve] | Mapping[str, Curve], frames: int) -> NDArray[np.float32]:
    """Gain per frame and channel for `Request.channel_gain`. Gains that meet in a channel multiply.

    Args:
        gains: curve, finite, per group: "g0" .. "g7", "ch13", "ch14", "ch19", "ch23", "ch29", "ch56"; or per run of
            channels (first, last), each 0 .. 63, both included.
        frames: T.

    Returns:
        [T, 64] float32.

    Raises:
        RequestError: an unknown group, a run that is none, or a bad curve.
    """
    product = np.ones((frames, LATENT_CHANNELS), np.float32)
    for channels, curve in gains.items():
        product[:, _span(channels)] *= sample(curve, frames, f"channel_gain[{channels!r}]")[:, None]
    return product


def _span(channels: object) -> slice:
    if isinstance(channels, tuple):
        pair = cast(tuple[object, ...], channels)
        if len(pair) != 2:
            raise RequestError("channel_gain", pair, "is not a run of channels", "Pass (first, last).")
        last = whole("channel_gain", pair[1], 0, LATENT_CHANNELS - 1)
        return slice(whole("channel_gain", pair[0], 0, last), last + 1)
    if text("channel_gain", channels) not in GROUPS:
        fix = f"Use one of {', '.join(GROUPS)}, or a run (first, last)."
        raise RequestError("channel_gain", channels, "is not a group of channels", fix)
    return GROUPS[str(channels)]
