"""The forwards of one slot at one step: one per prompt that counts, and those of what it is guided away from."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from engine.backends import DitBackend
from engine.request.conditioning import Conditioning
from engine.request.prompts import Prompt
from engine.step.compose import compose, shares
from engine.stream.slot import Slot

_Forward: TypeAlias = Callable[[Conditioning], Tensor]


def forward(backend: DitBackend, slot: Slot, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """The velocity of a slot's prompts, and the one that it is guided away from, None where the step is not guided.

    Args:
        backend: runs the forwards, one row each.
        slot: before the step.
        x: [T, 64], its latent.

    Returns:
        [T, 64] each.
    """
    seen = (x if slot.gain is None else x * slot.gain).unsqueeze(0)

    def velocity(conditioning: Conditioning) -> Tensor:
        return backend.dit_step(seen, slot.time, conditioning, slot.context, slot.loras)[0]

    positive = _composed(slot, slot.snapshot.prompts, velocity)
    return positive, _negative(slot, velocity) if slot.guided else None


def _negative(slot: Slot, velocity: _Forward) -> Tensor:
    if slot.snapshot.guidance_mode == "self":
        return slot.noise
    if slot.negative is not None:
        return slot.negative
    negative = _composed(slot, slot.snapshot.negative, velocity)
    if slot.snapshot.guidance_mode == "initialize":
        slot.negative = negative.clone()  # a backend may write its next answer to the same place
    return negative


def _composed(slot: Slot, prompts: Sequence[Prompt], velocity: _Forward) -> Tensor:
    active = [prompt for prompt in prompts if prompt.active(slot.taken, slot.snapshot.steps)] or [prompts[0]]
    if len(active) == 1:
        return velocity(active[0].conditioning)
    weighted = [prompt for prompt in active if prompt.weight.any()]
    if not weighted:
        return torch.zeros_like(slot.noise)
    return compose(
        (velocity(prompt.conditioning) for prompt in weighted), shares([prompt.weight for prompt in weighted])
    )
