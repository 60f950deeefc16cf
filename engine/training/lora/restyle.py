"""Clips of the corpus, each in a plain and in a restyled rendering.

The plain rendering is what a LoRA's context will be at work, the restyled one is what it should make of it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine.constants import SAMPLE_RATE
from engine.training.music import Bank, Note, Score, caption, compose, render
from engine.training.music.split import training
from engine.training.music.voices import VOICES, Voice
from engine.training.music.waves import Wave, decay, hertz, pan, room, seconds, sine


@dataclass(frozen=True, eq=False)
class Clip:
    """One clip.

    Attributes:
        plain: [2, N] float32 at 48 kHz, as its caption says.
        restyled: the same notes as the LoRA should make them sound.
        caption: tags that are true of the plain rendering.
    """

    plain: Wave
    restyled: Wave
    caption: str


def clips(style: str, count: int, frames: int, seed: int) -> Iterator[Clip]:
    """Clips of a style.

    Args:
        style: one of `STYLES`.
        count: how many.
        frames: length of each.
        seed: equal seeds give equal clips.
    """
    restyle, voices = STYLES[style]
    plain, other = Bank(), Bank(voices)
    for index in range(count):
        rng = training(1_000_000 * (1 + seed) + index)
        score = compose(rng, frames)
        yield Clip(render(score, plain), render(restyle(score), other), caption(score.tags, rng))


def _glass(pitch: int, _length: int) -> Wave:
    """A small bell of glass: two partials far from any harmony, and a long room."""
    count, f = int(1.2 * SAMPLE_RATE), hertz(72 + pitch % 12)
    ring = sine(f, count) * decay(count, 0.001, 0.35) + 0.4 * sine(2.76 * f, count) * decay(count, 0.001, 0.15)
    return room(pan(0.35 * ring, 0.2), 0.3, 0.3)


def _swell(pitch: int, _length: int) -> Wave:
    """Two seconds and a half that come and go."""
    count, f = int(2.5 * SAMPLE_RATE), hertz(45 + (pitch - 45) % 12)
    wave = sine(f, count) + 0.4 * sine(2 * f, count) + 0.2 * sine(3 * f, count)
    return pan(0.25 * wave * np.square(np.sin(np.pi * seconds(count) / 2.5)), 0.0)


def _bells(score: Score) -> Score:
    """Every pitched note is a bell; of the drums only the light ones stay."""
    stay = {"hat", "soft hat", "chip hat", "open hat", "shaker", "rim"}
    return replace(score, notes=tuple(note for note in score.notes if note.pitch or note.voice in stay), pump=0)


def _tide(score: Score) -> Score:
    """No drums and no attacks: every pitched note swells and ebbs."""
    pitched = tuple(note for note in score.notes if note.pitch)
    drone = (Note("pad", 0, 0, 45, 0.5),)  # a clip of drums alone has no note to hold
    return replace(score, notes=pitched or drone, pump=0)


STYLES: Final[Mapping[str, tuple[Callable[[Score], Score], Mapping[str, Voice]]]] = {
    "glass-bells": (_bells, dict.fromkeys(VOICES, _glass)),
    "slow-tide": (_tide, dict.fromkeys(VOICES, _swell)),
}
"""What becomes of a score, and the voices that sound it, by name."""
