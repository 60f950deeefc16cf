"""The timbre reference: a latent as the condition encoder wants to hear it."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.checks import frozen
from engine.constants import LATENT_CHANNELS
from engine.request.fields import share
from engine.request.latents import blend_latents
from engine.request.source import Source

TIMBRE_FRAMES: Final = 750  # 30 s, as in ACE-Step's training and in diffusers' pipeline
_SEGMENT: Final = 250  # three segments of 10 s


def reference(timbre: Source | ArrayLike | None, strength: float, silence: NDArray[np.float32]) -> NDArray[np.float32]:
    """The 30 s that the timbre is taken from.

    The first 10 s of the reference, 10 s from a third of it on, and its last 10 s; a reference shorter than 30 s is
    repeated first. diffusers' pipeline cuts the same pieces from audio before it encodes them.

    Args:
        timbre: a source or a latent [T, 64]; None: silence, which is no reference.
        strength: 0 .. 1, between silence (0) and the reference (1), both exact.
        silence: [750, 64].

    Returns:
        [750, 64] float32.

    Raises:
        RequestError: timbre or strength.
    """
    part = share("timbre_strength", strength)
    if timbre is None:
        return silence
    latent = timbre.latent if isinstance(timbre, Source) else frozen(timbre, (None, LATENT_CHANNELS), "timbre")
    return blend_latents(silence, _segments(latent), part)


def _segments(latent: NDArray[np.float32]) -> NDArray[np.float32]:
    repeated = np.tile(latent, (-(-TIMBRE_FRAMES // latent.shape[0]), 1))  # once, where it is long enough
    middle = repeated.shape[0] // 3
    return np.concatenate([repeated[:_SEGMENT], repeated[middle : middle + _SEGMENT], repeated[-_SEGMENT:]])
