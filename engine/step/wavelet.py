"""The DCW correction."""

from collections.abc import Sequence
from typing import Any, Protocol, Self, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.request.dcw import CheckedDcw
from engine.step.filterbank import HIGH, LOW, FilterBank, filter_bank

Time: TypeAlias = float | Tensor
"""t before the step, or one per row [..., 1, 1]."""


class Correction:
    """DCW of one slot. With d = x - clean: x, and the bands of d times their coefficients, transformed back.

    The transform is linear and loses nothing, so one of d replaces those of x and of the clean latent, and x itself
    never passes through it.
    """

    def __init__(self, rule: "_Rule") -> None:
        """Use `of`."""
        self._rule = rule

    @classmethod
    def of(cls, dcw: CheckedDcw) -> Self | None:
        """The correction that a request asks for; None if every coefficient is 0."""
        low = dcw.scaler if dcw.mode in {"low", "double"} else np.zeros_like(dcw.scaler)
        high = {"high": dcw.scaler, "double": dcw.high_scaler}.get(dcw.mode, np.zeros_like(dcw.scaler))
        if dcw.mode == "pix":
            return cls(_Pix(dcw.scaler)) if dcw.scaler.any() else None
        if not low.any() and not high.any():
            return None
        if dcw.wavelet == "haar" and not (dcw.mult_blend or dcw.mag_phase or dcw.soft_thresh):
            return cls(_Pairs(low, high))
        return cls(_Bands(dcw, low, high))

    def applied(self, x: Tensor, clean: Tensor, time: Time) -> Tensor:
        """x [..., T, 64] after a step, corrected.

        Args:
            x: [..., T, 64].
            clean: [..., T, 64], the model's clean latent in this step, before any control touched it.
            time: t before the step, in 0 .. 1.
        """
        return x + self._rule.change(x, clean, time)


class _Rule(Protocol):
    def change(self, x: Tensor, clean: Tensor, time: Time) -> Tensor:
        """What is added to x [..., T, 64]."""
        ...


class _Pix:
    """A multiple of d itself."""

    def __init__(self, scaler: NDArray[np.float32]) -> None:
        self._scaler = _column(scaler)

    def change(self, x: Tensor, clean: Tensor, time: Time) -> Tensor:  # noqa: ARG002 - its strength knows no time
        """See `_Rule.change`."""
        return self._scaler * (x - clean)


class _Pairs:
    """The haar wavelet in closed form: the low band is the mean m of two frames, the high band what is left of d."""

    def __init__(self, low: NDArray[np.float32], high: NDArray[np.float32]) -> None:
        frames = low.size
        self._low = _column(_at(low, frames // 2)).unsqueeze(-1)
        self._high = _column(_at(high, frames // 2)).unsqueeze(-1)

    def change(self, x: Tensor, clean: Tensor, time: Time) -> Tensor:
        """See `_Rule.change`."""
        when = time.unsqueeze(-1) if isinstance(time, Tensor) else time
        pairs = (x - clean).reshape(*x.shape[:-2], -1, 2, x.shape[-1])
        mean = (pairs[..., :1, :] + pairs[..., 1:, :]) * 0.5
        change = self._low * when * mean + self._high * (1.0 - when) * (pairs - mean)
        return change.reshape(x.shape)


class _Bands:
    """Any wavelet, and the three ways of correcting a band that only make sense band by band."""

    def __init__(self, dcw: CheckedDcw, low: NDArray[np.float32], high: NDArray[np.float32]) -> None:
        self._bank: FilterBank = filter_bank(dcw.wavelet)
        length = self._bank.length(low.size)
        self._coefficients: Sequence[tuple[int, Tensor]] = [
            (band, _column(_at(curve, length))) for band, curve in ((LOW, low), (HIGH, high)) if curve.any()
        ]
        self._dcw = dcw
        self._plain = not (dcw.mult_blend or dcw.mag_phase or dcw.soft_thresh)

    def change(self, x: Tensor, clean: Tensor, time: Time) -> Tensor:
        """See `_Rule.change`."""
        total = torch.zeros_like(x)
        for band, coefficient in self._coefficients:
            strength = coefficient * (time if band == LOW else 1.0 - time)
            if self._plain:
                moved = strength * self._bank.band(x - clean, band)
            else:
                moved = _moved(self._dcw, self._bank.band(x, band), self._bank.band(clean, band), strength)
            total = total + self._bank.joined(moved, band)
        return total


def _moved(dcw: CheckedDcw, x: Tensor, clean: Tensor, strength: Tensor) -> Tensor:
    """What is added to a band of x, given the same band of the clean latent."""
    difference = x - clean
    sign = torch.sign(difference)
    if dcw.soft_thresh:
        difference = sign * torch.relu(difference.abs() - dcw.soft_thresh)
    moved = (1.0 - dcw.mult_blend) * (strength * difference) + dcw.mult_blend * (x * strength * sign)
    if dcw.mag_phase:
        moved = (1.0 - dcw.mag_phase) * moved + dcw.mag_phase * (_apart(x, clean, strength) - x)
    return moved


def _apart(x: Tensor, clean: Tensor, strength: Tensor) -> Tensor:
    """A band whose magnitude and phase were each moved on from the clean one's."""
    seen, wanted = _analytic(x), _analytic(clean)
    magnitude = seen.abs() + strength * (seen.abs() - wanted.abs())
    phase = seen.angle() + strength * (seen / (wanted + 1e-8)).angle()  # DEMON's guard against a band that is 0
    return magnitude * torch.cos(phase)


def _analytic(band: Tensor) -> Tensor:
    """The analytic signal over time: positive frequencies twice, negative ones not at all."""
    length = band.shape[-2]
    factor = torch.zeros(length, 1)
    factor[0] = 1.0
    factor[1 : (length + 1) // 2] = 2.0
    if length % 2 == 0:
        factor[length // 2] = 1.0
    transforms: Any = torch.fft  # not typed
    return transforms.ifft(transforms.fft(band, dim=-2) * factor, dim=-2)


def _at(curve: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """A curve [T] at the places of a band: evenly spread, each in the middle of its share of the frames."""
    if length * 2 == curve.size:
        return curve.reshape(-1, 2).mean(axis=1)
    places = (np.arange(length) + 0.5) * (curve.size / length) - 0.5
    return np.interp(places, np.arange(curve.size), curve).astype(np.float32)


def _column(curve: NDArray[np.float32]) -> Tensor:
    return torch.tensor(curve).unsqueeze(-1)
