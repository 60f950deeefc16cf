"""Coverage: which generation each frame of a song was rendered from, and how loud it came out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sidecar.frames import WINDOW, first_samples, frame_of

if TYPE_CHECKING:
    from sidecar.region import Region
    from sidecar.source import SourceAudio
    from sidecar.windows import Run

PAGE: Final = 1_500
"""Frames kept together: a minute, 9 KB. A pass without a source may go on for as long as it plays."""

FULL_SCALE: Final = 127

Peaks = NDArray[np.int8]
"""[T, 2]: the lowest and the highest sample of each frame, 127 is full scale."""


class _Page:
    def __init__(self) -> None:
        self.generations = np.zeros(PAGE, np.int32)
        self.peaks: Peaks = np.zeros((PAGE, 2), np.int8)


class Coverage:
    """What a pass has rendered.

    Args:
        rate: host samples per second.

    Attributes:
        newest: number of the newest generation that was rendered from, 0 before the first.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._pages: dict[int, _Page] = {}
        self.newest = 0

    def add(self, run: Run) -> None:
        """A window was rendered. Pages begin on the window grid, so it lies in one of them."""
        first = frame_of(run.start, self._rate)
        page = self._pages.setdefault(first // PAGE, _Page())
        there = slice(first % PAGE, first % PAGE + WINDOW)
        page.generations[there] = run.generation
        starts = first_samples(np.arange(first, first + WINDOW), self._rate) - run.start
        page.peaks[there] = _peaks(run.audio, starts, 1.0)
        self.newest = max(self.newest, run.generation)

    def freshness(self, region: Region) -> NDArray[np.uint8]:
        """[T]: 0 where nothing was rendered, else 255 less the age in generations, at least 1."""
        generations = np.zeros(region.frames, np.int32)
        for page, there, frames in self._over(region):
            generations[frames] = page.generations[there]
        ages = 255 - np.minimum(self.newest - generations, 254)
        return np.where(generations > 0, ages, 0).astype(np.uint8)

    def peaks(self, region: Region) -> Peaks:
        """Of the audio that was rendered; 0 where there is none."""
        out: Peaks = np.zeros((region.frames, 2), np.int8)
        for page, there, frames in self._over(region):
            out[frames] = page.peaks[there]
        return out

    def _over(self, region: Region) -> list[tuple[_Page, slice, slice]]:
        parts: list[tuple[_Page, slice, slice]] = []
        for number in range(region.start // PAGE, (region.end - 1) // PAGE + 1):
            page, start = self._pages.get(number), number * PAGE
            low, high = max(region.start, start), min(region.end, start + PAGE)
            if page is not None:
                parts.append((page, slice(low - start, high - start), slice(low - region.start, high - region.start)))
        return parts


def source_peaks(audio: SourceAudio, region: Region) -> Peaks:
    """Of a source over a region; 0 where it has no audio."""
    starts = first_samples(np.arange(region.start, region.end), audio.rate) - audio.first
    there = np.flatnonzero((starts >= 0) & (starts < audio.samples))
    out: Peaks = np.zeros((region.frames, 2), np.int8)
    if there.size:
        end = int(first_samples(np.array([region.start + int(there[-1]) + 1]), audio.rate)[0]) - audio.first
        out[there] = _peaks(audio.whole[:, : min(end, audio.samples)], starts[there], audio.scale / 2**23)
    return out


def _peaks(audio: NDArray[np.float32] | NDArray[np.int32], starts: NDArray[np.int64], scale: float) -> Peaks:
    low = np.minimum.reduceat(audio, starts, axis=1).min(axis=0)
    high = np.maximum.reduceat(audio, starts, axis=1).max(axis=0)
    pairs = np.stack([low, high], axis=1) * scale
    return np.clip(np.rint(pairs * FULL_SCALE), -FULL_SCALE, FULL_SCALE).astype(np.int8)
