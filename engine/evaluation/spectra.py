"""How far apart two pieces of audio are, by ear's measures. Audio is [2, N] float32 at 48 kHz."""

from functools import cache
from typing import Any, Final

import librosa as untyped
import numpy as np
from numpy.typing import NDArray

from engine.constants import SAMPLE_RATE

Audio = NDArray[np.float32]

_librosa: Final[Any] = untyped

BANDS: Final = ((20, 150), (150, 600), (600, 2_500), (2_500, 8_000), (8_000, 20_000))
"""Hz. The bands that figures of the codec are split into."""

MEL_BANDS: Final = 48
"""Bands of `log_mel`, equally spaced on the mel scale from 30 Hz to 16 kHz."""

MEL_RATE: Final = 50
"""Rows of `log_mel` a second: two per latent frame."""

_SCALES: Final = ((2048, 512), (512, 128), (160, 64))  # FFT and hop that DEMON's small checkpoint was first judged by
_LOWEST, _HIGHEST = 30.0, 16_000.0  # Hz, of `log_mel`
_FLOOR_DB: Final = -80.0  # of `log_mel`: what is softer is silence


def magnitudes(signal: Audio, size: int, hop: int) -> Audio:
    """Magnitudes [frames, size / 2 + 1] of a signal [N] under a periodic Hann window; frame k is centred at k hop."""
    padded = np.pad(signal, size // 2, mode="reflect" if signal.size > size // 2 else "constant")
    pieces = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    return np.abs(np.fft.rfft(pieces * _hann(size), axis=1))


def log_stft_distance(reference: Audio, other: Audio) -> float:
    """Mean of |ln magnitude - ln magnitude| over mid and side and three FFT sizes, with a floor near -70 dB."""
    found: list[float] = []
    for size, hop in _SCALES:
        floor = 3e-4 * np.sqrt(size)
        for one, two in zip(_mid_side(reference), _mid_side(other), strict=True):
            a, b = magnitudes(one, size, hop), magnitudes(two, size, hop)
            found.append(float(np.abs(np.log(np.hypot(a, floor) / np.hypot(b, floor))).mean()))
    return float(np.mean(found))


def si_sdr(reference: Audio, other: Audio) -> float:
    """Scale-invariant ratio of signal to distortion in dB; 100 where nothing is distorted."""
    a, b = reference.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    wanted = a * ((a @ b) / max(a @ a, 1e-8))
    return _decibels(float(np.square(wanted).sum()), float(np.square(wanted - b).sum()))


def band_sdr(reference: Audio, other: Audio) -> list[float | None]:
    """Ratio of signal to error in dB per band of `BANDS`; None where the reference holds next to nothing."""
    hertz = np.fft.rfftfreq(reference.shape[1], 1 / SAMPLE_RATE)
    a, b = np.fft.rfft(reference.astype(np.float64)), np.fft.rfft(other.astype(np.float64))
    total = np.square(np.abs(a)).sum()
    found: list[float | None] = []
    for low, high in BANDS:
        inside = (hertz >= low) & (hertz < high)
        energy = float(np.square(np.abs(a[:, inside])).sum())
        error = float(np.square(np.abs(a[:, inside] - b[:, inside])).sum())
        found.append(None if energy <= 1e-6 * total else _decibels(energy, error))
    return found


def band_likeness(reference: Audio, other: Audio) -> list[tuple[float, float]]:
    """Per band of `BANDS`: correlation of the log magnitudes, and energy of the other over the reference's in dB."""
    hertz = np.fft.rfftfreq(2048, 1 / SAMPLE_RATE)
    a, b = (magnitudes(audio.mean(axis=0), 2048, 512) for audio in (reference, other))
    found: list[tuple[float, float]] = []
    for low, high in BANDS:
        inside = (hertz >= low) & (hertz < high)
        one, two = a[:, inside], b[:, inside]
        energy = _decibels(float(np.square(two).sum()), float(np.square(one).sum()))
        found.append((correlation(np.log(one + 1e-2), np.log(two + 1e-2)), energy))
    return found


def log_mel(audio: Audio) -> Audio:
    """Mel spectrogram of the mono mean in dB, [rows, 48] at `MEL_RATE` rows a second, never below -80.

    A sine at full scale is near 0.
    """
    power = np.square(magnitudes(audio.mean(axis=0), 2048, SAMPLE_RATE // MEL_RATE) / 512) @ _mel().T
    return np.maximum(10.0 * np.log10(np.maximum(power, 1e-12)), _FLOOR_DB).astype(np.float32)


def band_of(hertz: float) -> float:
    """Where a frequency lies among the bands of `log_mel`: 0 .. 48."""
    low, here, high = (float(value) for value in _librosa.hz_to_mel([_LOWEST, hertz, _HIGHEST]))
    return MEL_BANDS * (here - low) / (high - low)


def mel_distance(reference: Audio, other: Audio) -> float:
    """Mean distance of two `log_mel` in dB."""
    return float(np.abs(log_mel(reference) - log_mel(other)).mean())


def mel_likeness(reference: Audio, other: Audio) -> float:
    """Correlation of two `log_mel`, each less its mean over time, so that what is heard is what happens when."""
    a, b = (mel - mel.mean(axis=0) for mel in (log_mel(reference), log_mel(other)))
    return correlation(a, b)


def correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Pearson's, of all values; 0 where one of the two is constant."""
    x, y = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    x, y = x - x.mean(), y - y.mean()
    size = np.sqrt((x @ x) * (y @ y))
    return float((x @ y) / size) if size > 0.0 else 0.0


def side_over_mid(audio: Audio) -> float:
    """Energy of the side over that of the mid in dB: -60 and below is mono."""
    mid, side = _mid_side(audio)
    return _decibels(float(np.square(side).sum()), float(np.square(mid).sum()))


def _mid_side(audio: Audio) -> tuple[Audio, Audio]:
    half = np.float32(np.sqrt(0.5))
    return (audio[0] + audio[1]) * half, (audio[0] - audio[1]) * half


def _decibels(power: float, over: float) -> float:
    return float(np.clip(10.0 * np.log10(max(power, 1e-20) / max(over, 1e-20)), -100.0, 100.0))


@cache
def _hann(size: int) -> Audio:
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)


@cache
def _mel() -> Audio:
    return _librosa.filters.mel(sr=SAMPLE_RATE, n_fft=2048, n_mels=MEL_BANDS, fmin=_LOWEST, fmax=_HIGHEST, norm=None)
