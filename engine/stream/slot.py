"""A slot: one generation in flight, and what its request asks for at the step it is to take."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.backends import Loras
from engine.errors import EngineError
from engine.request.snapshot import Snapshot
from engine.step import primitives as step
from engine.step import schedule
from engine.step.noise import Purpose, normal, step_normal
from engine.stream.changes import LORA, Change, Overrides, Value, in_force
from engine.stream.controls import Controls, acts, column


@dataclass(eq=False)
class Slot:
    """One generation in flight."""

    request_id: int
    snapshot: Snapshot
    replayed: Sequence[Change] | None  # in place of live changes
    times: NDArray[np.float32]  # [steps + 1]
    context: Tensor  # [1, T, 128]
    noise: Tensor  # [T, 64], what the generation starts from
    source: Tensor | None  # [T, 64]
    mask: Tensor | None  # [T, 1]; None where it would generate everything at every step
    target: Tensor | None  # [T, 64]; None where its curve is 0 everywhere
    target_curve: Tensor | None  # [T, 1]
    gain: Tensor | None  # [1 or T, 64]
    controls: Controls
    loras: Loras
    overrides: Overrides = field(default_factory=dict[str, Value])
    log: list[Change] = field(default_factory=list[Change])
    negative: Tensor | None = None  # [T, 64], kept from the first guided step in the mode "initialize"
    taken: int = 0  # steps taken
    failure: EngineError | None = None

    @property
    def at_rest(self) -> bool:
        """Nothing to denoise: the source comes back as it is."""
        return self.snapshot.denoise == 0.0

    @property
    def finished(self) -> bool:
        """All steps are taken."""
        return self.taken == self.snapshot.steps

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
    def last(self) -> bool:
        """The step to take ends at the clean latent."""
        return self.time_after == 0.0

    @property
    def guided(self) -> bool:
        """The step to take is guided."""
        start, end = self.snapshot.guidance_interval
        return self.snapshot.guided and self.controls.guidance is not None and start <= 1.0 - self.time <= end

    @property
    def source_share(self) -> Tensor | None:
        """The curve [T, 1] that makes the slot an SDE between source and clean latent, or None."""
        return None if self.source is None else self.controls.sde_denoise

    @property
    def stochastic(self) -> bool:
        """The step to take ends in new noise, not on Euler's line."""
        return self.snapshot.solver == "sde" or self.source_share is not None

    @property
    def mask_weight(self) -> Tensor | None:
        """The mask [T, 1] at the step to take."""
        return None if self.mask is None else self.mask * float(self.snapshot.mask_strength[self.taken])

    @property
    def target_share(self) -> Tensor | None:
        """Share [T, 1] of the x0 target at the step to take. The strength counts in the second half of the steps."""
        if self.target is None:
            return None
        if self.target_curve is None:
            return self.controls.x0_strength if self.taken >= self.snapshot.steps // 2 else None
        grown = step.ramp(self.taken, self.snapshot.steps, self.snapshot.x0_gate)
        return self.target_curve * grown if grown > 0.0 else None

    @property
    def edited(self) -> bool:
        """The clean latent of the step to take is not the model's alone."""
        return self.mask is not None or self.target_share is not None

    @property
    def noise_added(self) -> Tensor | None:
        """The curve [T, 1] of noise that follows the step to take, or None."""
        return None if self.stochastic or self.last else self.controls.ode_noise

    def fresh_noise(self) -> Tensor:
        """Noise [T, 64] of the step to take."""
        if self.mask is not None and self.source_share is None and self.stochastic:
            return self.noise  # preserved frames keep the noise they are put back to before the next step
        asked = self.snapshot
        return torch.tensor(step_normal(asked.seed, self.taken, asked.frames, asked.noise_start))

    def follow(self, shared: Overrides, enabled: Loras) -> None:
        """Take over what is in force from the step to take on, and log what that changes.

        Args:
            shared: what replaces the values of every slot.
            enabled: the session's LoRAs, which act where the request names none.
        """
        live: dict[str, Value] = {**shared}
        if self.replayed is not None:
            live = in_force(self.replayed, self.taken)
        elif self.snapshot.loras is None:
            live = {LORA + name: strength for name, strength in enabled.items()} | live
        if not live and not self.overrides:
            return
        wanted = {name: value for name, value in live.items() if acts(name, self.snapshot)}
        names = sorted(self.overrides.keys() | wanted.keys())
        changed = [name for name in names if not _same(self.overrides.get(name), wanted.get(name))]
        if not changed:
            return
        self.log += [Change(step=self.taken, name=name, value=wanted.get(name)) for name in changed]
        self.overrides = wanted
        self.controls = Controls.of(self.snapshot, wanted)
        self.loras = _loras(self.snapshot, wanted)


def _same(before: Value | None, now: Value | None) -> bool:
    return before is now or (isinstance(before, float) and before == now)


def open_slot(request_id: int, snapshot: Snapshot, replayed: Sequence[Change] | None, silence: Tensor) -> Slot:
    """A slot before its first step.

    Args:
        request_id: the stream's number.
        snapshot: the checked request.
        replayed: changes to follow in place of live ones, or None.
        silence: [T, 64], the context where there are no hints.
    """
    return Slot(
        request_id=request_id,
        snapshot=snapshot,
        replayed=replayed,
        times=_times(snapshot),
        context=_context(snapshot, silence),
        noise=torch.tensor(normal(snapshot.seed, Purpose.INITIAL, snapshot.frames, snapshot.noise_start)),
        source=None if snapshot.source is None else torch.tensor(snapshot.source.latent),
        mask=_mask(snapshot),
        target=_target(snapshot),
        target_curve=None if snapshot.x0_curve is None else column(snapshot.x0_curve),
        gain=_gain(snapshot),
        controls=Controls.of(snapshot, {}),
        loras=_loras(snapshot, {}),
    )


def initial(slot: Slot) -> Tensor:
    """x [T, 64] before the first step."""
    if slot.source is None:
        return slot.noise
    mixed = slot.snapshot.initial_noise
    if mixed is not None:
        return step.mix(slot.source, slot.noise, column(mixed))
    if slot.time == 1.0:
        return slot.noise
    return step.noised(slot.noise, slot.source, torch.tensor(slot.time))


def _times(snapshot: Snapshot) -> NDArray[np.float32]:
    if snapshot.timesteps is not None:
        return schedule.explicit(snapshot.timesteps)
    return schedule.times(snapshot.steps, snapshot.shift, snapshot.denoise)


def _context(snapshot: Snapshot, silence: Tensor) -> Tensor:
    hints = snapshot.hints
    if hints is None and snapshot.source is not None:
        hints = snapshot.source.hints
    cover = silence if hints is None else step.mix(silence, torch.tensor(hints), column(snapshot.hint_strength))
    return torch.cat((cover, column(snapshot.chunk_mask).expand_as(cover)), dim=1).unsqueeze(0)


def _target(snapshot: Snapshot) -> Tensor | None:
    never = snapshot.x0_curve is not None and not snapshot.x0_curve.any()
    return None if snapshot.x0_target is None or never else torch.tensor(snapshot.x0_target)


def _mask(snapshot: Snapshot) -> Tensor | None:
    if snapshot.mask is None:
        return None
    everything = bool((snapshot.mask == 1.0).all()) and bool((snapshot.mask_strength == 1.0).all())
    return None if everything else column(snapshot.mask)


def _gain(snapshot: Snapshot) -> Tensor | None:
    gain = snapshot.channel_gain
    return None if gain is None or bool((gain == 1.0).all()) else torch.tensor(gain)


def _loras(snapshot: Snapshot, overrides: Overrides) -> Loras:
    live = {name.removeprefix(LORA): float(value) for name, value in overrides.items() if name.startswith(LORA)}
    # sorted: the order in which a backend adds them up decides bits
    return dict(sorted({**(snapshot.loras or {}), **live}.items()))
