"""A slot: one generation in flight and what its request turns into."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.errors import EngineError
from engine.request.snapshot import Snapshot
from engine.step import primitives as step
from engine.step import schedule
from engine.step.guidance import Guidance
from engine.step.mask import Mask
from engine.step.noise import Purpose, normal
from engine.step.target import Target
from engine.step.wavelet import Correction
from engine.stream.controls import Controls


@dataclass(eq=False)
class Slot:
    """One generation in flight."""

    request_id: int
    snapshot: Snapshot
    times: NDArray[np.float32]  # [steps + 1]
    context: Tensor  # [1, T, 128]
    live: Controls
    noise: Tensor  # [T, 64], what the generation starts from
    clean: Tensor | None  # [T, 64], the source
    gain: Tensor | None  # [1 or T, 64]
    mask: Mask | None
    target: Target | None
    guidance: Guidance | None
    correction: Correction | None
    taken: int = 0  # steps taken
    failure: EngineError | None = None

    @property
    def at_rest(self) -> bool:
        """Nothing to denoise: the source comes back as it is."""
        return self.snapshot.denoise == 0.0

    @property
    def time(self) -> float:
        """t of the step to take."""
        return float(self.times[self.taken])

    @property
    def time_after(self) -> float:
        """t when that step is taken."""
        return float(self.times[self.taken + 1])

    @property
    def interval(self) -> float:
        """t' - t of the step to take, rounded to float32."""
        return float(self.times[self.taken + 1] - self.times[self.taken])

    @property
    def finished(self) -> bool:
        """All steps are taken."""
        return self.taken == self.snapshot.steps


def open_slot(request_id: int, snapshot: Snapshot, silence: Tensor, shared: Mapping[str, NDArray[np.float32]]) -> Slot:
    """A slot before its first step.

    Args:
        request_id: the stream's number.
        snapshot: the checked request.
        silence: [T, 64], the context where there are no hints.
        shared: curves [T] that replace the request's, by name.
    """
    noise = torch.tensor(normal(snapshot.seed, Purpose.INITIAL, snapshot.frames, snapshot.noise_start))
    clean = None if snapshot.source is None else torch.tensor(snapshot.source.latent)
    return Slot(
        request_id=request_id,
        snapshot=snapshot,
        times=_times(snapshot),
        context=_context(snapshot, silence),
        live=Controls.of(snapshot, shared),
        noise=noise,
        clean=clean,
        gain=_gain(snapshot),
        mask=Mask.of(snapshot, noise, clean),
        target=Target.of(snapshot),
        guidance=Guidance.of(snapshot, noise),
        correction=None if snapshot.dcw is None else Correction.of(snapshot.dcw),
    )


def _times(snapshot: Snapshot) -> NDArray[np.float32]:
    if snapshot.timesteps is not None:
        return schedule.explicit(snapshot.timesteps)
    return schedule.times(snapshot.steps, snapshot.shift, snapshot.denoise)


def _context(snapshot: Snapshot, silence: Tensor) -> Tensor:
    hints = snapshot.hints
    if hints is None and snapshot.source is not None:
        hints = snapshot.source.hints
    cover = silence
    if hints is not None:
        cover = step.mix(silence, torch.tensor(hints), torch.tensor(snapshot.hint_strength).unsqueeze(1))
    mask = torch.tensor(snapshot.chunk_mask).unsqueeze(1).expand_as(cover)
    return torch.cat((cover, mask), dim=1).unsqueeze(0)


def initial(slot: Slot) -> Tensor:
    """x [T, 64] before the first step."""
    if slot.clean is None:
        return slot.noise
    mixed = slot.snapshot.initial_noise
    if mixed is not None:
        return step.mix(slot.clean, slot.noise, torch.tensor(mixed).unsqueeze(1))
    if slot.time == 1.0:
        return slot.noise
    return step.noised(slot.noise, slot.clean, slot.time)


def _gain(snapshot: Snapshot) -> Tensor | None:
    gain = snapshot.channel_gain
    return None if gain is None or bool((gain == 1.0).all()) else torch.tensor(gain)
