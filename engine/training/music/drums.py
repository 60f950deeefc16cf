"""Drums. Each is one sound: every hit of it is the same, which is what a latent grid can learn."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from engine.constants import SAMPLE_RATE
from engine.training.music.waves import Wave, decay, noise, pan, room, seconds, sine, square


def _count(length: float) -> int:
    return int(length * SAMPLE_RATE)


def _kick(low: float, drop: float, bend: float, fall: float, click: float) -> Wave:
    """A sine that falls from `low + drop` Hz to `low` within some `bend` seconds."""
    count = _count(4.0 * fall)
    time = seconds(count).astype(np.float64)
    phase = low * time + drop * bend * (1.0 - np.exp(-time / bend))
    body = np.sin(2.0 * np.pi * phase) * decay(count, 0.001, fall)
    knock = click * sine(1_700.0, count) * decay(count, 0.0005, 0.004)
    return pan((np.tanh(1.6 * body) + knock).astype(np.float32), 0.0)


def _snare(tone: float, body: float, low: float, fall: float, wet: float) -> Wave:
    count = _count(5.0 * fall)
    time = seconds(count)
    pitch = tone * time + 1.5 * (1.0 - np.exp(-time / 0.02))
    drum = body * np.sin(2.0 * np.pi * pitch) * decay(count, 0.001, 0.6 * fall)
    wires = 1.4 * noise(count, low, 8_000.0) * decay(count, 0.001, fall)
    return room((pan(drum.astype(np.float32), 0.0) + wires).astype(np.float32), wet, 0.06)


def _clap() -> Wave:
    count = _count(0.3)
    hands = np.zeros(count, np.float32)
    for start, fall in ((0.0, 0.006), (0.011, 0.006), (0.022, 0.06)):
        first = _count(start)
        hands[first:] = np.maximum(hands[first:], decay(count - first, 0.0005, fall))
    return room((1.6 * noise(count, 900.0, 4_500.0) * hands).astype(np.float32), 0.25, 0.08)


def _hiss(low: float, high: float, fall: float, place: float) -> Wave:
    count = _count(6.0 * fall)
    return pan(2.2 * noise(count, low, high)[0] * decay(count, 0.001, fall), place)


def _metal(fall: float, place: float) -> Wave:
    """Hiss with two squares far from any harmony, which make it sound struck."""
    count = _count(5.0 * fall)
    struck = (square(5_400.0, count, 2e4) + square(8_150.0, count, 2e4)) * 0.12
    return pan((2.0 * noise(count, 6_000.0, 14_000.0)[0] + struck) * decay(count, 0.001, fall), place)


def _rim() -> Wave:
    count = _count(0.12)
    return pan((sine(1_720.0, count) + 0.6 * sine(480.0, count)) * decay(count, 0.0005, 0.012), -0.25)


DRUMS: Final[Mapping[str, Callable[[], Wave]]] = {
    "kick": lambda: _kick(48.0, 210.0, 0.03, 0.12, 0.25),
    "soft kick": lambda: _kick(52.0, 90.0, 0.04, 0.09, 0.05),
    "tight kick": lambda: _kick(56.0, 240.0, 0.025, 0.07, 0.35),
    "chip kick": lambda: _kick(60.0, 300.0, 0.05, 0.06, 0.0),
    "snare": lambda: _snare(190.0, 0.8, 1_000.0, 0.08, 0.2),
    "soft snare": lambda: _snare(170.0, 0.6, 700.0, 0.06, 0.25),
    "chip snare": lambda: _hiss(800.0, 9_000.0, 0.05, 0.0),
    "clap": _clap,
    "rim": _rim,
    "hat": lambda: _metal(0.022, 0.25),
    "open hat": lambda: _metal(0.09, 0.25),
    "soft hat": lambda: _hiss(5_000.0, 9_000.0, 0.02, 0.2),
    "chip hat": lambda: _hiss(7_000.0, 12_000.0, 0.015, 0.0),
    "shaker": lambda: _hiss(4_000.0, 9_000.0, 0.03, -0.35),
}
"""Drums by voice: [2, N] at 48 kHz."""
