"""The slots that take a step in one tick, stacked: their step as a few operations for all rows."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from engine.step import guidance
from engine.step import primitives as step
from engine.stream.slot import Slot


class Batch:
    """R slots before, in and after a step.

    What a slot does not ask for is not computed for it: each part of the step picks the rows that want it and leaves
    the others alone, so that a row never depends on what its neighbours are doing.

    Attributes:
        slots: R of them; a slot that failed keeps its row, of which nothing is used any more.
        x: [R, T, 64], the latents before the step.
        moved: [R, T, 64], the latents after it.
        running: [R, T, 64], APG's running directions.
        velocity: [R, T, 64], of the prompts, to be filled in; guided by `guide`.
        negative: velocity [T, 64] to guide away from, by row, to be filled in for rows whose step is guided.
    """

    def __init__(self, slots: Sequence[Slot], x: Tensor, running: Tensor) -> None:
        """Take slots at their next step, with their rows of state."""
        self.slots = slots
        self.x = self.moved = x
        self.running = running
        self.velocity = torch.zeros_like(x)
        self.negative: dict[int, Tensor] = {}
        self._time = _scalars(slot.time for slot in slots)
        self._after = _scalars(slot.time_after for slot in slots)
        self._masked, self._mask = self._asking(lambda slot: slot.mask_weight)

    def renoise(self) -> None:
        """Put preserved frames back to the source, noised to the time of the step."""
        rows = self._masked
        if rows:
            noise = self._of(rows, lambda slot: slot.noise)
            preserved = step.noised(noise, self._of(rows, _source), self._time[rows])
            self.x = _replaced(self.x, rows, step.mix(preserved, _taken(self.x, rows), self._mask))

    def guide(self) -> None:
        """Move velocities away from the negative ones."""
        rows = sorted(self.negative)
        if not rows:
            return
        velocity = _taken(self.velocity, rows)
        negative = _stacked([self.negative[row] for row in rows])
        momentum = self._of(rows, lambda slot: slot.controls.apg_momentum)
        direction = guidance.direction(velocity, negative, _taken(self.running, rows), momentum)
        guided = guidance.guided(
            velocity,
            direction,
            self._of(rows, _guidance),
            eta=self._each(rows, lambda slot: slot.snapshot.apg_eta),
            norm_threshold=self._each(rows, lambda slot: slot.snapshot.apg_norm_threshold or torch.inf),
        )
        self.running = _replaced(self.running, rows, direction)
        self.velocity = _replaced(self.velocity, rows, guided)
        of_guided, weight = self._asking(lambda slot: slot.controls.cfg_rescale, rows)
        if of_guided:
            rescaled = guidance.rescaled(_taken(guided, of_guided), _taken(velocity, of_guided), weight)
            self.velocity = _replaced(self.velocity, [rows[at] for at in of_guided], rescaled)

    def step(self) -> None:
        """Move the latents along the velocities: by Euler, or from a clean latent that is edited or noised anew."""
        scaled = self.velocity
        rows, scale = self._asking(lambda slot: slot.controls.velocity_scale)
        if rows:
            scaled = _replaced(scaled, rows, _taken(scaled, rows) * scale)
        moved = self.x
        rows = self._rows(lambda slot: not slot.edited and not slot.stochastic)
        if rows:
            interval = self._each(rows, lambda slot: slot.interval)
            moved = _replaced(moved, rows, step.euler(_taken(self.x, rows), _taken(scaled, rows), interval))
        moved = self._edited(scaled, moved)
        rows, curve = self._asking(lambda slot: slot.noise_added)
        if rows:
            noise = curve * self._after[rows] * self._of(rows, Slot.fresh_noise)
            moved = _replaced(moved, rows, _taken(moved, rows) + noise)
        self.moved = moved

    def correct(self) -> None:
        """Correct what moved in the wavelet domain, but for preserved frames."""
        rows = self._rows(lambda slot: slot.controls.correction is not None)
        if not rows:
            return
        before = self.moved
        clean = step.clean(_taken(self.x, rows), _taken(self.velocity, rows), self._time[rows])
        # row by row: each slot has a wavelet of its own
        corrected = [
            correction.applied(before[row], clean[at], self.slots[row].time)
            for at, row in enumerate(rows)
            if (correction := self.slots[row].controls.correction) is not None
        ]
        self.moved = _replaced(before, rows, _stacked(corrected))
        picked = [at for at, row in enumerate(self._masked) if row in rows]
        if picked:
            masked = [self._masked[at] for at in picked]
            mixed = step.mix(_taken(before, masked), _taken(self.moved, masked), _taken(self._mask, picked))
            self.moved = _replaced(self.moved, masked, mixed)

    def preserve(self) -> None:
        """Put preserved frames back to the source, bit for bit, after the last step."""
        rows = self._rows(lambda slot: slot.mask is not None and slot.last)
        if rows:
            kept = step.kept(_taken(self.moved, rows), self._of(rows, _source), self._of(rows, _mask_weight))
            self.moved = _replaced(self.moved, rows, kept)

    def _edited(self, scaled: Tensor, moved: Tensor) -> Tensor:
        rows = self._rows(lambda slot: slot.edited or slot.stochastic)
        if not rows:
            return moved
        x, time = _taken(self.x, rows), self._time[rows]
        clean = _replaced(self.x, rows, step.clean(x, _taken(scaled, rows), time))
        rows, share = self._asking(lambda slot: slot.target_share)
        if rows:
            clean = _replaced(clean, rows, step.mix(_taken(clean, rows), self._of(rows, _target), share))
        # the mask comes after it: what the mask preserves, no other control may move
        rows = self._masked
        if rows:
            clean = _replaced(clean, rows, step.mix(self._of(rows, _source), _taken(clean, rows), self._mask))
        rows, share = self._asking(lambda slot: slot.source_share)
        if rows:
            clean = _replaced(clean, rows, step.mix(self._of(rows, _source), _taken(clean, rows), share))
        rows = self._rows(lambda slot: slot.edited and not slot.stochastic)
        if rows:
            onward = step.toward(_taken(self.x, rows), _taken(clean, rows), self._each(rows, _left))
            moved = _replaced(moved, rows, onward)
        rows = self._rows(lambda slot: slot.stochastic and slot.last)
        if rows:
            moved = _replaced(moved, rows, _taken(clean, rows))
        rows = self._rows(lambda slot: slot.stochastic and not slot.last)
        if rows:
            noise = self._of(rows, Slot.fresh_noise)
            moved = _replaced(moved, rows, step.noised(noise, _taken(clean, rows), self._after[rows]))
        return moved

    def _rows(self, asks: Callable[[Slot], bool]) -> list[int]:
        return [row for row, slot in enumerate(self.slots) if asks(slot)]

    def _asking(
        self, value: Callable[[Slot], Tensor | None], among: Sequence[int] | None = None
    ) -> tuple[list[int], Tensor]:
        """Where the slots (those of some rows) are that have a value, and the values stacked."""
        rows = range(len(self.slots)) if among is None else among
        found = [(at, given) for at, row in enumerate(rows) if (given := value(self.slots[row])) is not None]
        return [at for at, _ in found], _stacked([given for _, given in found]) if found else self._time

    def _of(self, rows: Sequence[int], value: Callable[[Slot], Tensor]) -> Tensor:
        return _stacked([value(self.slots[row]) for row in rows])

    def _each(self, rows: Sequence[int], value: Callable[[Slot], float]) -> Tensor:
        return _scalars(value(self.slots[row]) for row in rows)


def _stacked(values: Sequence[Tensor]) -> Tensor:
    """[R, ...], without a copy of a single one."""
    return values[0].unsqueeze(0) if len(values) == 1 else torch.stack(list(values))


def _taken(state: Tensor, rows: Sequence[int]) -> Tensor:
    """Some rows of [R, T, 64], without a copy where they are all of them."""
    return state if len(rows) == len(state) else state.index_select(0, torch.tensor(rows))


def _replaced(state: Tensor, rows: Sequence[int], values: Tensor) -> Tensor:
    """[R, T, 64] with some rows replaced; what was given stays as it was."""
    if len(rows) == len(state):
        return values
    made = state.clone()
    for at, row in enumerate(rows):
        made[row] = values[at]
    return made


def _scalars(values: Iterable[float]) -> Tensor:
    return torch.tensor(list(values), dtype=torch.float32).reshape(-1, 1, 1)


def _left(slot: Slot) -> float:
    # a time that is too small for float32 is 0 before the step as after it
    return slot.time_after / slot.time if slot.time > 0.0 else 0.0


def _source(slot: Slot) -> Tensor:
    return _present(slot.source)


def _target(slot: Slot) -> Tensor:
    return _present(slot.target)


def _mask_weight(slot: Slot) -> Tensor:
    return _present(slot.mask_weight)


def _guidance(slot: Slot) -> Tensor:
    return _present(slot.controls.guidance)


def _present(value: Tensor | None) -> Tensor:
    if value is None:
        raise RuntimeError("a row was picked for a control that its slot does not have")
    return value
