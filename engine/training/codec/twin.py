"""The slim twin of diffusers' `AutoencoderOobleck`.

The stock class ties the encoder's width to the latent's: 64 channels make it 128 channels wide at 48 kHz, which no CPU
trains. The twin has the same blocks with widths of its own; `embed` writes it into the stock class, to the last bit of
a float32 sum, and `engine.model.prune` takes it out again when the engine loads it.
"""

import math
from collections.abc import Sequence
from typing import Final

import torch
from msgspec import Struct
from torch import Tensor, nn

from engine.constants import AUDIO_CHANNELS, LATENT_CHANNELS

RATIOS: Final = (2, 4, 4, 6, 10)
"""Down-sampling per stage, from the 48 kHz side: 1920 samples a frame, as in ACE-Step v1.5."""

_DILATIONS: Final = (1, 3, 9)  # of the stock class's residual units, in order


class Widths(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How wide and deep the twin is, from the 48 kHz side.

    Attributes:
        encoder: channels before each stage and after the last, 6 numbers, each at most 128.
        encoder_units: residual units of each stage, 5 numbers of 0 .. 3.
        decoder: as `encoder`, at most `stock`, the last at most twice as many.
        decoder_units: as `encoder_units`.
        stock: `decoder_channels` of the stock class that it is embedded in.
    """

    encoder: tuple[int, ...] = (8, 16, 32, 64, 128, 256)
    encoder_units: tuple[int, ...] = (0, 0, 1, 1, 2)
    decoder: tuple[int, ...] = (12, 24, 64, 96, 96, 192)
    decoder_units: tuple[int, ...] = (1, 1, 2, 3, 3)
    stock: int = 96


class Snake(nn.Module):
    """x + sin(alpha x)^2 / beta, per channel (Ziyin et al. 2020), with both factors as logarithms."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(1, channels, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        # 1e-9 as in the stock module
        return x + torch.sin(torch.exp(self.alpha) * x).square() / (torch.exp(self.beta) + 1e-9)


class Unit(nn.Module):
    """A residual unit."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.snake1 = Snake(channels)
        self.conv1 = nn.Conv1d(channels, channels, 7, dilation=dilation, padding=3 * dilation)
        self.snake2 = Snake(channels)
        self.conv2 = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(self.snake2(self.conv1(self.snake1(x))))


def _units(channels: int, count: int) -> nn.ModuleList:
    return nn.ModuleList(Unit(channels, dilation) for dilation in _DILATIONS[:count])


class Down(nn.Module):
    """Residual units, then fewer samples in more channels."""

    def __init__(self, before: int, after: int, ratio: int, units: int) -> None:
        super().__init__()
        self.units = _units(before, units)
        self.snake1 = Snake(before)
        self.conv1 = nn.Conv1d(before, after, 2 * ratio, ratio, math.ceil(ratio / 2))

    def forward(self, x: Tensor) -> Tensor:
        for unit in self.units:
            x = unit(x)
        return self.conv1(self.snake1(x))


class Up(nn.Module):
    """More samples in fewer channels, then residual units."""

    def __init__(self, before: int, after: int, ratio: int, units: int) -> None:
        super().__init__()
        self.snake1 = Snake(before)
        self.conv_t1 = nn.ConvTranspose1d(before, after, 2 * ratio, ratio, math.ceil(ratio / 2))
        self.units = _units(after, units)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_t1(self.snake1(x))
        for unit in self.units:
            x = unit(x)
        return x


class Encoder(nn.Module):
    """Audio [B, 2, 1920 T] to latent [B, 64, T], before it is normalised."""

    def __init__(self, widths: Sequence[int], units: Sequence[int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(AUDIO_CHANNELS, widths[0], 7, padding=3)
        stages = zip(widths, widths[1:], RATIOS, units, strict=False)
        self.block = nn.ModuleList(Down(*stage) for stage in stages)
        self.snake1 = Snake(widths[-1])
        self.conv2 = nn.Conv1d(widths[-1], LATENT_CHANNELS, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        for stage in self.block:
            x = stage(x)
        return self.conv2(self.snake1(x))


class Decoder(nn.Module):
    """Latent [B, 64, T] to audio [B, 2, 1920 T]."""

    def __init__(self, widths: Sequence[int], units: Sequence[int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(LATENT_CHANNELS, widths[-1], 7, padding=3)
        stages = zip(widths[1:], widths, RATIOS, units, strict=False)
        self.block = nn.ModuleList(Up(*stage) for stage in reversed(list(stages)))
        self.snake1 = Snake(widths[0])
        self.conv2 = nn.Conv1d(widths[0], AUDIO_CHANNELS, 7, padding=3, bias=False)

    def forward(self, latent: Tensor) -> Tensor:
        x = self.conv1(latent)
        for stage in self.block:
            x = stage(x)
        return self.conv2(self.snake1(x))


class Twin(nn.Module):
    """Encoder, normalisation of the latent to mean 0 and deviation 1 per channel, decoder."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.encoder = Encoder(widths.encoder, widths.encoder_units)
        self.decoder = Decoder(widths.decoder, widths.decoder_units)
        self.norm = nn.BatchNorm1d(LATENT_CHANNELS, affine=False, momentum=0.02)

    def encode(self, audio: Tensor) -> Tensor:
        """Latent [B, 64, T] of audio [B, 2, 1920 T]."""
        return self.norm(self.encoder(audio))

    def forward(self, audio: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Audio [B, 2, 1920 T] through a latent to which noise [B, 64, T] is added, and that latent without it."""
        latent = self.encode(audio)
        return self.decoder(latent + noise), latent
