"""From what nodes hand over to the request that a session runs."""

from typing import Annotated, Any

from engine.constants import FRAME_RATE, MAX_FRAMES
from engine.graph.declare import param
from engine.graph.values import Conditions, Diffusion, Latent, Model, Modulation, Solver
from engine.request.dcw import Dcw
from engine.request.request import MAX_STEPS, Request
from engine.request.snapshot import GUIDANCE_MODES
from engine.request.source import Source

Steps = Annotated[int, param(8, "How many steps it takes.", low=1, high=MAX_STEPS)]
Shift = Annotated[float, param(3.0, "Timestep shift; 3 for turbo checkpoints.", low=0.01, high=100.0)]
Seed = Annotated[int, param(42, "Of the noise.", low=0, high=2**64 - 1)]
Denoise = Annotated[float, param(1.0, "How far the source is noised; below 1 needs one.", low=0.0, high=1.0)]
Duration = Annotated[
    float, param(60.0, "Seconds, where no latent says it.", low=1.2, high=MAX_FRAMES / FRAME_RATE)
]  # 1.2 s are the 30 frames of the shortest generation
GuidanceMode = Annotated[str, param("full", "How the negative is run.", choices=GUIDANCE_MODES, hidden=True)]
CfgRescale = Annotated[float, param(0.0, "Return to the unguided length.", low=0.0, high=1.0, hidden=True)]


def frames_of(duration: float) -> int:
    """The even number of frames nearest to a duration in seconds."""
    return 2 * round(duration * FRAME_RATE / 2)


def build_request(
    model: Model,
    solver: Solver,
    diffusion: Diffusion,
    positive: Conditions,
    negative: Conditions | None,
    context: Latent | None,
    source: Latent | None,
    modulation: Modulation | None,
    dcw: Dcw | None,
    duration: float,
    guidance_mode: str,
    cfg_rescale: float,
) -> Request:
    """The request that Generate runs once and StreamDenoise keeps running.

    Its length is that of the source, else of the context, else of the duration. Without a context the model generates
    from silence, as from text alone.
    """
    frames = next((latent.frames.shape[0] for latent in (source, context) if latent is not None), frames_of(duration))
    first, *others = positive.entries
    fields: dict[str, Any] = {} if modulation is None else _modulated(modulation)
    if solver.ode_noise is not None:
        fields["ode_noise"] = solver.ode_noise
    if source is not None:
        hints = model.session.empty_latent(frames) if context is None else context.frames
        fields["source"] = Source(latent=source.frames, hints=hints)
        fields["mask"] = source.mask
    elif context is not None:
        fields["hints"] = context.frames
    return Request(
        conditioning=first.conditioning,
        weight=first.weight,
        condition_steps=first.steps,
        conditions=tuple(others),
        negative=None if negative is None else negative.entries,
        frames=frames,
        seed=diffusion.seed,
        steps=diffusion.steps,
        shift=diffusion.shift,
        denoise=diffusion.denoise,
        solver=solver.name,
        sde_denoise=solver.sde_denoise,
        channel_gain=model.channel_gain,
        dcw=dcw,
        guidance_mode=guidance_mode,
        cfg_rescale=cfg_rescale,
        loras=model.loras,
        **fields,
    )


def _modulated(modulation: Modulation) -> dict[str, Any]:
    curves = {
        "velocity_scale": modulation.velocity_scale,
        "initial_noise": modulation.initial_noise,
        "chunk_mask": modulation.chunk_mask,
        "guidance": modulation.guidance,
        "x0_target": modulation.x0_target,
        "x0_curve": modulation.x0_curve,
    }
    given = {name: curve for name, curve in curves.items() if curve is not None}
    return {**given, "x0_strength": modulation.x0_strength, "x0_gate": modulation.x0_gate}
