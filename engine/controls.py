"""The curves a slot reads anew at every step."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.snapshot import Snapshot


@dataclass(frozen=True, eq=False, kw_only=True)
class Controls:
    """Curves [T, 1] of one slot; None where a curve has its neutral value everywhere, so that nothing is computed."""

    velocity_scale: Tensor
    sde_denoise: Tensor | None
    ode_noise: Tensor | None
    x0_strength: Tensor | None

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """The curves as requested."""
        sde = snapshot.sde_denoise
        return cls(
            velocity_scale=column(snapshot.velocity_scale),
            sde_denoise=None if sde is None else column(sde),
            ode_noise=unless(0.0, snapshot.ode_noise),
            x0_strength=unless(0.0, snapshot.x0_strength),
        )


def column(curve: NDArray[np.float32]) -> Tensor:
    """A curve [T] as [T, 1]."""
    return torch.tensor(curve).unsqueeze(1)


def unless(neutral: float, curve: NDArray[np.float32]) -> Tensor | None:
    """A curve [T] as [T, 1], or None if it is neutral everywhere."""
    return None if bool((curve == neutral).all()) else column(curve)
