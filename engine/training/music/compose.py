"""Composing: from random numbers to a score."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from engine.constants import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE
from engine.training.music.harmony import PROGRESSIONS, Key, place
from engine.training.music.pattern import Hit, parse
from engine.training.music.score import Note, Score, Tags
from engine.training.music.styles import DRUMS, STYLES, Part, Style

Rng = np.random.Generator

_OFF_GRID: Final = 0.15
"""Share of clips whose beat is no whole number of frames: what hosts and tracks are like."""

_OTHER_TEMPO: Final = 0.2
"""Share of clips at a tempo that is not usual for the style, so that the words for both are learned apart."""

_ALL_BEATS: Final = (9, 10, 12, 14, 16, 18)
_SOLO, _DRUMS_ALONE, _NO_DRUMS = 0.1, 0.2, 0.3  # up to here of a draw from 0 .. 1
_BUILD: Final = 0.35  # share of clips that begin with some of their parts


def compose(
    rng: Rng, frames: int, style: str | None = None, beat: float | None = None, key: Key | None = None
) -> Score:
    """A clip of four bars in turn, from its first down-beat.

    Args:
        rng: equal states give equal scores.
        frames: length in latent frames.
        style: a name of `STYLES`, or None for any.
        beat: latent frames of a beat, or None for any; 12 is 125 bpm.
        key: or None for any.
    """
    style = style or str(rng.choice(tuple(STYLES)))
    made = STYLES[style]
    beat_samples = _beat(rng, made) if beat is None else 4 * round(beat * FRAME_SAMPLES / 4)
    key = key or Key(int(rng.integers(12)), "minor" if rng.random() < made.minor else "major")
    parts = _parts(rng, made)
    patterns = {name: _patterns(rng, part) for name, part in parts.items()}
    progression = PROGRESSIONS[key.mode][int(rng.integers(len(PROGRESSIONS[key.mode])))]
    late = _entries(rng, tuple(parts))
    length = frames * FRAME_SAMPLES
    notes: list[Note] = []
    for bar in range(-(-length // (4 * beat_samples))):
        degree = progression[bar % 4]
        for name, part in parts.items():
            if bar >= late.get(name, 0):
                hits = patterns[name][bar % len(patterns[name])]
                notes += _bar(part, hits, bar * 4 * beat_samples, beat_samples // 4, made.swing, key, degree)
    tags = Tags(style, round(60 * SAMPLE_RATE / beat_samples), beat_samples, key, tuple(parts))
    pump = beat_samples if made.pump and "kick" in parts else 0
    return Score(tuple(note for note in notes if note.start < length), frames, tags, pump)


def _beat(rng: Rng, style: Style) -> int:
    """Samples of a beat, four sixteenths of whole samples."""
    if rng.random() < _OFF_GRID:
        bpm = int(rng.integers(_bpm(max(style.beats)) - 4, _bpm(min(style.beats)) + 5))
        return 4 * round(15 * SAMPLE_RATE / bpm)
    beats: Sequence[int] = _ALL_BEATS if rng.random() < _OTHER_TEMPO else style.beats
    return int(rng.choice(beats)) * FRAME_SAMPLES


def _bpm(beat: int) -> int:
    return round(60 * FRAME_RATE / beat)


def _parts(rng: Rng, style: Style) -> dict[str, Part]:
    drawn = {name: part for name, part in style.parts.items() if rng.random() < part.share}
    draw = rng.random()
    drums = {name: part for name, part in drawn.items() if name in DRUMS}
    rest = {name: part for name, part in drawn.items() if name not in DRUMS}
    if draw < _SOLO:
        name = str(rng.choice(tuple(style.parts)))
        return {name: style.parts[name]}
    if draw < _DRUMS_ALONE:
        drawn = drums
    elif draw < _NO_DRUMS:
        drawn = rest
    first = next(iter(style.parts))
    return drawn or {first: style.parts[first]}


def _patterns(rng: Rng, part: Part) -> tuple[tuple[Hit, ...], ...]:
    """One bar, or two that take turns."""
    count = 2 if len(part.patterns) > 1 and rng.random() < 0.25 else 1
    chosen = rng.choice(len(part.patterns), count, replace=False)
    return tuple(parse(part.patterns[int(index)]) for index in chosen)


def _entries(rng: Rng, parts: Sequence[str]) -> dict[str, int]:
    """The bar in which a part comes in, for those that are late."""
    if len(parts) < 3 or rng.random() >= _BUILD:
        return {}
    waiting = rng.permutation(len(parts))[: int(rng.integers(1, len(parts)))]
    return {parts[int(index)]: int(rng.choice((1, 2, 2))) for index in waiting}


def _bar(part: Part, hits: Sequence[Hit], start: int, step: int, swing: float, key: Key, degree: int) -> list[Note]:
    notes: list[Note] = []
    chord = sorted(place(tone, part.lowest) for tone in key.chord(degree, part.chord)) if part.lowest else []
    if part.lowest and part.lowest < 45:  # a bass plays the root first, whatever lies below it
        root = place(key.chord(degree, 1)[0], part.lowest)
        chord = [root, root + 7, root + 7, root + 12]
    for hit in hits:
        late = round(swing * step) if hit.step % 2 else 0
        at, length = start + hit.step * step + late, hit.steps * step - late
        level = part.level * hit.level
        notes += [Note(part.voice, at, length, pitch, level) for pitch in _pitches(chord, hit.tone)]
    return notes


def _pitches(chord: Sequence[int], tone: int | None) -> Sequence[int]:
    if not chord:
        return (0,)
    if tone is None:
        return chord
    octave, index = divmod(tone, len(chord))
    return (chord[index] + 12 * octave,)
