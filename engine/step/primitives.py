"""The maths of one denoising step, for any number of rows R at once.

x, velocity, noise and latents are [R, T, 64] float32, curves [R, T, 1], times [R, 1, 1]. Only multiplications,
additions and subtractions, one rounding each: a row's bits do not depend on how many rows or vector lanes are computed
together. Fused operations (lerp, addcmul) are avoided for that reason.
"""

import torch
from torch import Tensor


def mix(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """(1 - weight) a + weight b; exactly a where weight is 0 and exactly b where it is 1 (for finite a, b)."""
    return (1.0 - weight) * a + weight * b


def noised(noise: Tensor, clean: Tensor, time: Tensor) -> Tensor:
    """x at a time t: t noise + (1 - t) clean."""
    return time * noise + (1.0 - time) * clean


def clean(x: Tensor, velocity: Tensor, time: Tensor) -> Tensor:
    """The clean latent that a velocity points at: x - t v."""
    return x - time * velocity


def euler(x: Tensor, velocity: Tensor, interval: Tensor) -> Tensor:
    """x + (t' - t) v; with t' = 0 that is the clean latent."""
    return x + velocity * interval


def toward(x: Tensor, clean: Tensor, left: Tensor) -> Tensor:
    """Euler along (x - clean) / t, with left = t' / t: exactly the clean latent where nothing is left."""
    return mix(clean, x, left)


def kept(latent: Tensor, source: Tensor, weight: Tensor) -> Tensor:
    """A latent with its preserved frames replaced by the source's, bit for bit where the mask's weight is 0."""
    return torch.where(weight == 0.0, source, mix(source, latent, weight))


def ramp(taken: int, steps: int, gate: float) -> float:
    """How far a curve over the frames has grown at a step: 0 until the gate, a share of the steps, then up to 1."""
    progress = taken / max(steps - 1, 1)
    return max(0.0, progress - gate) / max(1.0 - gate, 1e-6)
