"""Sounds whose tempo, key and spectrum are known, [2, N] float32 at 48 kHz."""

import numpy as np

RATE = 48_000


def clicks(bpm: float, seconds: float = 10.0, accent: float = 1.0) -> np.ndarray:
    """A short burst of noise on each beat; every second one `accent` times as loud."""
    sound = np.zeros(int(seconds * RATE), np.float32)
    burst = np.random.default_rng(1).standard_normal(960).astype(np.float32) * np.exp(-np.arange(960) / 200)
    for beat in range(int(seconds * bpm / 60)):
        start = round(beat * 60 * RATE / bpm)
        place = sound[start : start + burst.size]
        place += 0.2 * (accent if beat % 2 else 1.0) * burst[: place.size]
    return np.stack((sound, sound))


def cadence(tonic: int, minor: bool, seconds: float = 8.0) -> np.ndarray:
    """Tonic, subdominant, dominant, tonic in plain triads of the key."""
    t = np.arange(int(seconds * RATE)) / RATE
    steps = np.array([0, 5, 7, 0])[(4 * t / seconds).astype(int)]
    thirds = np.where(minor, 3, 4) * np.ones_like(steps)
    notes = [60 + tonic % 12 + steps + above for above in (0, thirds, 7)]
    mono = sum(np.sin(np.cumsum(2 * np.pi * 440 / RATE * 2 ** ((note - 69) / 12))) for note in notes)
    return (0.1 * np.stack((mono, mono))).astype(np.float32)


def hiss(seed: int, seconds: float = 1.0) -> np.ndarray:
    """White noise, left and right apart."""
    return (0.1 * np.random.default_rng(seed).standard_normal((2, int(seconds * RATE)))).astype(np.float32)
