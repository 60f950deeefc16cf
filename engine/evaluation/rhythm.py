"""Beats: how regular they are, and how fast."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.constants import SAMPLE_RATE
from engine.evaluation.spectra import Audio, magnitudes

Envelope = NDArray[np.float64]

RATE: Final = 100
"""Values of an onset envelope a second."""

SLOWEST, FASTEST = 60.0, 200.0
"""bpm; the tempi that `tempo` chooses from, all with equal right."""

NEAR: Final = 0.04
"""How far from a tempo its estimate may be, as a share."""

_TEMPI: Final = np.exp(np.arange(np.log(SLOWEST), np.log(FASTEST), 0.004))  # a tenth of what counts as near
_PULSE: Final = ((0.5, 0.5), (1.0, 1.0), (2.0, 0.5), (4.0, 0.5))  # beats and their weights
_BARS: Final = ((1.0, 1.0), (2.0, 1.0), (4.0, 1.0), (8.0, 1.0))


def onsets(audio: Audio) -> Envelope:
    """How much appears at each moment, all pitches taken together: [N] at `RATE` a second, >= 0, less its mean."""
    rising = np.diff(np.log1p(0.5 * magnitudes(audio.mean(axis=0), 2048, SAMPLE_RATE // RATE)), axis=0)
    envelope = np.maximum(rising, 0.0).mean(axis=1).astype(np.float64)
    return envelope - envelope.mean()


def recurrence(envelope: Envelope) -> Envelope:
    """Autocorrelation of an onset envelope by lag, 1 at lag 0; all 0 where nothing happens."""
    spectrum = np.fft.rfft(envelope, 2 * envelope.size)
    found = np.fft.irfft(np.square(np.abs(spectrum)))[: envelope.size]
    return found / found[0] if found[0] > 1e-9 else np.zeros_like(found)


def beat_strength(recurring: Envelope, bpm: float) -> float:
    """How much of an envelope comes back after one beat of a tempo: `recurrence` at that lag."""
    return float(_at(recurring, np.array(60.0 * RATE / bpm)))


def tempo(recurring: Envelope) -> float | None:
    """The tempo in bpm, `SLOWEST` to `FASTEST`, or None where nothing comes back.

    First what comes back after half a beat, one, two and four. Half and double fit as well or better wherever a pattern
    is longer or shorter than a beat, so of the three the one with the strongest two bars is taken; that choice is right
    in two of three real clips, while the tempo up to it is right in all (`docs/evaluation.md`).
    """
    if not recurring.any():
        return None
    found = float(_TEMPI[int(np.argmax(_score(recurring, _TEMPI, _PULSE)))])
    octaves = np.array([bpm for bpm in (found / 2, found, 2 * found) if SLOWEST <= bpm <= FASTEST])
    return float(octaves[int(np.argmax(_score(recurring, octaves, _BARS)))])


def is_near(found: float | None, bpm: float, *, octaves: bool = False) -> bool:
    """Whether a tempo is within 4 % of another, or of its half and double where `octaves` count."""
    if found is None:
        return False
    ratios = (0.5, 1.0, 2.0) if octaves else (1.0,)
    return any(abs(found / (ratio * bpm) - 1.0) <= NEAR for ratio in ratios)


def _score(recurring: Envelope, tempi: Envelope, beats: tuple[tuple[float, float], ...]) -> Envelope:
    lags = 60.0 * RATE / tempi
    return np.sum([weight * _at(recurring, count * lags) for count, weight in beats], axis=0)


def _at(recurring: Envelope, lags: Envelope) -> Envelope:
    return np.interp(lags, np.arange(recurring.size), recurring)
