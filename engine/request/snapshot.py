"""The checked snapshot of a request that a slot is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.checks import frozen, number, text, whole
from engine.constants import LATENT_CHANNELS
from engine.errors import RequestError
from engine.request.conditioning import Conditioning
from engine.request.curves import Curve, sample
from engine.request.dcw import DCW_MODES, Dcw
from engine.request.request import MAX_STEPS, Request, even_frames
from engine.request.source import Source

LIVE: Final[Mapping[str, tuple[float, float]]] = {
    "velocity_scale": (-np.inf, np.inf),
    "sde_denoise": (0.0, 1.0),
    "ode_noise": (0.0, np.inf),
    "x0_strength": (0.0, 1.0),
    "guidance": (-np.inf, np.inf),
    "apg_momentum": (-1.0, 1.0),  # beyond it the running direction would grow without bound
    "cfg_rescale": (0.0, 1.0),
}
"""Curves that are read anew at every step, and the range each accepts."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Snapshot:
    """A request that was checked: curves are [T] float32 copies, scalars are plain numbers."""

    conditioning: Conditioning
    conditioning_b: Conditioning | None
    prompt_blend: NDArray[np.float32]
    source: Source | None
    hint_strength: NDArray[np.float32]
    velocity_scale: NDArray[np.float32]
    denoise: float
    seed: int
    steps: int
    shift: float
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
    negative: Conditioning | None
    guidance: NDArray[np.float32] | None
    guidance_mode: str
    guidance_interval: tuple[float, float]
    apg_momentum: NDArray[np.float32]
    cfg_rescale: NDArray[np.float32]
    dcw: tuple[str, NDArray[np.float32], NDArray[np.float32]] | None  # mode, scaler, high_scaler
    control_version: int
    tag: int


def check(request: Request, conditioning_width: int) -> Snapshot:
    """Check every field of a request and freeze it.

    Args:
        request: what the caller asked for; later changes to its arrays have no effect.
        conditioning_width: D of the checkpoint's conditioning.

    Raises:
        RequestError: names the first field that is wrong, its value and the fix.
    """
    frames = even_frames(request.frames)
    steps = whole("steps", request.steps, 1, MAX_STEPS)
    strength = live_curve("x0_strength", request.x0_strength, frames)
    ramp = _optional("x0_curve", request.x0_curve, frames)
    scale = None if request.guidance is None else live_curve("guidance", request.guidance, frames)
    blend = sample(request.prompt_blend, frames, "prompt_blend", 0.0, 1.0)
    return Snapshot(
        conditioning=_conditioning("conditioning", request.conditioning, conditioning_width),
        conditioning_b=_conditioning_b(request, blend, conditioning_width),
        prompt_blend=blend,
        source=_source(request.source, frames),
        hint_strength=sample(request.hint_strength, frames, "hint_strength", 0.0, 1.0),
        velocity_scale=live_curve("velocity_scale", request.velocity_scale, frames),
        denoise=_denoise(request),
        seed=whole("seed", request.seed, 0, 2**64 - 1),
        steps=steps,
        shift=_shift(request.shift),
        frames=frames,
        solver=_one_of("solver", request.solver, ("ode", "sde")),
        sde_denoise=_beside_source(request, "sde_denoise", request.sde_denoise, frames),
        ode_noise=live_curve("ode_noise", request.ode_noise, frames),
        initial_noise=_beside_source(request, "initial_noise", request.initial_noise, frames),
        x0_target=_target(request.x0_target, strength, ramp),
        x0_strength=strength,
        x0_curve=ramp,
        x0_gate=_share("x0_gate", request.x0_gate),
        mask=_beside_source(request, "mask", request.mask, frames),
        mask_strength=_mask_strength(request, steps),
        channel_gain=_gain(request.channel_gain, frames),
        negative=_negative(request, scale, conditioning_width),
        guidance=scale,
        guidance_mode=_one_of("guidance_mode", request.guidance_mode, ("full", "initialize", "self")),
        guidance_interval=_interval(request.guidance_interval),
        apg_momentum=live_curve("apg_momentum", request.apg_momentum, frames),
        cfg_rescale=live_curve("cfg_rescale", request.cfg_rescale, frames),
        dcw=_dcw(request.dcw, frames),
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


def _optional(field: str, value: Curve | None, frames: int) -> NDArray[np.float32] | None:
    return None if value is None else sample(value, frames, field, 0.0, 1.0)


def _beside_source(request: Request, field: str, value: Curve | None, frames: int) -> NDArray[np.float32] | None:
    curve = _optional(field, value, frames)
    if curve is not None and request.source is None:
        raise RequestError(field, "a curve", "needs a source", f"Give a source, or leave {field} out.")
    return curve


def _one_of(field: str, value: object, names: tuple[str, ...]) -> str:
    if text(field, value) not in names:
        raise RequestError(field, value, "is not known", f"Use one of {', '.join(names)}.")
    return str(value)


def _share(field: str, value: object) -> float:
    share = number(field, value, "Pass a number from 0 to 1.")
    if not 0.0 <= share <= 1.0:
        raise RequestError(field, share, "is out of range", f"Keep {field} between 0 and 1.")
    return share


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


def _negative(request: Request, scale: NDArray[np.float32] | None, width: int) -> Conditioning | None:
    if request.negative is not None:
        return _conditioning("negative", request.negative, width)
    if scale is not None and request.guidance_mode != "self" and bool((scale != 1.0).any()):
        fix = "Give a negative prompt such as Session.null_conditioning's, or use the mode self."
        raise RequestError("negative", None, "is needed where guidance is not 1", fix)
    return None


def _interval(value: object) -> tuple[float, float]:
    fix = "Pass (start, end) with 0 <= start <= end <= 1."
    bounds = cast(tuple[object, ...], value) if isinstance(value, tuple) else ()
    if len(bounds) != 2:
        raise RequestError("guidance_interval", cast(object, value), "is not a pair", fix)
    start, end = (number("guidance_interval", bound, fix) for bound in bounds)
    if not 0.0 <= start <= end <= 1.0:
        raise RequestError("guidance_interval", (start, end), "is out of order or out of range", fix)
    return start, end


def _dcw(value: object, frames: int) -> tuple[str, NDArray[np.float32], NDArray[np.float32]] | None:
    if value is None:
        return None
    if not isinstance(value, Dcw):
        raise RequestError("dcw", type(value).__name__, "is not a Dcw", "Pass engine.Dcw(...), or None.")
    return (
        _one_of("dcw.mode", value.mode, DCW_MODES),
        sample(value.scaler, frames, "dcw.scaler"),
        sample(value.high_scaler, frames, "dcw.high_scaler"),
    )


def _gain(value: Sequence[float] | NDArray[np.float32] | None, frames: int) -> NDArray[np.float32] | None:
    if value is None:
        return None
    if isinstance(value, np.ndarray) and value.ndim == 2:
        return frozen(value, (frames, LATENT_CHANNELS), "channel_gain")
    return frozen(value, (LATENT_CHANNELS,), "channel_gain").reshape(1, -1)


def _denoise(request: Request) -> float:
    denoise = _share("denoise", request.denoise)
    if denoise < 1.0 and request.source is None:
        raise RequestError("denoise", denoise, "needs a source below 1", "Set denoise to 1, or give a source.")
    return denoise


def _shift(value: object) -> float:
    shift = number("shift", value, "Pass a number above 0, 3 for turbo checkpoints.")
    if shift <= 0.0:
        raise RequestError("shift", shift, "is not above 0", "Pass a number above 0, 3 for turbo checkpoints.")
    return shift


def _conditioning(field: str, value: object, width: int) -> Conditioning:
    if not isinstance(value, Conditioning):
        raise RequestError(
            field, type(value).__name__, "is not a Conditioning", "Pass what Session.encode_text returned."
        )
    if value.states.shape[1] != width:
        problem = f"is not {width} wide as this checkpoint needs"
        raise RequestError(field, f"states{list(value.states.shape)}", problem, "Encode the prompt with this session.")
    return value


def _conditioning_b(request: Request, blend: NDArray[np.float32], width: int) -> Conditioning | None:
    if request.conditioning_b is not None:
        return _conditioning("conditioning_b", request.conditioning_b, width)
    if blend.any():
        raise RequestError(
            "conditioning_b",
            None,
            "is needed where prompt_blend is above 0",
            "Give prompt B, or set prompt_blend to 0.",
        )
    return None


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
