"""Slots: the generations in flight, one row of state each."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine import noise, schedule, step
from engine.backends import Backend
from engine.constants import LATENT_CHANNELS
from engine.errors import EngineError
from engine.request import Snapshot


@dataclass(eq=False)
class Slot:
    """One generation in flight."""

    request_id: int
    snapshot: Snapshot
    times: NDArray[np.float32]  # [steps + 1]
    context: Tensor  # [1, T, 128]
    states: Tensor  # [1, L, D] of prompt A
    states_b: Tensor | None  # of prompt B, None when its weight is 0 everywhere
    weight_b: Tensor  # [T, 1]
    only_b: bool  # weight is 1 everywhere: prompt A needs no forward
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


class SlotBank:
    """State of all slots, [S, T, 64] float32, contiguous."""

    def __init__(self, backend: Backend, silence: NDArray[np.float32], rows: int) -> None:
        """
        Args:
            backend: runs the forwards.
            silence: [T, 64], the context where there are no hints.
            rows: S, at least 1.
        """
        self._backend = backend
        self._silence = torch.tensor(silence)
        self._frames = silence.shape[0]
        self._slots: list[Slot | None] = []
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
        slot = _open(request_id, snapshot, self._silence)
        self._x[row] = _initial(snapshot, float(slot.times[0]))
        self._velocity[row] = 0.0
        self._scale[row, :, 0] = torch.tensor(snapshot.velocity_scale)
        self._slots[row] = slot

    def advance(self) -> None:
        """Take one step with every slot. A slot whose forward fails is marked; the others are not affected."""
        for row, slot in enumerate(self._slots):
            if slot is None or slot.failure is not None:
                self._interval[row] = 0.0
                continue
            self._interval[row] = float(slot.times[slot.taken + 1] - slot.times[slot.taken])
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
        x = self._x[row : row + 1]
        time = float(slot.times[slot.taken])
        try:
            first = slot.states_b if slot.only_b and slot.states_b is not None else slot.states
            velocity = self._backend.dit_step(x, time, first, slot.context)[0]
            if slot.states_b is not None and not slot.only_b:
                velocity_b = self._backend.dit_step(x, time, slot.states_b, slot.context)[0]
                velocity = step.mix(velocity, velocity_b, slot.weight_b)
        except Exception as error:  # noqa: BLE001 - whatever a forward raises is this slot's failure, not its neighbours'
            slot.failure = _forward_failure(slot, error)
            velocity = torch.zeros(())
        self._velocity[row] = velocity

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


def _open(request_id: int, snapshot: Snapshot, silence: Tensor) -> Slot:
    second = snapshot.conditioning_b if snapshot.prompt_blend.any() else None
    return Slot(
        request_id=request_id,
        snapshot=snapshot,
        times=schedule.times(snapshot.steps, snapshot.shift, snapshot.denoise),
        context=_context(snapshot, silence),
        states=torch.tensor(snapshot.conditioning.states).unsqueeze(0),
        states_b=None if second is None else torch.tensor(second.states).unsqueeze(0),
        weight_b=torch.tensor(snapshot.prompt_blend).unsqueeze(1),
        only_b=bool((snapshot.prompt_blend == 1.0).all()),
    )


def _context(snapshot: Snapshot, silence: Tensor) -> Tensor:
    cover = silence
    if snapshot.source is not None:
        hints = torch.tensor(snapshot.source.hints)
        cover = step.mix(silence, hints, torch.tensor(snapshot.hint_strength).unsqueeze(1))
    # chunk mask 1: every frame is to be generated
    return torch.cat((cover, torch.ones_like(cover)), dim=1).unsqueeze(0)


def _initial(snapshot: Snapshot, time: float) -> Tensor:
    drawn = torch.tensor(noise.normal(snapshot.seed, noise.Purpose.INITIAL, snapshot.frames))
    if snapshot.source is None or snapshot.denoise == 1.0:
        return drawn
    return step.noised(drawn, torch.tensor(snapshot.source.latent), time)


def _forward_failure(slot: Slot, error: Exception) -> EngineError:
    failure = EngineError(
        f"Request {slot.request_id} failed at step {slot.taken + 1} of {slot.snapshot.steps} "
        f"({type(error).__name__}: {error}).",
        "Free memory or shorten the region, then submit again.",
    )
    failure.__cause__ = error
    return failure
