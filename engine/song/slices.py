"""A part of a request: the same generation, asked for some of its frames."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.checks import whole
from engine.request.condition import Condition
from engine.request.conditioning import Conditioning
from engine.request.curves import Curve, sample
from engine.request.dcw import Dcw
from engine.request.request import Request
from engine.request.source import Source

CURVES: Final = frozenset(
    {
        "prompt_blend", "weight", "hint_strength", "chunk_mask", "velocity_scale", "sde_denoise", "ode_noise",
        "initial_noise", "x0_strength", "x0_curve", "mask", "guidance", "apg_momentum", "cfg_rescale",
    }
)  # fmt: skip
"""Fields with one value per frame, or one for all."""

LATENTS: Final = frozenset({"hints", "x0_target"})
"""Fields with one row per frame."""

UNCHANGED: Final = frozenset(
    {
        "conditioning", "conditioning_b", "condition_steps", "seed", "denoise", "steps", "shift", "timesteps", "solver",
        "x0_gate", "mask_strength", "guidance_mode", "guidance_interval", "apg_eta", "apg_norm_threshold", "loras",
        "control_version", "tag",
    }
)  # fmt: skip
"""Fields that say the same for every frame."""


def slice_request(request: Request, first: int, frames: int) -> Request:
    """The request of frames [first, first + frames) of a song's request, with the noise that the song has there.

    Curves are resampled to the song's length before they are cut, so that a curve means the same in every part.

    Args:
        request: of the whole song.
        first: frame of the request, even: a DiT patch is 2 frames.
        frames: T of the part.

    Raises:
        RequestError: the part is not inside the request, or a curve is not one.
    """
    total = whole("request.frames", request.frames, 1, 2**63)
    count = whole("frames", frames, 1, total)
    start = whole("first", first, 0, total - count)
    if count == total:
        return request
    part = _Part(total, start, start + count)
    changes: dict[str, Any] = {name: part.curve(getattr(request, name), name) for name in CURVES}
    changes |= {name: part.rows(getattr(request, name)) for name in LATENTS}
    return replace(
        request,
        frames=count,
        noise_start=request.noise_start + start,
        source=part.source(request.source),
        conditions=part.conditions(request.conditions),
        negative=part.negative(request.negative),
        channel_gain=part.gain(request.channel_gain),
        dcw=part.dcw(request.dcw),
        **changes,
    )


@dataclass(frozen=True)
class _Part:
    """Cuts frames [first, last) out of what belongs to a song of `total` frames."""

    total: int
    first: int
    last: int

    def curve(self, curve: Curve | None, field: str) -> Curve | None:
        if curve is None or np.size(curve) <= 1:
            return curve
        return sample(curve, self.total, field)[self.first : self.last]

    def rows(self, latent: ArrayLike | None) -> ArrayLike | None:
        return None if latent is None else np.asarray(latent)[self.first : self.last]

    def source(self, source: Source | None) -> Source | None:
        if source is None:
            return None
        return Source(latent=source.latent[self.first : self.last], hints=source.hints[self.first : self.last])

    def conditions(self, conditions: Sequence[Condition]) -> tuple[Condition, ...]:
        return tuple(replace(one, weight=self.curve(one.weight, "weight")) for one in conditions)

    def negative(
        self, negative: Conditioning | Sequence[Condition] | None
    ) -> Conditioning | tuple[Condition, ...] | None:
        return negative if negative is None or isinstance(negative, Conditioning) else self.conditions(negative)

    def gain(self, gain: Sequence[float] | NDArray[np.float32] | None) -> Sequence[float] | NDArray[np.float32] | None:
        if isinstance(gain, np.ndarray) and gain.ndim == 2:
            return gain[self.first : self.last]
        return gain

    def dcw(self, dcw: Dcw | None) -> Dcw | None:
        if dcw is None:
            return None
        values = {field.name: getattr(dcw, field.name) for field in fields(dcw)}
        curves = {name: self.curve(value, f"dcw.{name}") for name, value in values.items() if np.ndim(value) == 1}
        return replace(dcw, **curves)
