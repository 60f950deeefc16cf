"""The course of a pass: the regions that it goes through, and what is heard of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine.song.crossfade import composite
from engine.song.regions import endless, plan
from sidecar.frames import first_sample
from sidecar.region import MAX_FRAMES, TEXT_FRAMES, Region

if TYPE_CHECKING:
    from engine.song.regions import Regions
    from sidecar.tempo import Tempo

MOVING_FRAMES: Final = 750
"""Region of a source that one does not hold: 30 s, near the cheapest second of song on a CPU (docs/log.md)."""

OVERLAP: Final = 50
"""Frames that neighbouring regions share, and cross over: 2 s, about a bar."""

LAST_FRAME: Final = 2**31 // 10 * 10
"""Where a song without a source ends: after 2.7 years."""


@dataclass(frozen=True)
class Course:
    """Regions of one length in song frames, numbered from 0. At most two are heard in any frame.

    Attributes:
        start, end: the frames that are rendered, half open; multiples of the window grid.
        frames: T of every region; of a look-ahead's spans, the most.
        regions: of the engine, whose frame 0 is `start`.
    """

    start: int
    end: int
    frames: int
    regions: Regions

    def region(self, index: int) -> Region:
        """A region."""
        region = self.regions.region(index)
        return Region(self.start + region.first, region.frames)

    def first_heard(self, index: int) -> int:
        """The frame from which a region is heard."""
        return self.start + self.regions.region(index).fade

    def noise_start(self, index: int) -> int:
        """Where a region lies in the noise that all of them share."""
        return self.regions.region(index).first

    def heard(self, first: int, last: int) -> range:
        """The regions that are heard in frames [first, last), as far as those are inside."""
        low = min(max(first, self.start), self.end - 1)
        return self.regions.between(low - self.start, max(min(last, self.end), low + 1) - self.start)

    def rows(self, latents: Mapping[int, NDArray[np.float32]], first: int, frames: int) -> NDArray[np.float32]:
        """The latent [frames, 64] of song frames from `first` on, inside the course; every region heard is there.

        Raises:
            KeyError: a region is not.
        """
        made = composite(self.regions, latents, first - self.start, frames)
        if made is None:
            raise KeyError(f"a region heard in frames {first} .. {first + frames} has no latent")
        return made

    def samples(self, rate: int) -> tuple[int, int]:
        """What is rendered, in host samples, half open."""
        return first_sample(self.start, rate), first_sample(self.end, rate)


def course_of(extent: Region, tempo: Tempo, rate: int) -> Course:
    """The course through a source: one region where it holds all of it.

    Args:
        extent: the frames of the source.
        tempo: its bars place the hand-overs, where they are known.
        rate: of the song positions in `tempo`.
    """
    frames = extent.frames if extent.frames <= MAX_FRAMES else MOVING_FRAMES
    bar, first = tempo.bars(extent.start, rate, frames - 2 * OVERLAP - 20)
    regions = plan(extent.frames, frames, min(OVERLAP, frames // 20 * 10), bar, first)
    return Course(extent.start, extent.end, frames, regions)


def text_course(tempo: Tempo, rate: int) -> Course:
    """The course of a song without a source: from song position 0 for as long as it plays."""
    bar, first = tempo.bars(0, rate, TEXT_FRAMES - 2 * OVERLAP - 20)
    return Course(0, LAST_FRAME, TEXT_FRAMES, endless(TEXT_FRAMES, OVERLAP, bar, first))
