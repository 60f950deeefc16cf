"""What a caller asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.checks import whole
from engine.constants import MAX_FRAMES, MIN_FRAMES
from engine.errors import RequestError
from engine.request.condition import Condition
from engine.request.conditioning import Conditioning
from engine.request.curves import Curve
from engine.request.dcw import Dcw
from engine.request.source import Source

MAX_STEPS = 64  # eight times a turbo schedule; a base checkpoint uses 32 to 60


@dataclass(frozen=True, eq=False, kw_only=True)
class Request:
    """One generation, as asked for. Checked when it is submitted, not here.

    Attributes:
        conditioning: prompt A.
        conditioning_b: prompt B, needed only where `prompt_blend` is above 0.
        prompt_blend: curve 0 .. 1, weight of prompt B per frame: velocities are mixed, 0 and 1 are exactly A and B.
        weight: curve >= 0, what A and B weigh together beside `conditions`; alone they act in full, whatever it says.
        condition_steps: range of steps at which A and B are active, as in `Condition.steps`.
        conditions: further prompts. At each step the velocities of the active ones, A and B among them, are averaged
            per frame by weight; a frame where all weights are 0 stays as it is. At a step where none is active, A is.
        source: what is re-generated; None generates from text alone.
        hints: [T, 64], context in place of the source's hints: those of another source (a structure reference), a
            blend, or the context of a repaint. Needs no source.
        hint_strength: curve 0 .. 1, the DiT's context per frame, between silence (0) and the hints (1); without a
            source or hints it has no effect.
        chunk_mask: curve 0 .. 1, the context's mask channels: 1 tells the DiT that a frame is to be generated, 0 that
            its context is to be kept, as in a repaint.
        velocity_scale: curve, finite; factor on the model's velocity per frame.
        denoise: 0 .. 1, how far the source is noised: 0 returns it bit for bit, 1 keeps only its hints.
            Below 1 it needs a source.
        seed: 0 .. 2**64 - 1.
        steps: 1 .. 64.
        shift: timestep shift, > 0 and finite.
        timesteps: the times themselves, falling from at most 1, in place of `steps` and `shift`: 1 .. 64 of them above
            0; a last 0 may be left out. A first time below 1 needs a source; `denoise` stays 1 beside them.
        noise_start: 0 .. 2**64 - 1, song frame of the first frame: noise belongs to song frames, so regions of
            one seed share it where they overlap.
        frames: T, even, 30 .. 15000; equals `source.frames`.
        solver: "ode" takes Euler steps; "sde" draws new noise after every step but the last.
        sde_denoise: curve 0 .. 1; makes the slot an SDE whose clean latent is, per frame, between the source (0) and
            the model's (1). Needs a source.
        ode_noise: curve, >= 0; factor on t' n added after each Euler step but the last, n new noise. An SDE ignores it.
        initial_noise: curve 0 .. 1, what the first step starts from, per frame, between the source (0) and noise (1),
            in place of the mix that denoise asks for. Needs a source.
        x0_target: [T, 64], a latent to morph toward, or None.
        x0_strength: curve 0 .. 1, share of the target in the clean latent in the second half of the steps.
        x0_curve: curve 0 .. 1, share of the target at the last step, reached on a ramp; replaces x0_strength.
        x0_gate: 0 .. 1, where in the steps the ramp of x0_curve starts.
        mask: curve 0 .. 1, 1 generates and 0 preserves; frames that stay at 0 come back as the source, bit for bit,
            whatever the other fields ask for. Needs a source.
        mask_strength: 0 .. 1 over the steps, a factor on the mask; another length than `steps` is resampled.
        channel_gain: [64] or [T, 64], factor on what the DiT reads, not on the latent itself; see
            `engine.channel_gain` for named groups.
        negative: prompt to guide away from; `Session.null_conditioning` gives the one models are trained with. Several
            Conditions are composited like the positive ones, with the first in the place of A.
        guidance: curve, finite; scale of classifier-free guidance per frame, 1 is exactly none; None switches it off
            for good. Needs `negative` unless the mode is "self".
        guidance_mode: "full" runs the negative prompt at every step, "initialize" at the first guided one only; "self"
            takes the noise the slot started from in place of its velocity.
        guidance_interval: (start, end) of 1 - t, both in 0 .. 1; only steps inside it are guided.
        apg_momentum: curve -1 .. 1, share of the earlier guidance directions in each new one.
        apg_eta: finite, share of the guidance that is parallel to the velocity; APG's is 0.
        apg_norm_threshold: >= 0, length per channel over time that a guidance direction is limited to; 0 is no limit.
        cfg_rescale: curve 0 .. 1, how far the guided velocity returns to the length, per channel, of the unguided one.
        dcw: wavelet correction after every step, or None. Preserved frames are not corrected.
        loras: strength, finite, per LoRA name: exactly these act. None: those that the session has enabled, with the
            strengths they have at each step.
        control_version, tag: the caller's own numbers, handed back with the result.
    """

    conditioning: Conditioning
    frames: int
    seed: int = 0
    denoise: float = 1.0
    source: Source | None = None
    conditioning_b: Conditioning | None = None
    prompt_blend: Curve = 0.0
    weight: Curve = 1.0
    condition_steps: tuple[float, float] = (0.0, 1.0)
    conditions: Sequence[Condition] = ()
    hints: ArrayLike | None = None
    hint_strength: Curve = 1.0
    chunk_mask: Curve = 1.0
    velocity_scale: Curve = 1.0
    steps: int = 8
    shift: float = 3.0
    timesteps: Sequence[float] | None = None
    noise_start: int = 0
    solver: str = "ode"
    sde_denoise: Curve | None = None
    ode_noise: Curve = 0.0
    initial_noise: Curve | None = None
    x0_target: ArrayLike | None = None
    x0_strength: Curve = 0.0
    x0_curve: Curve | None = None
    x0_gate: float = 0.0
    mask: Curve | None = None
    mask_strength: float | Sequence[float] | None = None
    channel_gain: Sequence[float] | NDArray[np.float32] | None = None
    negative: Conditioning | Sequence[Condition] | None = None
    guidance: Curve | None = None
    guidance_mode: str = "full"
    guidance_interval: tuple[float, float] = (0.0, 1.0)
    apg_momentum: Curve = -0.75
    apg_eta: float = 0.0
    apg_norm_threshold: float = 2.5  # ACE-Step's, as in AceStepPipeline
    cfg_rescale: Curve = 0.0
    dcw: Dcw | None = None
    loras: Mapping[str, float] | None = None
    control_version: int = 0
    tag: int = 0


def even_frames(frames: object) -> int:
    """A generation's length: even, 30 .. 15000.

    Raises:
        RequestError: it is not.
    """
    wanted = whole("frames", frames, MIN_FRAMES, MAX_FRAMES)
    if wanted % 2:
        raise RequestError("frames", wanted, "is odd", "Use an even number of frames; a DiT patch is 2 frames.")
    return wanted
