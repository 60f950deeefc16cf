"""Pitched voices. Every note starts at phase 0, so that equal notes have equal latents."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from engine.constants import SAMPLE_RATE
from engine.training.music.waves import Wave, decay, gate, hertz, pan, room, saw, seconds, sine, square

Voice = Callable[[int, int], Wave]
"""Of a pitch (MIDI) and of the samples that the key is held: [2, N] at 48 kHz, about -6 dBFS."""


def _held(length: int, release: float) -> int:
    return length + int(release * SAMPLE_RATE)


def _sweep(bright: Wave, dull: Wave, fall: float) -> Wave:
    """From bright to dull, as a filter's envelope does it."""
    open_ = np.exp(-seconds(bright.size) / fall)
    return (open_ * bright + (1.0 - open_) * dull).astype(np.float32)


def _saw_bass(pitch: int, length: int) -> Wave:
    count, f = _held(length, 0.02), hertz(pitch)
    return pan(0.8 * _sweep(saw(f, count, 2_400.0), saw(f, count, 400.0), 0.08) * gate(count, 0.003, 0.02), 0.0)


def _square_bass(pitch: int, length: int) -> Wave:
    count, f = _held(length, 0.02), hertz(pitch)
    wave = _sweep(square(f, count, 1_500.0), square(f, count, 500.0), 0.1)
    return pan(0.8 * wave * gate(count, 0.003, 0.02), 0.0)


def _sub_bass(pitch: int, length: int) -> Wave:
    count, f = _held(length, 0.05), hertz(pitch)
    return pan((0.8 * sine(f, count) + 0.25 * sine(2 * f, count)) * gate(count, 0.008, 0.05), 0.0)


def _reese_bass(pitch: int, length: int) -> Wave:
    """Two saws that beat: the second is two cycles in three seconds apart."""
    count, f = _held(length, 0.03), hertz(pitch)
    wave = saw(f, count, 900.0) + saw(f + 0.66, count, 900.0)
    return pan(np.tanh(0.9 * wave) * gate(count, 0.005, 0.03), 0.0)


def _acid_bass(pitch: int, length: int) -> Wave:
    count, f = _held(length, 0.02), hertz(pitch)
    dull = _sweep(saw(f, count, 900.0, 3.0), saw(f, count, 350.0, 3.0), 0.15)
    wave = _sweep(saw(f, count, 2_200.0, 3.0), dull, 0.05)
    return pan(np.tanh(0.9 * wave) * gate(count, 0.003, 0.02), 0.0)


def _pluck(pitch: int, _length: int) -> Wave:
    count, f = int(0.5 * SAMPLE_RATE), hertz(pitch)
    wave = _sweep(saw(f, count, 4_500.0), saw(f, count, 700.0), 0.05) * decay(count, 0.002, 0.13)
    return room(pan(0.8 * wave, -0.35), 0.25, 0.15)


def _wide(pitch: int, count: int, cutoff: float) -> Wave:
    """Left and right a few cents apart."""
    f = hertz(pitch)
    return np.stack((saw(f * 1.0015, count, cutoff), saw(f * 0.9985, count, cutoff)))


def _pad(pitch: int, length: int) -> Wave:
    count = _held(length, 0.15)
    return (0.5 * _wide(pitch, count, 1_600.0) * gate(count, 0.06, 0.15)).astype(np.float32)


def _warm_pad(pitch: int, length: int) -> Wave:
    count = _held(length, 0.5)
    swell = 0.75 + 0.25 * sine(1.0 / (length / SAMPLE_RATE), count)
    return (0.5 * _wide(pitch, count, 800.0) * gate(count, 0.35, 0.5) * swell).astype(np.float32)


def _strings(pitch: int, length: int) -> Wave:
    count = _held(length, 0.3)
    choir = _wide(pitch, count, 2_500.0) + 0.7 * saw(hertz(pitch), count, 2_500.0)
    return (0.35 * choir * gate(count, 0.15, 0.3)).astype(np.float32)


def _stab(pitch: int, _length: int) -> Wave:
    count, f = int(0.45 * SAMPLE_RATE), hertz(pitch)
    wave = _sweep(saw(f, count, 3_500.0), saw(f, count, 500.0), 0.07) * decay(count, 0.003, 0.12)
    return room(pan(0.6 * wave, 0.2), 0.35, 0.25)


def _keys(pitch: int, length: int) -> Wave:
    """An electric piano: two sines, the second of which bends the first for as long as the hammer rings."""
    count, f = max(_held(length, 0.12), int(0.25 * SAMPLE_RATE)), hertz(pitch)
    time = seconds(count)
    tine = 0.35 * np.exp(-time / 0.05) * sine(14.0 * f if pitch < 66 else 7.0 * f, count)
    body = np.sin(
        2.0 * np.pi * (f * time.astype(np.float64) % 1.0) + (1.2 * np.exp(-time / 0.4) * sine(f, count)) + tine
    )
    return pan(0.6 * body.astype(np.float32) * decay(count, 0.002, 0.9) * gate(count, 0.002, 0.12), -0.1)


def _organ(pitch: int, length: int) -> Wave:
    """Drawbars: each pipe a sine."""
    count, f = _held(length, 0.04), hertz(pitch)
    pipes = ((1, 0.5), (2, 0.3), (3, 0.2), (4, 0.15), (6, 0.08))
    wave = np.sum([level * sine(number * f, count) for number, level in pipes], axis=0)
    knock = 0.3 * sine(4 * f, count) * decay(count, 0.001, 0.02)
    return pan(0.7 * (wave + knock) * gate(count, 0.004, 0.04), 0.1)


def _marimba(pitch: int, _length: int) -> Wave:
    count, f = int(0.7 * SAMPLE_RATE), hertz(pitch)
    bar = sine(f, count) * decay(count, 0.001, 0.16) + 0.35 * sine(4 * f, count) * decay(count, 0.001, 0.04)
    return pan(0.8 * bar, -0.25)


def _bell(pitch: int, _length: int) -> Wave:
    count, f = int(1.6 * SAMPLE_RATE), hertz(pitch)
    time = seconds(count)
    index = 1.4 * np.exp(-time / 0.25) * sine(3.5 * f, count)
    wave = np.sin(2.0 * np.pi * (f * time.astype(np.float64) % 1.0) + index).astype(np.float32)
    return pan(0.6 * wave * decay(count, 0.002, 0.4), 0.3)


def _square_lead(pitch: int, length: int) -> Wave:
    count = _held(length, 0.01)
    return pan(0.55 * square(hertz(pitch), count, 5_000.0) * gate(count, 0.002, 0.01), 0.15)


def _chip_arp(pitch: int, length: int) -> Wave:
    count = _held(length, 0.005)
    return pan(0.5 * square(hertz(pitch), count, 3_500.0) * gate(count, 0.002, 0.005), -0.2)


VOICES: Final[Mapping[str, Voice]] = {
    "saw bass": _saw_bass,
    "square bass": _square_bass,
    "sub bass": _sub_bass,
    "reese bass": _reese_bass,
    "acid bass": _acid_bass,
    "pluck": _pluck,
    "pad": _pad,
    "warm pad": _warm_pad,
    "strings": _strings,
    "stab": _stab,
    "keys": _keys,
    "organ": _organ,
    "marimba": _marimba,
    "bell": _bell,
    "square lead": _square_lead,
    "chip arp": _chip_arp,
}
"""Pitched voices by name."""
