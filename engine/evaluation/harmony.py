"""Keys: whether what sounds is in the key that was asked for."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.analysis.keys import NOTES, key_fits
from engine.constants import SAMPLE_RATE
from engine.evaluation.spectra import Audio, magnitudes
from engine.training.music.harmony import Key

_SIZE: Final = 16_384  # 2.9 Hz a bin: semitones are apart from 60 Hz on
_LOW, _HIGH = 60.0, 2_000.0  # Hz: above, harmonics of other notes are louder than the notes


def chroma(audio: Audio) -> NDArray[np.float64]:
    """How much of each pitch class sounds, [12], 0 = C.

    Only peaks of the spectrum count, and those by the root of their magnitude: drums have none that last, and a bass
    does not drown the chords. Of what was tried on real clips this finds their key most often.
    """
    found = magnitudes(audio.mean(axis=0), _SIZE, _SIZE // 4)
    inner = found[:, 1:-1]
    peaks = np.where((inner > found[:, :-2]) & (inner > found[:, 2:]), inner, 0.0)
    hertz = np.fft.rfftfreq(_SIZE, 1 / SAMPLE_RATE)[1:-1]
    inside = (hertz > _LOW) & (hertz < _HIGH)
    pitches = np.round(69.0 + 12.0 * np.log2(hertz[inside] / 440.0)).astype(int) % 12
    return np.bincount(pitches, np.sqrt(peaks[:, inside]).mean(axis=0), 12).astype(np.float64)


def fits(sounding: NDArray[np.float64]) -> dict[str, float]:
    """How well each of the 24 keys fits a chroma [12], -1 .. 1; all 0 where it is flat."""
    if float(np.ptp(sounding)) > 1e-9:
        return key_fits(sounding)
    return dict.fromkeys(key_fits(np.arange(12.0)), 0.0)


def rank(found: dict[str, float], key: Key) -> float:
    """How many of the 24 keys fit better than this one, 0 .. 23; one that fits as well counts half."""
    own = found[_name(key)]
    better = sum(fit > own for fit in found.values())
    return better + 0.5 * (sum(fit == own for fit in found.values()) - 1)


def is_above_mean(found: dict[str, float], key: Key) -> bool:
    """Whether a key fits better than the 24 do on average, which one of two does by chance."""
    return found[_name(key)] > float(np.mean(list(found.values())))


def _name(key: Key) -> str:
    return f"{NOTES[key.tonic]} {key.mode}"
