"""What the DiT makes of token positions: rotary tables, and the mask of sliding-window attention."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from engine.dit.band import band_mask
from engine.dit.shape import DitShape


@dataclass(frozen=True, eq=False)
class Positions:
    """Everything in a forward that depends on S, the number of tokens, alone.

    Attributes:
        cosine, sine: [S, 1, D], the rotary tables; the first half of the sines is negated, so that a rotation is
            x cosine + swapped(x) sine, where swapped exchanges the halves of the channels.
        masks: per width of window, what `engine.dit.band.attend_band` adds to its scores.
    """

    cosine: Tensor
    sine: Tensor
    masks: dict[int, Tensor]

    @classmethod
    def of(cls, shape: DitShape, tokens: int) -> Self:
        """The tables of S tokens."""
        # float32 throughout, as diffusers does it: at the 7500th token the rounding of these angles is audible in bits
        exponent = torch.arange(0, shape.width, 2, dtype=torch.float32) / shape.width
        frequency = 1.0 / (shape.theta**exponent)
        angle = torch.outer(torch.arange(tokens, dtype=torch.float32), frequency)
        windows = sorted({window for window in shape.windows if window is not None})
        return cls(
            cosine=torch.cat((angle.cos(), angle.cos()), dim=1)[:, None],
            sine=torch.cat((-angle.sin(), angle.sin()), dim=1)[:, None],
            masks={window: band_mask(tokens, window) for window in windows},
        )

    def at(self, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """Rotary tables of the tokens start .. stop - 1."""
        return self.cosine[start:stop], self.sine[start:stop]


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn heads [B, S, heads, D] to their positions."""
    low, high = x.chunk(2, dim=-1)
    return torch.addcmul(x * cosine, torch.cat((high, low), dim=-1), sine)
