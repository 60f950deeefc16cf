"""How long and how fast a training runs."""

from msgspec import Struct


class LoopConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long and how fast.

    Attributes:
        steps: optimiser steps of the whole run.
        rate: highest learning rate. It rises for `warmup` steps, stays, and falls in a straight line to 1 % of itself.
        warmup: steps.
        fall: share of the steps in which it falls, at the end.
        decay: Muon's weight decay.
        momentum: Muon's.
        betas: AdamW's.
        clip: largest norm of the gradient.
        average: decay of the average of the weights that is evaluated and kept.
        evaluate: steps between evaluations.
        seed: of everything that is drawn.
    """

    steps: int
    rate: float
    warmup: int = 60
    fall: float = 0.6
    decay: float = 0.01
    momentum: float = 0.95
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0
    average: float = 0.998
    evaluate: int = 500
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        left = (self.steps - step) / max(1.0, self.fall * self.steps)
        return self.rate * min(1.0, (step + 1) / self.warmup, max(0.01, left))
