"""Keys and chords."""

from dataclasses import dataclass
from typing import Final

NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
"""One spelling per tonic; `SPELLINGS` has the other one."""

SPELLINGS: Final = {"C#": "Db", "Eb": "D#", "F#": "Gb", "Ab": "G#", "Bb": "A#"}
"""The second name of a black key."""

_SCALES: Final = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}

PROGRESSIONS: Final = {
    "minor": ((0, 5, 2, 6), (0, 3, 5, 4), (0, 0, 5, 6), (0, 6, 5, 6), (0, 0, 3, 3)),
    "major": ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 0, 4), (3, 4, 0, 5), (0, 0, 3, 4)),
}
"""Degrees of four bars, from 0."""


@dataclass(frozen=True)
class Key:
    """A tonic, 0 = C .. 11 = B, and "major" or "minor"."""

    tonic: int
    mode: str

    @property
    def name(self) -> str:
        """Such as "F# minor"."""
        return f"{NAMES[self.tonic]} {self.mode}"

    def chord(self, degree: int, size: int) -> tuple[int, ...]:
        """The chord of thirds on a degree, as semitones above C, rising; size 3 is a triad, 4 a seventh."""
        return tuple(self._semitones(degree + 2 * third) for third in range(size))

    def _semitones(self, degree: int) -> int:
        octave, step = divmod(degree, 7)
        return self.tonic + 12 * octave + _SCALES[self.mode][step]


def place(semitones: int, lowest: int) -> int:
    """The pitch (MIDI) of this name that lies in the octave that starts at `lowest`."""
    return lowest + (semitones - lowest) % 12
