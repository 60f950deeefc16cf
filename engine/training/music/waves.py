"""What voices are made of: oscillators, envelopes, noise and rooms. All of it repeats to the bit."""

from functools import cache
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from scipy import signal as untyped

from engine.constants import SAMPLE_RATE

Wave = NDArray[np.float32]

_signal = cast(Any, untyped)

_TABLE: Final = 1 << 15  # samples of a wavetable: so many that the nearest one will do, 80 dB above what it misses
_HIGHEST: Final = 11_000.0  # Hz: of the highest harmonic; what lies above is hiss to the codec
_HARMONICS: Final = 64

_NOISE: Final = np.random.default_rng(7).standard_normal((2, 4 * SAMPLE_RATE)).astype(np.float32)
"""The one source of noise, so that every hit of a drum is the same."""


def seconds(count: int) -> Wave:
    """The time of each of `count` samples."""
    return (np.arange(count, dtype=np.float64) / SAMPLE_RATE).astype(np.float32)


def hertz(pitch: float) -> float:
    """Frequency of a MIDI pitch, equal temperament, A4 = 440 Hz."""
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


def saw(frequency: float, count: int, cutoff: float, resonance: float = 0.7) -> Wave:
    """A saw through a low-pass of two poles at `cutoff` Hz; it starts at phase 0."""
    return _oscillate(frequency, count, _harmonics(frequency, cutoff, resonance, odd=False))


def square(frequency: float, count: int, cutoff: float) -> Wave:
    """A square wave, as `saw`."""
    return _oscillate(frequency, count, _harmonics(frequency, cutoff, 0.7, odd=True))


def sine(frequency: float, count: int) -> Wave:
    """A sine from phase 0."""
    return _read(_SINE, frequency, count)


def decay(count: int, attack: float, fall: float) -> Wave:
    """A straight rise of `attack` seconds, then down to 1/e in `fall` seconds; the last 5 ms end at zero."""
    time = seconds(count)
    shape = np.minimum(time / attack, 1.0) * np.exp(-np.maximum(time - attack, 0.0) / fall)
    return (shape * _end(count, 0.005)).astype(np.float32)


def gate(count: int, attack: float, release: float) -> Wave:
    """1 between a rise of `attack` seconds and an end of `release` seconds."""
    return (np.minimum(seconds(count) / attack, 1.0) * _end(count, release)).astype(np.float32)


def noise(count: int, low: float, high: float) -> Wave:
    """[2, count] noise between two frequencies in Hz, the same each time."""
    sections = _signal.butter(2, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos")
    return np.asarray(_signal.sosfilt(sections, _NOISE[:, :count]), np.float32)


def pan(mono: NDArray[np.floating[Any]], place: float) -> Wave:
    """[2, N] of [N], with equal power; -1 is left and 1 is right."""
    angle = (place + 1.0) * np.pi / 4.0
    return np.stack((np.cos(angle) * mono, np.sin(angle) * mono)).astype(np.float32)


def room(dry: Wave, wet: float, fall: float) -> Wave:
    """[2, N + 3 fall] of [2, N] in a room that decays to 1/e in `fall` seconds."""
    tail = np.asarray(_signal.fftconvolve(dry, _response(fall), axes=1), np.float32)
    tail[:, : dry.shape[1]] += dry / wet
    return (tail * wet * _end(tail.shape[1], 0.01)).astype(np.float32)


@cache
def _response(fall: float) -> Wave:
    count = int(3.0 * fall * SAMPLE_RATE)
    response = noise(count, 300.0, 5_000.0) * np.exp(-seconds(count) / fall)
    return (response / np.sqrt(np.square(response).sum(axis=1, keepdims=True))).astype(np.float32)


def _end(count: int, length: float) -> Wave:
    left = np.arange(count - 1, -1, -1, dtype=np.float32) / (length * SAMPLE_RATE)
    return np.minimum(left, 1.0)


def _harmonics(frequency: float, cutoff: float, resonance: float, *, odd: bool) -> NDArray[np.float64]:
    number = np.arange(1, max(2, min(_HARMONICS, int(_HIGHEST / frequency))) + 1)
    place = number * frequency / cutoff
    level = 1.0 / number / np.hypot(1.0 - place**2, place / resonance)
    return level * (number % 2) if odd else level


def _oscillate(frequency: float, count: int, levels: NDArray[np.float64]) -> Wave:
    spectrum = np.zeros(_TABLE // 2 + 1, dtype=np.complex128)
    spectrum[1 : levels.size + 1] = -0.5j * _TABLE * levels
    return _read(np.fft.irfft(spectrum).astype(np.float32), frequency, count)


def _read(table: Wave, frequency: float, count: int) -> Wave:
    place = np.arange(count, dtype=np.float64)
    place *= frequency / SAMPLE_RATE * _TABLE
    wave: Wave = table[place.astype(np.int64) & (_TABLE - 1)]
    return wave


_SINE: Final = np.sin(2.0 * np.pi * np.arange(_TABLE) / _TABLE).astype(np.float32)
