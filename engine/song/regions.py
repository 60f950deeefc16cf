"""The plan of a song: which regions it is generated in, and where one hands over to the next."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final, Protocol

from engine.checks import number, whole
from engine.constants import FRAME_RATE, MAX_FRAMES, MIN_FRAMES, SOURCE_GRID
from engine.errors import RequestError
from engine.request.request import even_frames

REGION: Final = 750
"""30 s: long enough for the model's own phrases, and near the cheapest second of song on a CPU."""

OVERLAP: Final = 50
"""2 s, about a bar."""


@dataclass(frozen=True)
class Region:
    """Frames [first, first + frames) of a song, generated together.

    Attributes:
        first: song frame, even; a multiple of 10, except for the last region of a song whose length is none.
        frames: T.
        fade: song frame from which it is heard, crossing over from the region before; 0 for the first region.
        handover: song frame from which it is heard alone; 0 for the first region.
    """

    first: int
    frames: int
    fade: int
    handover: int

    @property
    def end(self) -> int:
        """The song frame after its last."""
        return self.first + self.frames


class Regions(Protocol):
    """The regions of a song by number, from 0 on. At most two are heard in any frame."""

    def region(self, index: int) -> Region:
        """A region."""
        ...

    def heard(self, index: int) -> range:
        """The song frames that a region is heard in."""
        ...

    def between(self, first: int, last: int) -> range:
        """The regions that are heard in song frames [first, last), 0 <= first < last."""
        ...


@dataclass(frozen=True)
class Plan:
    """The regions of a song, all of one length, in order. At most two are heard in any frame.

    Attributes:
        frames: length of the song.
        regions: at least one.
    """

    frames: int
    regions: tuple[Region, ...]

    def region(self, index: int) -> Region:
        """A region."""
        return self.regions[index]

    def heard(self, index: int) -> range:
        """The song frames that a region is heard in."""
        after = index + 1
        end = self.regions[after].handover if after < len(self.regions) else self.frames
        return range(self.regions[index].fade, end)

    def between(self, first: int, last: int) -> range:
        """The regions that are heard in song frames [first, last), first < last; all inside the song."""
        begin = bisect_right(self.regions, first, key=lambda region: region.handover) - 1
        end = bisect_right(self.regions, last - 1, key=lambda region: region.fade)
        return range(begin, end)


@dataclass(frozen=True)
class EndlessPlan:
    """Regions of a song that goes on, all of one length, evenly spaced. Use `endless`.

    Attributes:
        length: T.
        overlap: frames of the crossfade.
        first: song frame at which region 1 takes over.
        step: frames from one hand-over to the next; those that fall between two frames are rounded.
    """

    length: int
    overlap: int
    first: float
    step: float

    def region(self, index: int) -> Region:
        """A region; any number from 0 on."""
        if index == 0:
            return Region(0, self.length, 0, 0)
        handover = math.floor(self.first + (index - 1) * self.step + 0.5)
        fade = handover - self.overlap
        return Region(fade - fade % SOURCE_GRID, self.length, fade, handover)

    def heard(self, index: int) -> range:
        """The song frames that a region is heard in."""
        return range(self.region(index).fade, self.region(index + 1).handover)

    def between(self, first: int, last: int) -> range:
        """The regions that are heard in song frames [first, last), 0 <= first < last."""
        begin = self._last(first, 0)
        return range(begin, self._last(last - 1, self.overlap) + 1)

    def _last(self, frame: int, early: int) -> int:
        # the last whose hand-over, less `early`, is not after a frame; rounding moves one by half a frame
        index = max(math.floor((frame + early - self.first) / self.step) + 2, 0)
        while index > 0 and self.region(index).handover - early > frame:
            index -= 1
        return index


def endless(region: int, overlap: int = OVERLAP, bar: float | None = None, first_bar: float = 0.0) -> EndlessPlan:
    """Regions of one length for as long as a song goes on; arguments as of `plan`.

    With bars each hand-over is a whole number of bars after the one before.

    Raises:
        RequestError: one of them is not as in `plan`.
    """
    length = _on_grid("region", whole("region", region, MIN_FRAMES, MAX_FRAMES))
    crossing = _on_grid("overlap", whole("overlap", overlap, 0, length // 2))
    if bar is None:
        return EndlessPlan(length, crossing, length, length - crossing)
    metre = _bar(bar, length - 2 * crossing - 2 * SOURCE_GRID)
    most = length - crossing - SOURCE_GRID  # a region starts up to 9 frames before it is heard
    return EndlessPlan(length, crossing, _bar_line(length, metre, first_bar), most // metre * metre)


def plan(
    frames: int,
    region: int = REGION,
    overlap: int = OVERLAP,
    bar: float | None = None,
    first_bar: float = 0.0,
) -> Plan:
    """Cover a song with regions of one length.

    Region k + 1 starts `overlap` frames before region k ends, on the grid of 10 frames that hint tokens (5 frames) and
    DiT patches (2) share. The last is moved inside the song, and what it has more of the frames before is context that
    is not heard. A song not longer than the region is one region of its own length.

    Args:
        frames: length of the song, even, 30 .. 15000.
        region: T, a multiple of 10, 30 .. 15000.
        overlap: frames of the crossfade, a multiple of 10, at most half of the region; 0 cuts hard.
        bar: frames of a bar (`bar_frames`): each region then takes over at the last bar line that the one before still
            reaches, so that a downbeat is never a mixture. At most region - 2 overlap - 20.
        first_bar: song frame of a bar line, any one of them.

    Raises:
        RequestError: one of them is not as above.
    """
    total = even_frames(frames)
    length = _on_grid("region", whole("region", region, MIN_FRAMES, MAX_FRAMES))
    crossing = _on_grid("overlap", whole("overlap", overlap, 0, length // 2))
    metre = None if bar is None else _bar(bar, length - 2 * crossing - 2 * SOURCE_GRID)
    if total <= length:
        return Plan(total, (Region(0, total, 0, 0),))
    regions = [Region(0, length, 0, 0)]
    while regions[-1].end < total:
        regions.append(_next(regions[-1], crossing, metre, first_bar, total))
    return Plan(total, tuple(regions))


def bar_frames(tempo: float, beats: float = 4.0) -> float:
    """Frames of one bar, 25 a second.

    Args:
        tempo: beats per minute, > 0.
        beats: per bar, > 0.

    Raises:
        RequestError: not above 0.
    """
    for field, value in (("tempo", tempo), ("beats", beats)):
        if number(field, value, "Pass a number above 0.") <= 0.0:
            raise RequestError(field, value, "is not above 0", "Pass a number above 0.")
    return beats * 60.0 / tempo * FRAME_RATE


def _next(before: Region, overlap: int, bar: float | None, first_bar: float, total: int) -> Region:
    handover = before.end if bar is None else min(round(_bar_line(before.end, bar, first_bar)), before.end)
    fade = handover - overlap
    first = min(fade - fade % SOURCE_GRID, total - before.frames)
    return Region(first, before.frames, fade, handover)


def _bar_line(frame: float, bar: float, first_bar: float) -> float:
    """The last one at or before a frame."""
    return (frame - first_bar) // bar * bar + first_bar


def _on_grid(field: str, value: int) -> int:
    if value % SOURCE_GRID:
        raise RequestError(field, value, f"is not a multiple of {SOURCE_GRID} frames", f"Use {value - value % 10}.")
    return value


def _bar(value: float, most: int) -> float:
    bar = number("bar", value, "Pass the frames of a bar, or None.")
    if not 1.0 <= bar <= most:
        fix = "Lengthen the region, shorten the overlap, or leave bar out."
        raise RequestError("bar", bar, f"is not between 1 and {most}, the frames that a region leaves for it", fix)
    return bar
