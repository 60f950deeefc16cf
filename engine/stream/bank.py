"""Slots: the generations in flight, one row of state each."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.backends import Backend, Loras
from engine.constants import LATENT_CHANNELS
from engine.errors import EngineError
from engine.request.conditioning import Conditioning
from engine.request.prompts import Prompt
from engine.request.snapshot import Snapshot
from engine.step import primitives as step
from engine.step import solver
from engine.step.compose import compose, shares
from engine.stream.controls import Controls
from engine.stream.slot import Slot, initial, open_slot


class SlotBank:
    """State of all slots, [S, T, 64] float32, contiguous."""

    def __init__(
        self, backend: Backend, silence: NDArray[np.float32], rows: int, active_loras: Callable[[], Loras]
    ) -> None:
        """
        Args:
            backend: runs the forwards.
            silence: [T, 64], the context where there are no hints.
            rows: S, at least 1.
            active_loras: what acts, at this moment, in slots that name no LoRAs of their own.
        """
        self._backend = backend
        self._active_loras = active_loras
        self._silence = torch.tensor(silence)
        self._frames = silence.shape[0]
        self._slots: list[Slot | None] = []
        self._shared: dict[str, NDArray[np.float32]] = {}
        self._x = self._velocity = self._work = torch.empty(0, self._frames, LATENT_CHANNELS)
        self._scale = torch.empty(0, self._frames, 1)
        self._interval = torch.empty(0, 1, 1)
        self.grow(rows)

    @property
    def slots(self) -> list[Slot]:
        """Slots in use, in row order."""
        return [slot for slot in self._slots if slot is not None]

    def grow(self, rows: int) -> None:
        """Have at least this many rows; what is in flight stays."""
        extra = rows - len(self._slots)
        if extra <= 0:
            return
        shape = (extra, self._frames, LATENT_CHANNELS)
        self._x = torch.cat((self._x, torch.zeros(shape)))
        self._velocity = torch.cat((self._velocity, torch.zeros(shape)))
        self._work = torch.empty_like(self._x)
        self._scale = torch.cat((self._scale, torch.ones(extra, self._frames, 1)))
        self._interval = torch.cat((self._interval, torch.zeros(extra, 1, 1)))
        self._slots += [None] * extra

    def admit(self, request_id: int, snapshot: Snapshot) -> None:
        """Start a generation in a free row; the caller has made sure that there is one."""
        row = self._slots.index(None)
        slot = open_slot(request_id, snapshot, self._silence, self._shared)
        self._x[row] = initial(slot)
        self._velocity[row] = 0.0
        self._scale[row] = slot.live.velocity_scale
        self._slots[row] = slot

    def share(self, name: str, curve: NDArray[np.float32] | None) -> None:
        """Replace a curve [T] of every slot, now and to come, until None gives back what was requested."""
        if curve is None:
            self._shared.pop(name, None)
        else:
            self._shared[name] = curve
        for row, slot in enumerate(self._slots):
            if slot is not None:
                slot.live = Controls.of(slot.snapshot, self._shared)
                self._scale[row] = slot.live.velocity_scale

    def advance(self) -> None:
        """Take one step with every slot. A slot whose forward fails is marked; the others are not affected."""
        for row, slot in enumerate(self._slots):
            if slot is None or slot.failure is not None:
                self._interval[row] = 0.0
                continue
            self._interval[row] = slot.interval
            if not slot.at_rest:
                self._forward(row, slot)
            slot.taken += 1
        step.euler(self._x, self._velocity, self._scale, self._interval, self._work)

    def collect(self) -> list[tuple[Slot, NDArray[np.float32] | None]]:
        """Remove every slot that finished or failed, with its latent [T, 64] (None if it failed)."""
        done: list[tuple[Slot, NDArray[np.float32] | None]] = []
        for row, slot in enumerate(self._slots):
            if slot is None or not (slot.finished or slot.failure is not None):
                continue
            done.append((slot, self._result(row, slot)))
            self._slots[row] = None
        return done

    def cancel(self, request_id: int) -> bool:
        """Drop a slot; True if it was in flight."""
        for row, slot in enumerate(self._slots):
            if slot is not None and slot.request_id == request_id:
                self._slots[row] = None
                return True
        return False

    def _forward(self, row: int, slot: Slot) -> None:
        x = self._x[row]
        if slot.mask is not None:
            x.copy_(slot.mask.renoised(x, slot.taken, slot.time))
        try:
            velocity = self._velocity_of(slot, x)
        except Exception as error:  # noqa: BLE001 - whatever a forward raises is this slot's failure, not its neighbours'
            slot.failure = _forward_failure(slot, error)
            self._velocity[row] = 0.0
            return
        moved = solver.move(slot, x, velocity)
        if moved is None:
            self._velocity[row] = velocity
            return
        x.copy_(moved)
        self._velocity[row] = 0.0  # this row has taken its step

    def _velocity_of(self, slot: Slot, x: Tensor) -> Tensor:
        seen = (x if slot.gain is None else x * slot.gain).unsqueeze(0)
        loras = self._active_loras() if slot.snapshot.loras is None else slot.snapshot.loras

        def forward(conditioning: Conditioning) -> Tensor:
            return self._backend.dit_step(seen, slot.time, conditioning, slot.context, loras)[0]

        velocity = _composed(slot, slot.snapshot.prompts, forward)
        if slot.guidance is None or not slot.guidance.acts(slot.time, slot.live):
            return velocity
        return slot.guidance.guided(velocity, lambda: _composed(slot, slot.snapshot.negative, forward), slot.live)

    def _result(self, row: int, slot: Slot) -> NDArray[np.float32] | None:
        if slot.failure is not None:
            return None
        if slot.at_rest and slot.snapshot.source is not None:
            return slot.snapshot.source.latent
        latent = self._x[row].numpy().copy()
        if not np.isfinite(latent).all():
            slot.failure = EngineError(
                f"Request {slot.request_id} ended in values that are not finite.",
                "Lower velocity_scale, or check the checkpoint.",
            )
            return None
        latent.setflags(write=False)
        return latent


def _composed(slot: Slot, prompts: Sequence[Prompt], forward: Callable[[Conditioning], Tensor]) -> Tensor:
    """Velocity [T, 64] of the prompts that are active at a slot's step; of the first one if none is."""
    active = [prompt for prompt in prompts if prompt.active(slot.taken, slot.snapshot.steps)] or [prompts[0]]
    if len(active) == 1:
        return forward(active[0].conditioning)
    weighted = [prompt for prompt in active if prompt.weight.any()]
    if not weighted:
        return torch.zeros_like(slot.noise)
    velocities = [forward(prompt.conditioning) for prompt in weighted]
    return compose(velocities, shares([prompt.weight for prompt in weighted]))


def _forward_failure(slot: Slot, error: Exception) -> EngineError:
    failure = EngineError(
        f"Request {slot.request_id} failed at step {slot.taken + 1} of {slot.snapshot.steps} "
        f"({type(error).__name__}: {error}).",
        "Free memory or shorten the region, then submit again.",
    )
    failure.__cause__ = error
    return failure
