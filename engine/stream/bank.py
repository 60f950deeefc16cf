"""The slot bank: the generations in flight, one row of state each."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.backends import DitBackend, Loras
from engine.constants import LATENT_CHANNELS
from engine.errors import EngineError
from engine.stream.batch import Batch
from engine.stream.changes import Overrides
from engine.stream.forward import forward
from engine.stream.slot import Slot, initial

# What rows are computed together for: at most this much per array, so that the arrays of a step stay in a core's cache.
# Measured at 4 rows with every control (docs/log.md).
_CACHED_BYTES: Final = 512 << 10


class SlotBank:
    """Slots and their state: latents and APG's running directions, [S, T, 64] float32, contiguous."""

    def __init__(self, backend: DitBackend, frames: int, rows: int) -> None:
        """
        Args:
            backend: runs the forwards.
            frames: T.
            rows: S, at least 1.
        """
        self._backend = backend
        self._together = max(1, _CACHED_BYTES // (frames * LATENT_CHANNELS * 4))
        self._slots: list[Slot | None] = []
        self._x = self._running = torch.empty(0, frames, LATENT_CHANNELS)
        self.grow(rows)

    @property
    def slots(self) -> list[Slot]:
        """Slots in use, in row order."""
        return [slot for slot in self._slots if slot is not None]

    def grow(self, rows: int) -> None:
        """Have at least this many rows; what is in flight stays."""
        extra = rows - len(self._slots)
        if extra > 0:
            more = torch.zeros(extra, *self._x.shape[1:])
            self._x, self._running = torch.cat((self._x, more)), torch.cat((self._running, more))
            self._slots += [None] * extra

    def admit(self, slot: Slot) -> None:
        """Start a generation in a free row; the caller has made sure that there is one."""
        row = self._slots.index(None)
        self._x[row] = initial(slot)
        self._running[row] = 0.0
        self._slots[row] = slot

    def advance(self, shared: Overrides, enabled: Loras) -> None:
        """Take one step with every slot. One whose forward fails is marked; the others are not affected.

        Args:
            shared: what replaces the values of every slot.
            enabled: the session's LoRAs, which act where a request names none.
        """
        for slot in self.slots:
            slot.follow(shared, enabled)
        moving = [(row, slot) for row, slot in enumerate(self._slots) if slot is not None and not slot.at_rest]
        for first in range(0, len(moving), self._together):
            self._step(moving[first : first + self._together])
        for slot in self.slots:
            slot.taken += 1

    def collect(self) -> list[tuple[Slot, NDArray[np.float32] | None]]:
        """Remove every slot that finished or failed, with its latent [T, 64] (None if it failed)."""
        done: list[tuple[Slot, NDArray[np.float32] | None]] = []
        for row, slot in enumerate(self._slots):
            if slot is not None and (slot.finished or slot.failure is not None):
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

    def _step(self, moving: Sequence[tuple[int, Slot]]) -> None:
        rows = [row for row, _ in moving]
        batch = Batch([slot for _, slot in moving], _rows(self._x, rows), _rows(self._running, rows))
        batch.renoise()
        self._forward(batch)
        batch.guide()
        batch.step()
        batch.correct()
        batch.preserve()
        for at, row in enumerate(rows):
            self._x[row], self._running[row] = batch.moved[at], batch.running[at]

    def _forward(self, batch: Batch) -> None:
        for row, slot in enumerate(batch.slots):
            try:
                positive, negative = forward(self._backend, slot, batch.x[row])
            except Exception as error:  # noqa: BLE001 - whatever a forward raises is this slot's failure, not its neighbours'
                slot.failure = _forward_failure(slot, error)
                continue
            batch.velocity[row] = positive
            if negative is not None:
                batch.negative[row] = negative

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


def _rows(state: Tensor, rows: Sequence[int]) -> Tensor:
    """Rows in rising order, without a copy where they lie side by side."""
    first, after = rows[0], rows[-1] + 1
    return state[first:after] if after - first == len(rows) else state.index_select(0, torch.tensor(rows))


def _forward_failure(slot: Slot, error: Exception) -> EngineError:
    failure = EngineError(
        f"Request {slot.request_id} failed at step {slot.taken + 1} of {slot.snapshot.steps} "
        f"({type(error).__name__}: {error}).",
        "Free memory or shorten the region, then submit again.",
    )
    failure.__cause__ = error
    return failure
