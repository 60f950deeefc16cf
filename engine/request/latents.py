"""Latents as values that are mixed."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.checks import frozen
from engine.constants import LATENT_CHANNELS
from engine.errors import RequestError
from engine.request.curves import Curve, sample


def blend_latents(a: ArrayLike, b: ArrayLike, alpha: Curve = 0.5) -> NDArray[np.float32]:
    """(1 - alpha) a + alpha b per frame; exactly a where alpha is 0 and exactly b where it is 1.

    Args:
        a, b: [T, 64] of one length: latents, or hints.
        alpha: curve 0 .. 1.

    Returns:
        [T, 64] float32, read-only.

    Raises:
        RequestError: wrong shape, lengths that differ, not finite, or a bad curve.
    """
    first = frozen(a, (None, LATENT_CHANNELS), "a")
    second = frozen(b, (None, LATENT_CHANNELS), "b")
    if first.shape != second.shape:
        problem = f"is not as long as a, which has {first.shape[0]} frames"
        raise RequestError("b", f"array{list(second.shape)}", problem, "Cut or prepare both to one length.")
    weight = sample(alpha, first.shape[0], "alpha", 0.0, 1.0)[:, None]
    mixed = np.asarray((1.0 - weight) * first + weight * second, dtype=np.float32)
    mixed[weight[:, 0] == 0.0] = first[weight[:, 0] == 0.0]  # a signed zero times 1 plus 0 would lose its sign
    mixed[weight[:, 0] == 1.0] = second[weight[:, 0] == 1.0]
    mixed.setflags(write=False)
    return mixed
