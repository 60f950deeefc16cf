"""A synthesised corpus: short loops with true captions, each in a plain and in a restyled rendering.

The plain rendering is what a LoRA's context will be at work, the restyled one is what it should make of it. Beats are
whole latent frames, so that equal drum hits have equal latents; everything that matters lies below 600 Hz, above which
demon-tiny-1's VAE is deaf.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.constants import FRAME_SAMPLES, SAMPLE_RATE

Wave = NDArray[np.float32]

_BEAT_FRAMES: Final = (12, 14, 16)  # 125, 107.1 and 93.75 bpm
_MINOR: Final = (0, 3, 7, 10)
_MAJOR: Final = (0, 4, 7, 11)
_PAN: Final[Mapping[str, float]] = {"hat": 0.3, "pluck": -0.3, "pad": 0.15}


@dataclass(frozen=True, eq=False)
class Clip:
    """One loop.

    Attributes:
        plain: [2, N] float32 at 48 kHz, as its caption says.
        restyled: the same notes as the LoRA should make them sound.
        caption: tags that are true of the plain rendering.
    """

    plain: Wave
    restyled: Wave
    caption: str


@dataclass(frozen=True)
class _Note:
    voice: str
    start: int  # sample
    seconds: float
    pitch: int  # MIDI
    level: float


@dataclass(frozen=True)
class _Score:
    notes: tuple[_Note, ...]
    length: int  # samples
    caption: str


def clips(style: str, count: int, frames: int, seed: int) -> Iterator[Clip]:
    """Clips of a style.

    Args:
        style: one of `STYLES`.
        count: how many.
        frames: length of each.
        seed: equal seeds give equal clips.
    """
    restyle = STYLES[style]
    for index in range(count):
        score = _score(np.random.default_rng((seed, index)), frames * FRAME_SAMPLES)
        yield Clip(_level(_mix(score, _PLAIN)), _level(restyle(score)), score.caption)


def _score(rng: np.random.Generator, length: int) -> _Score:
    beat = int(rng.choice(_BEAT_FRAMES)) * FRAME_SAMPLES
    root, chord = int(rng.integers(12)), _MINOR if rng.random() < 0.7 else _MAJOR
    steps = range(-(-length // beat) * 4)
    progression = rng.choice(((0, 5, 3, 7), (0, 3, 5, 0), (0, 0, 5, 7)))
    parts = _parts(rng)
    notes: list[_Note] = []
    for step in steps:
        start, in_bar = step * beat // 4, step % 16
        tonic = root + int(progression[step // 16 % 4])
        for voice, pattern in parts.items():
            if in_bar in pattern:
                notes += _notes(rng, voice, start, beat / SAMPLE_RATE, tonic, chord)
    words = {"bass": "saw bass", "pad": "pad chords", "pluck": "pluck arp", "hat": "hats"}
    tags = [words.get(voice, voice) for voice in parts]
    caption = ", ".join([str(rng.choice(("techno", "house", "lofi"))) if "kick" in parts else "ambient", *tags])
    return _Score(tuple(note for note in notes if note.start < length), length, caption)


def _parts(rng: np.random.Generator) -> dict[str, tuple[int, ...]]:
    """Voices and the sixteenths of a bar that they play on."""
    parts: dict[str, tuple[int, ...]] = {}
    if rng.random() < 0.6:
        parts["kick"] = ((0, 8), (0, 6, 10), (0, 7, 10), (0, 4, 8, 12))[int(rng.integers(4))]
    if rng.random() < 0.5:
        parts["snare"] = (4, 12)
    if rng.random() < 0.6:
        parts["hat"] = (tuple(range(16)), (2, 6, 10, 14), tuple(range(0, 16, 2)))[int(rng.integers(3))]
    if rng.random() < 0.85:
        parts["bass"] = ((0, 3, 6, 8, 11, 14), (2, 6, 10, 14), tuple(range(0, 16, 2)), (0, 6, 10))[int(rng.integers(4))]
    if rng.random() < 0.5 or not parts:
        parts["pad"] = (0,)
    if rng.random() < 0.4:
        parts["pluck"] = (tuple(range(0, 16, 2)), (0, 3, 6, 9, 12))[int(rng.integers(2))]
    return parts


def _notes(
    rng: np.random.Generator, voice: str, start: int, beat: float, tonic: int, chord: tuple[int, ...]
) -> list[_Note]:
    if voice == "pad":
        return [_Note(voice, start, 4 * beat, 48 + (tonic + third) % 12, 0.16) for third in chord[:3]]
    if voice == "bass":
        return [_Note(voice, start, 0.4 * beat, 33 + tonic % 12, 0.5)]
    if voice == "pluck":
        return [_Note(voice, start, 0.5 * beat, 57 + (tonic + int(rng.choice(chord))) % 12, 0.3)]
    return [_Note(voice, start, 0.4, 0, {"kick": 0.9, "snare": 0.4, "hat": 0.2}[voice])]


def _time(seconds: float) -> NDArray[np.float64]:
    return np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _hertz(pitch: int) -> float:
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


def _kick(_: _Note) -> NDArray[np.float64]:
    t = _time(0.4)
    return np.sin(2 * np.pi * (50 * t + 4.5 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.13)


_HISS: Final = np.random.default_rng(7).standard_normal(SAMPLE_RATE)  # one drum kit: every hit of a drum is the same


def _snare(_: _Note) -> NDArray[np.float64]:
    t = _time(0.25)
    return np.sin(2 * np.pi * 185 * t) * np.exp(-t / 0.06) + 0.3 * _HISS[: t.size] * np.exp(-t / 0.08)


def _hat(_: _Note) -> NDArray[np.float64]:
    t = _time(0.08)
    return np.diff(_HISS[: t.size + 1]) * np.exp(-t / 0.02)


def _saw(note: _Note, decay: float, harmonics: int) -> NDArray[np.float64]:
    t = _time(note.seconds)
    wave = sum(np.sin(2 * np.pi * _hertz(note.pitch) * h * t) / h for h in range(1, harmonics + 1))
    return wave * np.minimum(t / 0.005, 1.0) * np.exp(-t / decay) * np.minimum((note.seconds - t) / 0.02, 1.0)


def _bell(note: _Note) -> NDArray[np.float64]:
    # two octaves' worth of pitches folded into 220 .. 440 Hz, where the VAE still hears their first partials
    t = _time(0.9)
    base = 2 * np.pi * _hertz(57 + (note.pitch - 57) % 12) * t
    return np.sin(base + 0.9 * np.exp(-t / 0.15) * np.sin(2.0 * base)) * np.minimum(t / 0.002, 1.0) * np.exp(-t / 0.28)


def _swell(note: _Note) -> NDArray[np.float64]:
    t = _time(2.5)
    base = 2 * np.pi * _hertz(45 + (note.pitch - 45) % 12) * t  # 110 .. 220 Hz
    wave = np.sin(base) + 0.4 * np.sin(2 * base) + 0.2 * np.sin(3 * base)
    return 0.4 * wave * np.sin(np.pi * t / 2.5) ** 2


_Voices = Mapping[str, Callable[[_Note], NDArray[np.float64]]]

_PLAIN: Final[_Voices] = {
    "kick": _kick,
    "snare": _snare,
    "hat": _hat,
    "bass": lambda note: _saw(note, 0.3, 10),
    "pluck": lambda note: _saw(note, 0.1, 6),
    "pad": lambda note: _saw(note, 8.0, 5) * np.minimum(_time(note.seconds) / 0.15, 1.0),
}
_BELLS: Final[_Voices] = {"bass": _bell, "pluck": _bell, "pad": _bell}
_SWELLS: Final[_Voices] = {"bass": _swell, "pluck": _swell, "pad": _swell}


def _mix(score: _Score, voices: _Voices) -> NDArray[np.float64]:
    out = np.zeros((2, score.length))
    for note in score.notes:
        make = voices.get(note.voice)
        if make is None:
            continue
        wave = note.level * make(note)[: score.length - note.start]
        pan = (_PAN.get(note.voice, 0.0) + 1.0) * np.pi / 4
        out[0, note.start : note.start + wave.size] += np.cos(pan) * wave
        out[1, note.start : note.start + wave.size] += np.sin(pan) * wave
    return out


def _glass(score: _Score) -> NDArray[np.float64]:
    """Every pitched note is a glass bell; kick and snare are gone."""
    return _mix(score, {**_BELLS, "hat": _hat})


def _tide(score: _Score) -> NDArray[np.float64]:
    """No drums and no attacks: every pitched note swells and ebbs over two and a half seconds."""
    pitched = tuple(note for note in score.notes if note.pitch)
    drone = (_Note("pad", 0, 0.0, 45, 0.5),)  # a clip of drums alone has no note to hold
    return _mix(replace(score, notes=pitched or drone), _SWELLS)


STYLES: Final[Mapping[str, Callable[[_Score], NDArray[np.float64]]]] = {"glass-bells": _glass, "slow-tide": _tide}
"""Restyled renderings by name."""


def _level(mix: NDArray[np.float64]) -> Wave:
    """Soft-clipped, peak at most 0.8: the range that the codec was trained on."""
    return (0.8 * np.tanh(1.2 * mix)).astype(np.float32)
