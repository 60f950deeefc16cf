"""The curves a slot reads anew at every step."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.request.snapshot import Snapshot
from engine.step.wavelet import Correction
from engine.stream.changes import Overrides


@dataclass(frozen=True, eq=False, kw_only=True)
class Controls:
    """Curves [T, 1] of one slot; None where a curve has its neutral value everywhere, so that nothing is computed."""

    velocity_scale: Tensor | None
    sde_denoise: Tensor | None
    ode_noise: Tensor | None
    x0_strength: Tensor | None
    guidance: Tensor | None
    apg_momentum: Tensor
    cfg_rescale: Tensor | None
    correction: Correction | None

    @classmethod
    def of(cls, snapshot: Snapshot, overrides: Overrides) -> Self:
        """The curves as requested, each replaced by the override of the same name if there is one."""
        curves = cast(Mapping[str, NDArray[np.float32]], overrides)
        sde = curves.get("sde_denoise", snapshot.sde_denoise)
        guidance = curves.get("guidance", snapshot.guidance)
        return cls(
            velocity_scale=unless(1.0, curves.get("velocity_scale", snapshot.velocity_scale)),
            sde_denoise=None if sde is None else column(sde),
            ode_noise=unless(0.0, curves.get("ode_noise", snapshot.ode_noise)),
            x0_strength=unless(0.0, curves.get("x0_strength", snapshot.x0_strength)),
            guidance=None if guidance is None else unless(1.0, guidance),
            apg_momentum=column(curves.get("apg_momentum", snapshot.apg_momentum)),
            cfg_rescale=unless(0.0, curves.get("cfg_rescale", snapshot.cfg_rescale)),
            correction=_correction(snapshot, curves),
        )


def acts(name: str, snapshot: Snapshot) -> bool:
    """Whether an override means anything to a request: what it was not submitted for it stays without."""
    if name == "sde_denoise":
        return snapshot.source is not None
    if name == "x0_strength":
        return snapshot.x0_target is not None and snapshot.x0_curve is None
    if name in {"guidance", "apg_momentum", "cfg_rescale"}:
        return snapshot.guided
    if name in {"dcw_scaler", "dcw_high_scaler"}:
        return snapshot.dcw is not None
    return True


def column(curve: NDArray[np.float32]) -> Tensor:
    """A curve [T] as [T, 1]."""
    return torch.tensor(curve).unsqueeze(1)


def unless(neutral: float, curve: NDArray[np.float32]) -> Tensor | None:
    """A curve [T] as [T, 1], or None if it is neutral everywhere."""
    return None if bool((curve == neutral).all()) else column(curve)


def _correction(snapshot: Snapshot, curves: Mapping[str, NDArray[np.float32]]) -> Correction | None:
    dcw = snapshot.dcw
    if dcw is None:
        return None
    scaler = curves.get("dcw_scaler", dcw.scaler)
    return Correction.of(replace(dcw, scaler=scaler, high_scaler=curves.get("dcw_high_scaler", dcw.high_scaler)))
