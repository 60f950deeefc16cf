"""The prompts that figures are measured with: parts in the corpus's words, a tempo and a key that they state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.constants import FRAME_RATE
from engine.request.conditioning import Conditioning
from engine.session import Session
from engine.training.music.harmony import Key

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "techno": ("kick", "hats", "saw bass", "pluck"),
    "house": ("kick", "clap", "open hat", "square bass", "piano"),
    "ambient": ("pad", "electric piano", "bells"),
    "lofi": ("kick", "snare", "hats", "sub bass", "electric piano"),
    "drum and bass": ("kick", "snare", "hats", "reese bass", "pad"),
    "chiptune": ("kick", "snare", "square bass", "square lead"),
}
"""What a prompt of each style names: something with a beat, and something with a pitch."""

ON_GRID: Final = (9.0, 10.0, 12.0, 14.0, 16.0, 18.0)
"""Beats of whole latent frames: 167, 150, 125, 107, 94 and 83 bpm."""

OFF_GRID: Final = tuple(60.0 * FRAME_RATE / bpm for bpm in (100.0, 120.0, 128.0, 140.0))
"""Tempi that hosts have, whose beats lie between frames."""


@dataclass(frozen=True)
class Case:
    """One prompt.

    Attributes:
        style: a name of `STYLES`.
        beat: latent frames of a beat.
        key: of what is pitched.
        number: no other case has it.
    """

    style: str
    beat: float
    key: Key
    number: int

    @property
    def parts(self) -> tuple[str, ...]:
        """What it names."""
        return PARTS[self.style]

    @property
    def bpm(self) -> float:
        """Its exact tempo; the prompt has it rounded."""
        return 60.0 * FRAME_RATE / self.beat

    def encode(self, session: Session, frames: int) -> Conditioning:
        """Its conditioning for a generation from text alone."""
        return prompt(session, self.style, frames, bpm=self.bpm, key=self.key)


def prompt(
    session: Session, style: str, frames: int, *, bpm: float, key: Key, task: str = "text2music"
) -> Conditioning:
    """The conditioning of a style's prompt with its parts."""
    text = ", ".join((style, *PARTS[style]))
    return session.encode_text(text, task=task, duration=frames / FRAME_RATE, bpm=round(bpm), key=key.name)


def cases(per_style: int, beats: tuple[float, ...], first: int) -> list[Case]:
    """So many cases of each style; beats and keys are dealt so that each beat comes equally often.

    Args:
        per_style: 1 .. the number of beats.
        beats: `ON_GRID` or `OFF_GRID`.
        first: number of the first case.
    """
    found: list[Case] = []
    for place, style in enumerate(PARTS):
        for turn in range(per_style):
            number = first + len(found)
            key = Key(7 * number % 12, ("minor", "major")[(number // 12 + number) % 2])
            found.append(Case(style, beats[(place + turn) % len(beats)], key, number))
    return found
