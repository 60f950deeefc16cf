"""Real clips to measure on and to compare with: held out, so no model was trained on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.evaluation.spectra import Audio
from engine.training.music import STYLES, Bank, Tags, compose, held_out, render
from engine.training.music.harmony import Key


@dataclass(frozen=True, eq=False)
class Clip:
    """A held-out clip: [2, N] float32 at 48 kHz, and what is true of it."""

    audio: Audio
    tags: Tags

    @property
    def bpm(self) -> float:
        """Its exact tempo."""
        return 60.0 * 48_000.0 / self.tags.beat


class Clips:
    """Makes held-out clips."""

    def __init__(self) -> None:
        self._bank = Bank()

    def make(
        self,
        number: int,
        frames: int,
        style: str | None = None,
        *,
        beat: float | None = None,
        key: Key | None = None,
        parts: Sequence[str] = (),
        least: int = 1,
    ) -> Clip:
        """The held-out clip of a number: the first of its stream of random numbers that is as asked for.

        Args:
            number: 0 or more.
            frames: length in latent frames.
            style, beat, key: as in `compose`; None for any.
            parts: what must be among the parts that sound; parts of the style.
            least: how many parts sound at least.

        Raises:
            ValueError: the style, or one of them all, has no such part, or not so many.
        """
        named = [STYLES[style]] if style else list(STYLES.values())
        if not all(set(parts) <= set(one.parts) and least <= len(one.parts) for one in named):
            raise ValueError(f"{style or 'not every style'} has {least} parts with {', '.join(parts) or 'any'}")
        rng = held_out(number)
        while True:
            score = compose(rng, frames, style, beat, key)
            if set(parts) <= set(score.tags.parts) and len(score.tags.parts) >= least:
                return Clip(render(score, self._bank), score.tags)
