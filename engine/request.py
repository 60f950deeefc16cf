"""What a caller asks for, and the checked snapshot of it that a slot is made from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.checks import number, whole
from engine.conditioning import Conditioning
from engine.constants import MAX_FRAMES, MIN_FRAMES
from engine.curves import Curve, sample
from engine.errors import RequestError
from engine.source import Source

MAX_STEPS = 64  # eight times a turbo schedule; a base checkpoint uses 32 to 60


@dataclass(frozen=True, eq=False, kw_only=True)
class Request:
    """One generation, as asked for. Checked when it is submitted, not here.

    Attributes:
        conditioning: prompt A.
        conditioning_b: prompt B, needed only where `prompt_blend` is above 0.
        prompt_blend: curve 0 .. 1, weight of prompt B per frame: velocities are mixed, 0 and 1 are exactly A and B.
        source: what is re-generated; None generates from text alone.
        hint_strength: curve 0 .. 1, the DiT's context per frame, between silence (0) and the source's hints (1);
            without a source it has no effect.
        velocity_scale: curve, finite; factor on the model's velocity per frame.
        denoise: 0 .. 1, how far the source is noised: 0 returns it bit for bit, 1 keeps only its hints.
            Below 1 it needs a source.
        seed: 0 .. 2**64 - 1.
        steps: Euler steps, 1 .. 64.
        shift: timestep shift, > 0 and finite.
        frames: T, even, 30 .. 15000; equals `source.frames`.
        control_version, tag: the caller's own numbers, handed back with the result.
    """

    conditioning: Conditioning
    frames: int
    seed: int = 0
    denoise: float = 1.0
    source: Source | None = None
    conditioning_b: Conditioning | None = None
    prompt_blend: Curve = 0.0
    hint_strength: Curve = 1.0
    velocity_scale: Curve = 1.0
    steps: int = 8
    shift: float = 3.0
    control_version: int = 0
    tag: int = 0


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
    blend = sample(request.prompt_blend, frames, "prompt_blend", 0.0, 1.0)
    return Snapshot(
        conditioning=_conditioning("conditioning", request.conditioning, conditioning_width),
        conditioning_b=_conditioning_b(request, blend, conditioning_width),
        prompt_blend=blend,
        source=_source(request.source, frames),
        hint_strength=sample(request.hint_strength, frames, "hint_strength", 0.0, 1.0),
        velocity_scale=sample(request.velocity_scale, frames, "velocity_scale"),
        denoise=_denoise(request),
        seed=whole("seed", request.seed, 0, 2**64 - 1),
        steps=whole("steps", request.steps, 1, MAX_STEPS),
        shift=_shift(request.shift),
        frames=frames,
        control_version=whole("control_version", request.control_version, 0, 2**64 - 1),
        tag=whole("tag", request.tag, -(2**63), 2**64 - 1),
    )


def even_frames(frames: object) -> int:
    """A generation's length: even, 30 .. 15000.

    Raises:
        RequestError: it is not.
    """
    wanted = whole("frames", frames, MIN_FRAMES, MAX_FRAMES)
    if wanted % 2:
        raise RequestError("frames", wanted, "is odd", "Use an even number of frames; a DiT patch is 2 frames.")
    return wanted


def _denoise(request: Request) -> float:
    denoise = number("denoise", request.denoise, "Pass a number from 0 to 1.")
    if not 0.0 <= denoise <= 1.0:
        raise RequestError("denoise", denoise, "is out of range", "Keep denoise between 0 and 1.")
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
