"""The curves a slot reads anew at every step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.request.snapshot import Snapshot


@dataclass(frozen=True, eq=False, kw_only=True)
class Controls:
    """Curves [T, 1] of one slot; None where a curve has its neutral value everywhere, so that nothing is computed."""

    velocity_scale: Tensor
    sde_denoise: Tensor | None
    ode_noise: Tensor | None
    x0_strength: Tensor | None
    guidance: Tensor | None
    apg_momentum: Tensor
    cfg_rescale: Tensor | None

    @classmethod
    def of(cls, snapshot: Snapshot, shared: Mapping[str, NDArray[np.float32]]) -> Self:
        """The curves as requested, each replaced by the shared one [T] of the same name if there is one."""
        sde = shared.get("sde_denoise", snapshot.sde_denoise)
        guidance = shared.get("guidance", snapshot.guidance)
        return cls(
            velocity_scale=column(shared.get("velocity_scale", snapshot.velocity_scale)),
            sde_denoise=None if sde is None else column(sde),
            ode_noise=unless(0.0, shared.get("ode_noise", snapshot.ode_noise)),
            x0_strength=unless(0.0, shared.get("x0_strength", snapshot.x0_strength)),
            guidance=None if guidance is None else unless(1.0, guidance),
            apg_momentum=column(shared.get("apg_momentum", snapshot.apg_momentum)),
            cfg_rescale=unless(0.0, shared.get("cfg_rescale", snapshot.cfg_rescale)),
        )


def column(curve: NDArray[np.float32]) -> Tensor:
    """A curve [T] as [T, 1]."""
    return torch.tensor(curve).unsqueeze(1)


def unless(neutral: float, curve: NDArray[np.float32]) -> Tensor | None:
    """A curve [T] as [T, 1], or None if it is neutral everywhere."""
    return None if bool((curve == neutral).all()) else column(curve)
