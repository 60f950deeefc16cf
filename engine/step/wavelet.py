"""The DCW correction in closed form."""

from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Correction:
    """DCW of one slot: x + a m + b (d - m), where d = x - clean and m is the mean of d over pairs of frames.

    A one-level haar transform is linear and loses nothing, so correcting its two bands by multiples of the bands of d
    adds the pair means and what is left of d, each times its coefficient.
    """

    def __init__(self, mode: str, low: Tensor, high: Tensor) -> None:
        """
        Args:
            mode: "bands", or "pix" for one coefficient on d itself.
            low, high: coefficients per pair of frames [T / 2, 1, 1], before the factors t and 1 - t; "pix" reads low,
                [T, 1].
        """
        self._pix = mode == "pix"
        self._low = low
        self._high = high

    @classmethod
    def of(cls, dcw: tuple[str, NDArray[np.float32], NDArray[np.float32]]) -> Self | None:
        """The correction of a mode and its two scalers [T]; None if every coefficient is 0."""
        mode, scaler, high_scaler = dcw
        none = np.zeros_like(scaler)
        low = none if mode == "high" else scaler
        high = {"low": none, "high": scaler, "double": high_scaler, "pix": none}[mode]
        if not low.any() and not high.any():
            return None
        if mode == "pix":
            return cls(mode, torch.tensor(low).unsqueeze(1), torch.empty(0))
        return cls("bands", _pairs(low), _pairs(high))

    def applied(self, x: Tensor, clean: Tensor, time: float) -> Tensor:
        """x [T, 64] after a step, corrected.

        Args:
            x: [T, 64].
            clean: [T, 64], the model's clean latent in this step, before any control touched it.
            time: t before the step.
        """
        difference = x - clean
        if self._pix:
            return x + self._low * difference
        pairs = difference.reshape(-1, 2, difference.shape[1])
        mean = (pairs[:, :1] + pairs[:, 1:]) * 0.5
        change = self._low * time * mean + self._high * (1.0 - time) * (pairs - mean)
        return x + change.reshape(x.shape)


def _pairs(curve: NDArray[np.float32]) -> Tensor:
    """A curve [T] at the haar bands' T / 2 places, [T / 2, 1, 1]: each lies in the middle of two frames."""
    return torch.tensor(curve.reshape(-1, 2).mean(axis=1)).reshape(-1, 1, 1)
