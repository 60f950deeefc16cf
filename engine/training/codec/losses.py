"""What the VAE is trained to keep: spectra as they are heard, and the wave itself where phase can be heard.

Each is of the mid and the side signal, so that a quiet side counts.
"""

from functools import cache
from typing import Any, Final, cast

import librosa
import torch
from torch import Tensor

from engine.constants import SAMPLE_RATE

SPECTRA: Final = ((2048, 512), (512, 128), (160, 64))
"""Window and hop of the spectra that are compared: 43 ms for pitch, 3 ms for attacks."""

_BANDS: Final = ((2048, 512, 80), (512, 128, 24))  # window, hop, mel bands: each band holds a line at least
_FLOOR: Final = 3e-4  # of a spectral line times the root of the window: about -70 dB
_PHASE: Final = 700.0  # Hz: above it the ear hears envelopes, and 64 numbers per 40 ms cannot hold the phase as well


def mid_side(audio: Tensor) -> Tensor:
    """[2 B, N] of [B, 2, N], with the energy unchanged."""
    left, right = audio.unbind(1)
    return torch.stack((left + right, left - right), 1).flatten(0, 1) * 0.5**0.5


def log_spectra(one: Tensor, other: Tensor) -> Tensor:
    """Mean difference of log magnitudes in nats, over `SPECTRA`; both [2 B, N]."""
    total = one.new_zeros(())
    for window, hop in SPECTRA:
        floor = _FLOOR * window**0.5
        a, b = (_magnitude(_stft(wave, window, hop), floor).log() for wave in (one, other))
        total = total + (a - b).abs().mean()
    return total / len(SPECTRA)


def log_mels(one: Tensor, other: Tensor) -> Tensor:
    """Mean difference of log mel magnitudes in nats: the energy of each band, however its lines fall."""
    total = one.new_zeros(())
    for window, hop, bands in _BANDS:
        filters = _mel(window, bands)
        a, b = (_mel_log(wave, window, hop, filters) for wave in (one, other))
        total = total + (a - b).abs().mean()
    return total / len(_BANDS)


def phases(one: Tensor, other: Tensor) -> Tensor:
    """Distance of the spectra as complex numbers of compressed magnitude, weighted down above 700 Hz."""
    total = one.new_zeros(())
    for window, hop in SPECTRA[:2]:
        floor = _FLOOR * window**0.5
        a, b = (_stft(wave, window, hop) for wave in (one, other))
        a, b = (line / _magnitude(line, floor).sqrt() for line in (a, b))
        weight = _phase_weight(window)
        gap = a - b
        distance = (gap.real.square() + gap.imag.square() + 1e-8).sqrt() * weight
        total = total + distance.mean() / weight.mean() / window**0.25
    return total / 2


def _stft(wave: Tensor, window: int, hop: int) -> Tensor:
    return torch.stft(wave, window, hop, window=_hann(window), return_complex=True)


def _magnitude(lines: Tensor, floor: float) -> Tensor:
    return (lines.real.square() + lines.imag.square() + floor**2).sqrt()


def _mel_log(wave: Tensor, window: int, hop: int, filters: Tensor) -> Tensor:
    lines = _stft(wave, window, hop)
    energy = filters @ (lines.real.square() + lines.imag.square())
    return 0.5 * (energy + (_FLOOR**2) * window).log()


@cache
def _hann(window: int) -> Tensor:
    return torch.hann_window(window)


@cache
def _phase_weight(window: int) -> Tensor:
    frequency = torch.arange(window // 2 + 1) * (SAMPLE_RATE / window)
    return (_PHASE / frequency.clamp_min(_PHASE)).square()[:, None]


@cache
def _mel(window: int, bands: int) -> Tensor:
    filters = cast(Any, librosa).filters.mel(
        sr=SAMPLE_RATE, n_fft=window, n_mels=bands, fmin=3.0 * SAMPLE_RATE / window, fmax=16_000.0
    )
    filters /= filters.sum(axis=1, keepdims=True)
    return torch.tensor(filters, dtype=torch.float32)
