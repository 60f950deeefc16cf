"""What the engine is asked for while it is measured."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.errors import RequestError
from engine.request.channels import channel_gain
from engine.request.conditioning import Conditioning
from engine.request.dcw import Dcw
from engine.request.request import Request
from engine.request.source import Source
from engine.session import Session
from engine.step.noise import normal

LOADS: Final = ("plain", "everything", "everything, self-guided")
"""Names of what can be asked for: a prompt alone; every curve, APG, SDE and DCW at once with the negative prompt run at
every step; the same with "self" guidance, which adds no forward and so leaves the least to hide behind."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Load:
    """A request, and the forwards one step of it takes.

    Attributes:
        name: one of LOADS.
        request: without a seed of its own.
        forwards: the conditioning of each forward.
    """

    name: str
    request: Request
    forwards: tuple[Conditioning, ...]

    def requests(self) -> Iterator[Request]:
        """The request for ever, each time with another seed, so that no noise was drawn before."""
        for number in count(1):
            yield replace(self.request, seed=number, control_version=number)


def load(session: Session, name: str, frames: int) -> Load:
    """One of LOADS at T = frames.

    Raises:
        RequestError: an unknown name, or frames.
    """
    if name not in LOADS:
        raise RequestError("load", name, "is not known", f"Use one of {', '.join(LOADS)}.")
    prompt = session.encode_text("techno, driving kick", task="text2music", duration=frames / 25)
    plain = Request(conditioning=prompt, frames=frames)
    if name == "plain":
        return Load(name=name, request=plain, forwards=(prompt,))
    request = _everything(plain)
    if name == "everything":
        null = session.null_conditioning(prompt)
        return Load(name=name, request=replace(request, negative=null), forwards=(prompt, null))
    return Load(name=name, request=replace(request, guidance_mode="self"), forwards=(prompt,))


def _everything(plain: Request) -> Request:
    frames = plain.frames
    return replace(
        plain,
        source=Source(latent=normal(2**63, 0, frames), hints=normal(2**63, 1, frames)),
        hint_strength=_wave(frames, 0.2, 1.0),
        velocity_scale=_wave(frames, 0.9, 1.1),
        solver="sde",
        sde_denoise=_wave(frames, 0.5, 1.0),
        initial_noise=_wave(frames, 0.7, 1.0),
        x0_target=normal(2**63, 2, frames),
        x0_curve=_wave(frames, 0.1, 0.5),
        mask=np.maximum(_wave(frames, -0.3, 1.0), 0.0),
        mask_strength=np.linspace(1.0, 0.8, plain.steps).tolist(),
        channel_gain=channel_gain({"g0": _wave(frames, 0.8, 1.2), "ch29": 1.1}, frames),
        guidance=_wave(frames, 1.5, 3.0),
        apg_momentum=_wave(frames, -0.9, -0.5),
        cfg_rescale=_wave(frames, 0.2, 0.8),
        dcw=Dcw(scaler=_wave(frames, 0.02, 0.08), high_scaler=_wave(frames, 0.0, 0.04)),
    )


def _wave(frames: int, low: float, high: float) -> NDArray[np.float32]:
    """A curve [T] that is neutral nowhere for long: a sine with a period of one bar at 120 bpm, 50 frames."""
    phase = 2.0 * np.pi * np.arange(frames) / 50.0
    return (low + (high - low) * 0.5 * (1.0 + np.sin(phase))).astype(np.float32)
