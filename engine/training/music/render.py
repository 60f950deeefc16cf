"""Rendering: from a score to audio."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import numpy as np

from engine.constants import FRAME_SAMPLES, SAMPLE_RATE
from engine.training.music.drums import DRUMS
from engine.training.music.score import Note, Score
from engine.training.music.voices import VOICES, Voice
from engine.training.music.waves import Wave

_NOTES: Final = 3_000  # that a bank keeps, about 1 GB: enough that a training seldom makes one twice
_DUCKED: Final = 0.3  # gain on the beat of what the kick ducks
_RECOVERY: Final = 0.6  # share of a beat after which it is back
_CEILING: Final = 0.9  # peaks are rounded off towards it
_LONGEST: Final = 8 * SAMPLE_RATE  # samples of the longest note: a bar at 75 bpm and what rings after it
_SHORT: Final = SAMPLE_RATE // 10


class Bank:
    """Voices, with the notes that they made. Not for several threads at once."""

    def __init__(self, voices: Mapping[str, Voice] = VOICES) -> None:
        """Sound pitched notes with `voices`; a voice that is not there, and no drum, is silent."""
        self._voices = voices
        self._make: Callable[[str, int, int], Wave] = lru_cache(_NOTES)(self._sound)

    def note(self, note: Note) -> Wave:
        """[2, N] at 48 kHz, without the note's level. Read it only: it is kept."""
        return self._make(note.voice, note.pitch, note.length if note.pitch else 0)

    def _sound(self, voice: str, pitch: int, length: int) -> Wave:
        if not pitch:
            return DRUMS[voice]()
        if voice not in self._voices:
            return np.zeros((2, _SHORT), np.float32)
        return self._voices[voice](pitch, length)


def render(score: Score, bank: Bank, start: int = 0, count: int | None = None) -> Wave:
    """Render a clip, or a part of it.

    Args:
        score: the clip.
        bank: its voices.
        start: first sample.
        count: samples; None for all that are left.

    Returns:
        [2, count] float32 at 48 kHz, |sample| < 0.9.
    """
    end = score.frames * FRAME_SAMPLES if count is None else start + count
    drums = np.zeros((2, end - start), np.float32)
    rest = np.zeros_like(drums)
    for note in score.notes:
        if note.start < end and note.start + _LONGEST > start:
            _add(rest if note.pitch else drums, note.level, bank.note(note), note.start - start)
    if score.pump:
        rest *= _ducking(score.pump, start, end)
    mix: Wave = np.tanh(0.8 * (drums + rest)) * np.float32(_CEILING)
    return mix


def _add(into: Wave, level: float, wave: Wave, at: int) -> None:
    """Add a wave from sample `at` on, which may lie before the first."""
    part = wave[:, max(0, -at) : into.shape[1] - at]
    into[:, max(0, at) : max(0, at) + part.shape[1]] += level * part


def _ducking(beat: int, start: int, end: int) -> Wave:
    place = (np.arange(start, end) % beat).astype(np.float32) / (beat * _RECOVERY)
    return np.minimum(_DUCKED + (1.0 - _DUCKED) * place, 1.0).astype(np.float32)
