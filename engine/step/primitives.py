"""The maths of one denoising step.

Only multiplications, additions and subtractions of float32, one rounding each: their result does not depend on how many
rows or vector lanes are computed together. Fused operations (lerp, addcmul) are avoided for that reason.
"""

import torch
from torch import Tensor


def mix(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """(1 - weight) a + weight b; exactly a where weight is 0 and exactly b where it is 1 (for finite a, b).

    Args:
        a, b: [T, C].
        weight: [T, 1].
    """
    return (1.0 - weight) * a + weight * b


def noised(noise: Tensor, clean: Tensor, time: float) -> Tensor:
    """x at one time: t noise + (1 - t) clean, with 1 - t rounded to float32."""
    t = torch.tensor(time, dtype=torch.float32)
    return t * noise + (1.0 - t) * clean


def euler(x: Tensor, velocity: Tensor, scale: Tensor, interval: Tensor, work: Tensor) -> None:
    """x += (t' - t) (velocity scale), in place, for all rows at once.

    With t' = 0 that is x - t v, the clean latent the velocity points at.

    Args:
        x, velocity, work: [S, T, 64]; work is overwritten.
        scale: [S, T, 1].
        interval: [S, 1, 1], t' - t per row, 0 for rows at rest.
    """
    torch.mul(velocity, scale, out=work)
    work.mul_(interval)
    x.add_(work)
