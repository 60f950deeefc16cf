"""The latent-noise mask: which frames are generated, and which are kept as they are."""

from typing import Self

import torch
from torch import Tensor

from engine.request.snapshot import Snapshot
from engine.step import primitives as step


class Mask:
    """Weights per frame and step: 1 generates, 0 preserves the source."""

    def __init__(self, weights: Tensor, strengths: list[float], noise: Tensor, clean: Tensor) -> None:
        """
        Args:
            weights: [T, 1], 0 .. 1.
            strengths: factor on the weights, per step.
            noise: [T, 64], what preserved frames are noised with: the slot's own, so that a seed fixes the result.
            clean: [T, 64], the source.
        """
        self.noise = noise
        self._weights = weights
        self._strengths = strengths
        self._clean = clean

    @classmethod
    def of(cls, snapshot: Snapshot, noise: Tensor, clean: Tensor | None) -> Self | None:
        """The mask of a request; None if it has none, or one that generates everything at every step."""
        if snapshot.mask is None or clean is None:
            return None
        if bool((snapshot.mask == 1.0).all()) and bool((snapshot.mask_strength == 1.0).all()):
            return None
        return cls(torch.tensor(snapshot.mask).unsqueeze(1), snapshot.mask_strength.tolist(), noise, clean)

    def weight(self, taken: int) -> Tensor:
        """Weights [T, 1] of a step."""
        return self._weights * self._strengths[taken]

    def renoised(self, x: Tensor, taken: int, time: float) -> Tensor:
        """x [T, 64] before a step, with preserved frames at the source noised to the step's time."""
        return step.mix(step.noised(self.noise, self._clean, time), x, self.weight(taken))

    def kept(self, clean: Tensor, taken: int) -> Tensor:
        """A clean latent [T, 64] with preserved frames replaced by the source, bit for bit where the weight is 0."""
        weight = self.weight(taken)
        return torch.where(weight == 0.0, self._clean, step.mix(self._clean, clean, weight))
