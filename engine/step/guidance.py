"""Adaptive projected guidance (APG). Lengths and projections are over time, per row and channel.

A sum over time is the only operation of a step that is not elementwise; torch adds up each column by itself, in an
order that depends on T alone.
"""

from typing import Final

from torch import Tensor

from engine.step.primitives import mix

_TINY: Final = 1e-12  # what a length is divided by at least, as in torch's normalize


def direction(velocity: Tensor, negative: Tensor, running: Tensor, momentum: Tensor) -> Tensor:
    """Away from the negative velocity, and on along the earlier directions.

    Args:
        velocity, negative: [R, T, 64].
        running: [R, T, 64], the direction of the step before, 0 at first.
        momentum: [R, T, 1].
    """
    return velocity - negative + momentum * running


def guided(velocity: Tensor, direction: Tensor, scale: Tensor, *, eta: Tensor, norm_threshold: Tensor) -> Tensor:
    """The velocity [R, T, 64] moved along a direction: exactly the velocity where the scale is 1.

    Args:
        velocity, direction: [R, T, 64].
        scale: [R, T, 1].
        eta: [R, 1, 1], share of the direction's part that is parallel to the velocity.
        norm_threshold: [R, 1, 1], length that the direction is limited to; infinite for no limit.
    """
    limited = direction * (norm_threshold / _length(direction)).clamp(max=1.0)
    unit = velocity / _length(velocity)
    along = (limited * unit).sum(dim=1, keepdim=True)
    return velocity + (scale - 1.0) * (limited - (along * (1.0 - eta)) * unit)


def rescaled(guided: Tensor, velocity: Tensor, weight: Tensor) -> Tensor:
    """The guided velocity [R, T, 64] brought back to the length of the unguided one, by a weight [R, T, 1]."""
    return mix(guided, guided * (_length(velocity, least=0.0) / _length(guided)), weight)


def _length(values: Tensor, least: float = _TINY) -> Tensor:
    return (values * values).sum(dim=1, keepdim=True).sqrt().clamp(min=least)
