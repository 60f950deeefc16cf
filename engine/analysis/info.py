"""Tempo and key of audio."""

import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.analysis.keys import key_fits
from engine.checks import frozen
from engine.constants import AUDIO_CHANNELS, SAMPLE_RATE
from engine.text.format import MAX_BPM, MIN_BPM

_RATE: Final = 22_050  # what librosa's tempo and chroma are tuned to
_HOP: Final = 512
_SILENCE: Final = 1e-4  # -80 dBFS: below it there is nothing to beat or to sound


@dataclass(frozen=True, kw_only=True)
class AudioInfo:
    """What `Session.encode_text` wants to know about a source, estimated.

    Attributes:
        bpm: beats per minute, 30 .. 300, or None where nothing beats. Half, double and 3 : 2 of the tempo are the
            usual mistakes.
        key: such as "F# minor", or None where nothing sounds. The relative key and the fifths are the usual mistakes.
        duration: seconds.
    """

    bpm: int | None
    key: str | None
    duration: float


def audio_info(audio: ArrayLike) -> AudioInfo:
    """Estimate tempo and key. The first call of a process takes seconds: librosa compiles what it needs.

    Args:
        audio: [2, N] float32 at 48 kHz.

    Raises:
        RequestError: wrong shape or not finite.
    """
    samples = frozen(audio, (AUDIO_CHANNELS, None), "audio")
    duration = samples.shape[1] / SAMPLE_RATE
    if float(np.abs(samples).max()) < _SILENCE:
        return AudioInfo(bpm=None, key=None, duration=duration)
    librosa = _librosa()
    mono = librosa.resample(samples.mean(axis=0), orig_sr=SAMPLE_RATE, target_sr=_RATE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that audio is short, or that drums give nothing to tune to
        return AudioInfo(bpm=_tempo(librosa, mono), key=_key(librosa, mono), duration=duration)


def _librosa() -> Any:
    import librosa  # heavy, and only this function needs it

    return librosa


def _tempo(librosa: Any, mono: NDArray[np.float32]) -> int | None:
    envelope: NDArray[np.float32] = librosa.onset.onset_strength(y=mono, sr=_RATE, hop_length=_HOP)
    if envelope.size < 2 or not envelope.any():
        return None
    rough = float(librosa.feature.tempo(onset_envelope=envelope, sr=_RATE, hop_length=_HOP)[0])
    likeness: NDArray[np.float32] = librosa.autocorrelate(envelope - envelope.mean())
    rate = _RATE / _HOP
    bpm = round(60.0 * rate / _refined(likeness, 60.0 * rate / rough))
    return bpm if MIN_BPM <= bpm <= MAX_BPM else None


def _refined(likeness: NDArray[np.float32], lag: float) -> float:
    """A lag in whole hops, made finer by the peaks at 2, 4, 8, ... times it: each halves what is left of its error."""
    times = 1
    while times * 2 * lag < likeness.size / 2:
        times *= 2
        first = round(times * lag) - 2  # half a hop of error has become one, and one more for the peak's own rounding
        lag = (first + int(np.argmax(likeness[first : first + 5]))) / times
    return lag


def _key(librosa: Any, mono: NDArray[np.float32]) -> str | None:
    sounding = librosa.effects.harmonic(mono)  # drums say nothing about the key
    chroma: NDArray[np.float32] = librosa.feature.chroma_cqt(y=sounding, sr=_RATE).mean(axis=1)
    if not np.ptp(chroma):
        return None
    fits = key_fits(chroma)
    return max(fits, key=lambda name: fits[name])
