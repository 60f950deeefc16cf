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
        x: [R, T, 64], the latents.
        running: [R, T, 64], APG's running directions.
        velocity: [R, T, 64], of the prompts, to be filled in; guided by `guide`.
        negative: velocity [T, 64] to guide away from, by row, to be filled in for rows whose step is guided.
    """

    def __init__(self, slots: Sequence[Slot], x: Tensor, running: Tensor) -> None:
        """Take slots at their next step, with their rows of state."""
        self.slots = slots
        self.x = x
        self.running = running
        self.velocity = torch.zeros_like(x)
        self.negative: dict[int, Tensor] = {}
        self._time = _scalars(slot.time for slot in slots)
        self._after = _scalars(slot.time_after for slot in slots)

    def renoise(self) -> None:
        """Put preserved frames back to the source, noised to the time of the step."""
        rows, weight = self._asking(lambda slot: slot.mask_weight)
        if rows:
            noise = self._of(rows, lambda slot: slot.noise)
            preserved = step.noised(noise, self._of(rows, _source), self._time[rows])
            self.x[rows] = step.mix(preserved, self.x[rows], weight)

    def guide(self) -> None:
        """Move velocities away from the negative ones."""
        rows = sorted(self.negative)
        if not rows:
            return
        plain = self.velocity.clone()
        negative = torch.stack([self.negative[row] for row in rows])
        momentum = self._of(rows, lambda slot: slot.controls.apg_momentum)
        self.running[rows] = guidance.direction(plain[rows], negative, self.running[rows], momentum)
        self.velocity[rows] = guidance.guided(
            plain[rows],
            self.running[rows],
            self._of(rows, _guidance),
            eta=self._each(rows, lambda slot: slot.snapshot.apg_eta),
            norm_threshold=self._each(rows, lambda slot: slot.snapshot.apg_norm_threshold or torch.inf),
        )
        rows, weight = self._asking(lambda slot: slot.controls.cfg_rescale, among=rows)
        if rows:
            self.velocity[rows] = guidance.rescaled(self.velocity[rows], plain[rows], weight)

    def step(self) -> None:
        """Move the latents along the velocities: by Euler, or from a clean latent that is edited or noised anew."""
        scaled = self.velocity * self._of(range(len(self.slots)), lambda slot: slot.controls.velocity_scale)
        moved = step.euler(self.x, scaled, _scalars(slot.interval for slot in self.slots))
        self._edit(scaled, moved)
        self._add_noise(moved)
        self._correct(moved)
        rows = self._rows(lambda slot: slot.mask is not None and slot.last)
        if rows:
            moved[rows] = step.kept(moved[rows], self._of(rows, _source), self._of(rows, _mask_weight))
        self.x = moved

    def _edit(self, scaled: Tensor, moved: Tensor) -> None:
        rows = self._rows(lambda slot: slot.edited or slot.stochastic)
        if not rows:
            return
        clean = torch.empty_like(self.x)
        clean[rows] = step.clean(self.x[rows], scaled[rows], self._time[rows])
        rows, share = self._asking(lambda slot: slot.target_share)
        if rows:
            clean[rows] = step.mix(clean[rows], self._of(rows, _target), share)
        # the mask comes last: what it preserves, no other control may move
        rows, weight = self._asking(lambda slot: slot.mask_weight)
        if rows:
            clean[rows] = step.kept(clean[rows], self._of(rows, _source), weight)
        rows, share = self._asking(lambda slot: slot.source_share)
        if rows:
            clean[rows] = step.mix(self._of(rows, _source), clean[rows], share)
        rows = self._rows(lambda slot: slot.edited and not slot.stochastic)
        if rows:
            moved[rows] = step.toward(self.x[rows], clean[rows], self._each(rows, _left))
        rows = self._rows(lambda slot: slot.stochastic and slot.last)
        if rows:
            moved[rows] = clean[rows]
        rows = self._rows(lambda slot: slot.stochastic and not slot.last)
        if rows:
            moved[rows] = step.noised(self._of(rows, Slot.fresh_noise), clean[rows], self._after[rows])

    def _add_noise(self, moved: Tensor) -> None:
        rows, curve = self._asking(lambda slot: slot.noise_added)
        if rows:
            moved[rows] = moved[rows] + curve * self._after[rows] * self._of(rows, Slot.fresh_noise)

    def _correct(self, moved: Tensor) -> None:
        for row, slot in enumerate(self.slots):
            correction = slot.controls.correction
            if correction is None:
                continue
            clean = step.clean(self.x[row], self.velocity[row], self._time[row])
            corrected = correction.applied(moved[row], clean, slot.time)
            weight = slot.mask_weight
            moved[row] = corrected if weight is None else step.mix(moved[row], corrected, weight)

    def _rows(self, asks: Callable[[Slot], bool]) -> list[int]:
        return [row for row, slot in enumerate(self.slots) if asks(slot)]

    def _asking(
        self, value: Callable[[Slot], Tensor | None], among: Sequence[int] | None = None
    ) -> tuple[list[int], Tensor]:
        """Rows of the slots that have a value, and the values stacked."""
        rows = range(len(self.slots)) if among is None else among
        found = [(row, given) for row in rows if (given := value(self.slots[row])) is not None]
        return [row for row, _ in found], torch.stack([given for _, given in found]) if found else self._time

    def _of(self, rows: Sequence[int], value: Callable[[Slot], Tensor]) -> Tensor:
        return torch.stack([value(self.slots[row]) for row in rows])

    def _each(self, rows: Sequence[int], value: Callable[[Slot], float]) -> Tensor:
        return _scalars(value(self.slots[row]) for row in rows)


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
