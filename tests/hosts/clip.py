"""A short piece of music made of numbers, so that the host tests need no file and hear a beat, a bass and a chord."""

import numpy as np
from numpy.typing import NDArray

BEATS_PER_MINUTE = 120.0
CHORDS = ((0, 3, 7), (-4, 0, 3), (3, 7, 10), (-2, 2, 5))


def _tone(hertz: float, seconds: NDArray[np.float64], decay: float) -> NDArray[np.float64]:
    partials = sum(np.sin(2 * np.pi * hertz * k * seconds) / k**1.5 for k in range(1, 6))
    return partials * np.exp(-seconds / decay)


def _add(track: NDArray[np.float64], at: int, sound: NDArray[np.float64]) -> None:
    room = track[at : at + len(sound)]
    room += sound[: len(room)]


def music(seconds: float, rate: int = 48000, key: int = 0) -> NDArray[np.float32]:
    """`[2, seconds * rate]` float32, peak 0.5: kick, hat, bass and an arpeggio at 120 beats a minute.

    `key` transposes by semitones, so that two tracks of one test can differ.
    """
    total = round(seconds * rate)
    mix = np.zeros((2, total))
    rng = np.random.default_rng(11)
    beat = 60.0 / BEATS_PER_MINUTE
    note = np.arange(round(0.6 * rate)) / rate
    for step in range(int(seconds / (beat / 2)) + 1):
        at = round(step * beat / 2 * rate)
        chord = CHORDS[(step // 4) % len(CHORDS)]
        pitch = 220.0 * 2 ** ((chord[step % 3] + key) / 12)
        pan = 0.5 + 0.4 * np.sin(step)
        arpeggio = 0.25 * _tone(pitch, note, 0.25)
        _add(mix[0], at, arpeggio * (1 - pan))
        _add(mix[1], at, arpeggio * pan)
        hat = 0.05 * rng.standard_normal(round(0.05 * rate)) * np.exp(-np.arange(round(0.05 * rate)) / (0.01 * rate))
        for side in mix:
            _add(side, at, hat)
            if step % 2 == 0:
                _add(side, at, 0.2 * _tone(55.0 * 2 ** ((chord[0] + key) / 12), note, 0.4))
            if step % 4 == 0:
                _add(side, at, 0.5 * np.sin(2 * np.pi * 60 * note * np.exp(-note * 8)) * np.exp(-note / 0.12))
    return (0.5 * mix / np.abs(mix).max()).astype(np.float32)
