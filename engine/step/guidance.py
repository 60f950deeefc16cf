"""Classifier-free guidance: where the negative velocity comes from, and adaptive projected guidance (APG)."""

from collections.abc import Callable
from typing import Final, Self

from torch import Tensor

from engine.request.snapshot import Snapshot
from engine.step import primitives as step
from engine.stream.controls import Controls

_TINY: Final = 1e-12  # what a norm is divided by at least, as in torch's normalize


class Guidance:
    """Guidance of one slot, with what it carries from step to step."""

    def __init__(
        self, mode: str, noise: Tensor, interval: tuple[float, float], eta: float, norm_threshold: float
    ) -> None:
        """
        Args:
            mode: "full" forwards the negative prompt at every guided step, "initialize" at the first one only, "self"
                never: the noise the slot started from stands in for its velocity.
            noise: [T, 64], what the slot started from.
            interval: of 1 - t, outside of which a step is not guided.
            eta: share of the part of a direction that is parallel to the velocity.
            norm_threshold: length per channel over time that a direction is limited to; 0 is no limit.
        """
        self._mode = mode
        self._interval = interval
        self._eta = eta
        self._norm_threshold = norm_threshold
        self._kept = noise if mode == "self" else None
        self._running: Tensor | None = None

    @classmethod
    def of(cls, snapshot: Snapshot, noise: Tensor) -> Self | None:
        """The guidance of a request; None if it asks for none."""
        if snapshot.guidance is None or not (snapshot.negative or snapshot.guidance_mode == "self"):
            return None
        eta, threshold = snapshot.apg_eta, snapshot.apg_norm_threshold
        return cls(snapshot.guidance_mode, noise, snapshot.guidance_interval, eta, threshold)

    def acts(self, time: float, live: Controls) -> bool:
        """Whether a step at this time is guided."""
        start, end = self._interval
        return live.guidance is not None and start <= 1.0 - time <= end

    def guided(self, velocity: Tensor, forward: Callable[[], Tensor], live: Controls) -> Tensor:
        """The velocity [T, 64] of a guided step.

        Args:
            velocity: [T, 64] of the prompt.
            forward: velocity [T, 64] of the negative prompt at this step.
            live: the slot's curves.
        """
        if live.guidance is None:
            return velocity
        # norms below are sums: one memory layout, whatever a backend returns
        velocity = velocity.contiguous()
        difference = velocity - self._negative(forward)
        if self._running is not None:
            difference = difference + live.apg_momentum * self._running
        self._running = difference
        guided = velocity + (live.guidance - 1.0) * self._projected(self._limited(difference), velocity)
        return guided if live.cfg_rescale is None else _rescaled(guided, velocity, live.cfg_rescale)

    def _negative(self, forward: Callable[[], Tensor]) -> Tensor:
        if self._kept is not None:
            return self._kept
        negative = forward().contiguous()
        if self._mode == "initialize":
            self._kept = negative
        return negative

    def _limited(self, difference: Tensor) -> Tensor:
        if self._norm_threshold == 0.0:
            return difference
        return difference * (self._norm_threshold / _norm(difference).clamp(min=_TINY)).clamp(max=1.0)

    def _projected(self, difference: Tensor, velocity: Tensor) -> Tensor:
        """The part of the difference that is orthogonal to the velocity over time, and eta of the parallel part."""
        unit = velocity / _norm(velocity).clamp(min=_TINY)
        along = (difference * unit).sum(dim=0, keepdim=True)
        return difference - (along * (1.0 - self._eta)) * unit


def _norm(values: Tensor) -> Tensor:
    """Length over time per channel, [1, C]."""
    return (values * values).sum(dim=0, keepdim=True).sqrt()


def _rescaled(guided: Tensor, velocity: Tensor, weight: Tensor) -> Tensor:
    scale = _norm(velocity) / _norm(guided).clamp(min=_TINY)
    return step.mix(guided, guided * scale, weight)
