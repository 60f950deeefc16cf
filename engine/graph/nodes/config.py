"""Schedules, solvers and what modulates a generation."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from engine.graph.declare import Family, param, port
from engine.graph.request import Denoise, Seed, Shift, Steps
from engine.graph.values import Diffusion, FrameCurve, Latent, Modulation, Solver
from engine.request.dcw import DCW_MODES, Dcw

family = Family("config")


@family.node("DiffusionConfig")
def diffusion_config(steps: Steps, shift: Shift, seed: Seed, denoise: Denoise) -> Diffusion:
    """The schedule and the seed of a generation."""
    return Diffusion(steps=steps, shift=shift, seed=seed, denoise=denoise)


@family.node("OdeSolver")
def ode_solver(
    ode_noise_curve: Annotated[FrameCurve | None, port("Noise added after each step, per frame, 0 or more.")],
) -> Solver:
    """Euler steps."""
    return Solver(name="ode", ode_noise=None if ode_noise_curve is None else ode_noise_curve.values)


@family.node("SdeSolver")
def sde_solver(
    sde_denoise_curve: Annotated[
        FrameCurve | None, port("Clean latent per frame, from the source's (0) to the model's (1). Needs a source.")
    ],
) -> Solver:
    """New noise after every step but the last."""
    return Solver(name="sde", sde_denoise=None if sde_denoise_curve is None else sde_denoise_curve.values)


@family.node("DCWConfig")
def dcw_config(
    enabled: Annotated[bool, param(True, "Correct at all.")],
    mode: Annotated[str, param("double", "Which bands.", choices=DCW_MODES)],
    scaler: Annotated[float, param(0.05, "Strength; that of the low band in double.", low=-10.0, high=10.0)],
    high_scaler: Annotated[float, param(0.02, "Strength of the high band in double.", low=-10.0, high=10.0)],
    wavelet: Annotated[str, param("haar", "Or another discrete wavelet of PyWavelets, such as db4.")],
    mult_blend: Annotated[float, param(0.0, "From adding to scaling.", low=0.0, high=1.0, hidden=True)],
    mag_phase: Annotated[float, param(0.0, "To magnitude and phase apart.", low=0.0, high=1.0, hidden=True)],
    soft_thresh: Annotated[float, param(0.0, "What counts as none.", low=0.0, high=1e3, hidden=True)],
) -> Dcw:
    """The wavelet correction after every step."""
    return Dcw(
        mode=mode,
        scaler=scaler if enabled else 0.0,
        high_scaler=high_scaler if enabled else 0.0,
        wavelet=wavelet,
        mult_blend=mult_blend,
        mag_phase=mag_phase,
        soft_thresh=soft_thresh,
    )


@family.node("Modulation")
def modulation(
    velocity_scale: Annotated[FrameCurve | None, port("Factor on the velocity, per frame.")],
    initial_noise_curve: Annotated[FrameCurve | None, port("What it starts from: source (0) to noise (1).")],
    chunk_mask: Annotated[FrameCurve | None, port("What the model is told of a frame: keep (0) or generate (1).")],
    x0_target: Annotated[Latent | None, port("Latent to morph toward.")],
    x0_target_curve: Annotated[FrameCurve | None, port("Share of it at the last step, in place of the strength.")],
    guidance_curve: Annotated[FrameCurve | None, port("Guidance scale per frame; 1 is none.")],
    x0_target_strength: Annotated[float, param(0.0, "Share of it in the second half.", low=0.0, high=1.0)],
    x0_target_gate: Annotated[float, param(0.0, "Where the curve's ramp starts.", low=0.0, high=1.0)],
) -> Modulation:
    """Curves over the frames of a generation, and a target for it."""
    return Modulation(
        velocity_scale=_values(velocity_scale),
        initial_noise=_values(initial_noise_curve),
        chunk_mask=_values(chunk_mask),
        guidance=_values(guidance_curve),
        x0_target=None if x0_target is None else x0_target.frames,
        x0_curve=_values(x0_target_curve),
        x0_strength=x0_target_strength,
        x0_gate=x0_target_gate,
    )


def _values(curve: FrameCurve | None) -> NDArray[np.float32] | None:
    return None if curve is None else curve.values
