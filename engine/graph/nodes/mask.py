"""Masks: which frames are generated and which are preserved."""

from typing import Annotated

import numpy as np

from engine.graph.declare import Family, param, port
from engine.graph.values import FrameCurve, Latent, Mask
from engine.request.curves import sample

family = Family("mask")


@family.node("TemporalMask")
def temporal_mask(
    latent: Annotated[Latent, port("Whose frames.")],
    curve: Annotated[FrameCurve | None, port("Mask per frame, limited to 0 .. 1, in place of the value.")],
    value: Annotated[float, param(0.5, "Mask at every frame: 1 generates, 0 preserves.", low=0.0, high=1.0)],
) -> Mask:
    """A mask as long as a latent."""
    drawn = value if curve is None else np.clip(curve.values, 0.0, 1.0)
    return Mask(sample(drawn, latent.frames.shape[0], "curve", 0.0, 1.0))


@family.node("SetLatentNoiseMask")
def set_latent_noise_mask(
    latent: Annotated[Latent, port("The source.")],
    mask: Annotated[Mask, port("1 generates, 0 preserves; resampled to the latent.")],
) -> Latent:
    """A source of which only a part is generated again."""
    return Latent(latent.frames, sample(mask.values, latent.frames.shape[0], "mask", 0.0, 1.0))


@family.node("InvertMask")
def invert_mask(mask: Annotated[Mask, port("What is turned around.")]) -> Mask:
    """Preserve what was generated, and generate what was preserved."""
    return Mask(np.float32(1.0) - mask.values)
