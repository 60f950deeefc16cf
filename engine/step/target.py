"""The x0 target: a latent that a generation's clean prediction is drawn toward."""

from typing import Self

import torch
from torch import Tensor

from engine.request.snapshot import Snapshot
from engine.step import primitives as step


class Target:
    """A latent and how its share grows over the steps."""

    def __init__(self, latent: Tensor, curve: Tensor | None, gate: float, steps: int) -> None:
        """
        Args:
            latent: [T, 64].
            curve: [T, 1], share at the last step, reached on a ramp; None: the strength decides.
            gate: 0 .. 1, where in the steps the ramp starts.
            steps: of the slot.
        """
        self._latent = latent
        self._curve = curve
        self._gate = gate
        self._steps = steps

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self | None:
        """The target of a request, or None."""
        if snapshot.x0_target is None:
            return None
        curve = None if snapshot.x0_curve is None else torch.tensor(snapshot.x0_curve).unsqueeze(1)
        return cls(torch.tensor(snapshot.x0_target), curve, snapshot.x0_gate, snapshot.steps)

    def share(self, taken: int, strength: Tensor | None) -> Tensor | None:
        """Share [T, 1] of the target at a step, None for none. The strength counts in the second half of the steps."""
        if self._curve is None:
            return strength if taken >= self._steps // 2 else None
        progress = taken / max(self._steps - 1, 1)
        ramp = max(0.0, progress - self._gate) / max(1.0 - self._gate, 1e-6)
        return self._curve * ramp if ramp > 0.0 and bool(self._curve.any()) else None

    def approached(self, clean: Tensor, share: Tensor) -> Tensor:
        """A clean latent [T, 64] moved toward the target."""
        return step.mix(clean, self._latent, share)
