"""Tempo and metre, as the host says."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.song.regions import bar_frames
from sidecar.frames import FRAME_RATE
from sidecar.records import Kind


@dataclass(frozen=True)
class Tempo:
    """What is known of the song's beat at one place.

    Attributes:
        bpm: quarter notes a minute, above 0; None: unknown.
        beats, unit: the metre, such as 6 and 8; None: unknown.
        bar: a song sample at which a bar begins; None: unknown.
    """

    bpm: float | None = None
    beats: int | None = None
    unit: int | None = None
    bar: int | None = None

    def heard(self, kind: int, song: int, value: float, aux: int) -> Tempo:
        """What is known after a TEMPO or METRE record; one that makes no sense says nothing."""
        if kind == Kind.TEMPO:
            return replace(self, bpm=value) if value > 0.0 else self
        if value >= 1.0 and aux >= 1:
            return replace(self, beats=round(value), unit=aux, bar=song)
        return self

    def bars(self, start: int, rate: int, longest: int) -> tuple[float | None, float]:
        """Frames of a bar, and of a bar line after frame `start` counted from there; None where bars are of no use.

        Args:
            start: song frame.
            rate: of `bar`.
            longest: bars of more frames are of no use.
        """
        if self.bpm is None or self.beats is None or self.unit is None or self.bar is None:
            return None, 0.0
        bar = bar_frames(self.bpm, self.beats * 4 / self.unit)
        if not 1.0 <= bar <= longest:
            return None, 0.0
        # rounded, so that every bar line of a song that keeps its tempo names the same ones
        return bar, round((self.bar * FRAME_RATE / rate - start) % bar, 6)


UNKNOWN = Tempo()
