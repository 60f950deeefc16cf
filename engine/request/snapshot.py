"""The checked snapshot of a request that a slot is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.checks import frozen, number, text, whole
from engine.constants import LATENT_CHANNELS
from engine.errors import RequestError
from engine.request import prompts, timing
from engine.request.curves import Curve, sample
from engine.request.dcw import CheckedDcw, checked
from engine.request.fields import interval, one_of, optional_curve, share
from engine.request.prompts import Prompt
from engine.request.request import Request, even_frames
from engine.request.source import Source

GUIDANCE_MODES: Final = ("full", "initialize", "self")

LIVE: Final[Mapping[str, tuple[float, float]]] = {
    "velocity_scale": (-np.inf, np.inf),
    "sde_denoise": (0.0, 1.0),
    "ode_noise": (0.0, np.inf),
    "x0_strength": (0.0, 1.0),
    "guidance": (-np.inf, np.inf),
    "apg_momentum": (-1.0, 1.0),  # beyond it the running direction would grow without bound
    "cfg_rescale": (0.0, 1.0),
    "dcw_scaler": (-np.inf, np.inf),
    "dcw_high_scaler": (-np.inf, np.inf),
}
"""Curves that are read anew at every step, and the range each accepts; the last two are those of Dcw."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Snapshot:
    """A request that was checked: curves are [T] float32 copies, scalars are plain numbers."""

    prompts: tuple[Prompt, ...]
    negative: tuple[Prompt, ...]  # empty for none
    source: Source | None
    hints: NDArray[np.float32] | None  # [T, 64]
    hint_strength: NDArray[np.float32]
    chunk_mask: NDArray[np.float32]
    velocity_scale: NDArray[np.float32]
    denoise: float
    seed: int
    steps: int
    shift: float
    timesteps: tuple[float, ...] | None  # [steps + 1]
    noise_start: int
    frames: int
    solver: str
    sde_denoise: NDArray[np.float32] | None
    ode_noise: NDArray[np.float32]
    initial_noise: NDArray[np.float32] | None
    x0_target: NDArray[np.float32] | None
    x0_strength: NDArray[np.float32]
    x0_curve: NDArray[np.float32] | None
    x0_gate: float
    mask: NDArray[np.float32] | None
    mask_strength: NDArray[np.float32]  # [steps]
    channel_gain: NDArray[np.float32] | None  # [1 or T, 64]
    guidance: NDArray[np.float32] | None
    guidance_mode: str
    guidance_interval: tuple[float, float]
    apg_momentum: NDArray[np.float32]
    apg_eta: float
    apg_norm_threshold: float
    cfg_rescale: NDArray[np.float32]
    dcw: CheckedDcw | None
    loras: Mapping[str, float] | None
    control_version: int
    tag: int

    @property
    def guided(self) -> bool:
        """Whether guidance was asked for, and there is something to guide away from."""
        return self.guidance is not None and (bool(self.negative) or self.guidance_mode == "self")


def check(request: Request, conditioning_width: int) -> Snapshot:
    """Check every field of a request and freeze it.

    Args:
        request: what the caller asked for; later changes to its arrays have no effect.
        conditioning_width: D of the checkpoint's conditioning.

    Raises:
        RequestError: names the first field that is wrong, its value and the fix.
    """
    frames = even_frames(request.frames)
    times = timing.timesteps(request)
    steps = timing.steps(request, times)
    strength = live_curve("x0_strength", request.x0_strength, frames)
    ramp = optional_curve("x0_curve", request.x0_curve, frames)
    scale = None if request.guidance is None else live_curve("guidance", request.guidance, frames)
    return Snapshot(
        prompts=prompts.positive(request, frames, conditioning_width),
        negative=prompts.negative(request, scale, frames, conditioning_width),
        source=_source(request.source, frames),
        hints=None if request.hints is None else frozen(request.hints, (frames, LATENT_CHANNELS), "hints"),
        hint_strength=sample(request.hint_strength, frames, "hint_strength", 0.0, 1.0),
        chunk_mask=sample(request.chunk_mask, frames, "chunk_mask", 0.0, 1.0),
        velocity_scale=live_curve("velocity_scale", request.velocity_scale, frames),
        denoise=timing.denoise(request),
        seed=whole("seed", request.seed, 0, 2**64 - 1),
        steps=steps,
        shift=timing.shift(request.shift),
        timesteps=times,
        noise_start=whole("noise_start", request.noise_start, 0, 2**64 - 1),
        frames=frames,
        solver=one_of("solver", request.solver, ("ode", "sde")),
        sde_denoise=_beside_source(request, "sde_denoise", request.sde_denoise, frames),
        ode_noise=live_curve("ode_noise", request.ode_noise, frames),
        initial_noise=_beside_source(request, "initial_noise", request.initial_noise, frames),
        x0_target=_target(request.x0_target, strength, ramp),
        x0_strength=strength,
        x0_curve=ramp,
        x0_gate=share("x0_gate", request.x0_gate),
        mask=_beside_source(request, "mask", request.mask, frames),
        mask_strength=_mask_strength(request, steps),
        channel_gain=_gain(request.channel_gain, frames),
        guidance=scale,
        guidance_mode=one_of("guidance_mode", request.guidance_mode, GUIDANCE_MODES),
        guidance_interval=interval("guidance_interval", request.guidance_interval),
        apg_momentum=live_curve("apg_momentum", request.apg_momentum, frames),
        apg_eta=number("apg_eta", request.apg_eta, "Pass a number; 0 is APG's."),
        apg_norm_threshold=_norm_threshold(request.apg_norm_threshold),
        cfg_rescale=live_curve("cfg_rescale", request.cfg_rescale, frames),
        dcw=checked(request.dcw, frames),
        loras=_loras(request.loras),
        control_version=whole("control_version", request.control_version, 0, 2**64 - 1),
        tag=whole("tag", request.tag, -(2**63), 2**64 - 1),
    )


def live_curve(name: str, value: ArrayLike, frames: int) -> NDArray[np.float32]:
    """Evaluate a curve that may be overridden while a slot is in flight, within its own limits.

    Raises:
        RequestError: as `engine.request.curves.sample`.
    """
    low, high = LIVE[name]
    return sample(value, frames, name, low, high)


def _beside_source(request: Request, field: str, value: Curve | None, frames: int) -> NDArray[np.float32] | None:
    curve = optional_curve(field, value, frames)
    if curve is not None and request.source is None:
        raise RequestError(field, "a curve", "needs a source", f"Give a source, or leave {field} out.")
    return curve


def _target(
    value: ArrayLike | None, strength: NDArray[np.float32], ramp: NDArray[np.float32] | None
) -> NDArray[np.float32] | None:
    if value is not None:
        return frozen(value, (strength.size, LATENT_CHANNELS), "x0_target")
    if ramp is not None or strength.any():
        raise RequestError(
            "x0_target", None, "is needed by x0_strength and x0_curve", "Give a latent [T, 64], or leave both out."
        )
    return None


def _mask_strength(request: Request, steps: int) -> NDArray[np.float32]:
    if request.mask_strength is None:
        return np.ones(steps, np.float32)
    strength = sample(request.mask_strength, steps, "mask_strength", 0.0, 1.0)
    if request.mask is None:
        raise RequestError("mask_strength", "a curve", "needs a mask", "Give a mask, or leave mask_strength out.")
    return strength


def _norm_threshold(value: object) -> float:
    fix = "Pass a number from 0 on; 2.5 is ACE-Step's, 0 is no limit."
    threshold = number("apg_norm_threshold", value, fix)
    if threshold < 0.0:
        raise RequestError("apg_norm_threshold", threshold, "is below 0", fix)
    return threshold


def _loras(value: object) -> Mapping[str, float] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        fix = 'Pass a strength per name, such as {"night": 0.8}, or None.'
        raise RequestError("loras", type(value).__name__, "is not a mapping", fix)
    named = {
        text("loras", name): number(f"loras[{name!r}]", strength, "Pass a finite number; 0 is off.")
        for name, strength in cast(Mapping[object, object], value).items()
    }
    return MappingProxyType(named)


def _gain(value: Sequence[float] | NDArray[np.float32] | None, frames: int) -> NDArray[np.float32] | None:
    if value is None:
        return None
    if isinstance(value, np.ndarray) and value.ndim == 2:
        return frozen(value, (frames, LATENT_CHANNELS), "channel_gain")
    return frozen(value, (LATENT_CHANNELS,), "channel_gain").reshape(1, -1)


def _source(value: object, frames: int) -> Source | None:
    if value is None:
        return None
    if not isinstance(value, Source):
        raise RequestError(
            "source", type(value).__name__, "is not a Source", "Pass what Session.prepare_source returned."
        )
    if value.frames != frames:
        raise RequestError(
            "frames", frames, f"differs from the source's {value.frames} frames", f"Use frames={value.frames}."
        )
    return value
