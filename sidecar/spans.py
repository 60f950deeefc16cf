"""Spans: the regions of a look-ahead pass, each generated when all that it depends on has been heard."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from engine.song.regions import Region as Placed
from sidecar.course import LAST_FRAME, Course
from sidecar.errors import StateError
from sidecar.frames import FRAME_RATE, WINDOW, down_to_window, first_sample
from sidecar.windows import LENGTH

if TYPE_CHECKING:
    from sidecar.region import Region

BEFORE: Final = 100
"""Frames of context before a span: 4 s, two bars at 120 beats a minute."""

OVERLAP: Final = 20
"""Frames over which a span crosses over from the one before; also what a span hears of what comes after it."""

TAIL: Final = 10
"""Frames of a span's last window that cannot be decoded before the next span is there: the decoder's margin."""

LEAST: Final = 10

HELD_BACK: Final = 1024 + 2048
"""Samples by which input reaches a pass late (a capture record is sent when it is full) and output is asked for early
(a chunk at a time): PROTOCOL sections 3 and 4."""


@dataclass(frozen=True)
class Spans:
    """Spans of `length` frames, counted from 0; an `engine.song.regions.Regions`.

    Span n is heard from frame n x length on. Its region begins up to 4 s before and ends 0.8 s after it.
    """

    length: int

    def region(self, index: int) -> Placed:
        """A span's region."""
        fade = index * self.length
        first = max(fade - BEFORE, 0)
        return Placed(first, fade + self.length + OVERLAP - first, fade, fade + OVERLAP if index else 0)

    def heard(self, index: int) -> range:
        """The frames that a span is heard in."""
        return range(index * self.length, (index + 1) * self.length + OVERLAP)

    def between(self, first: int, last: int) -> range:
        """The spans that are heard in frames [first, last)."""
        return range(max(first - OVERLAP, 0) // self.length, (last - 1) // self.length + 1)


def span_length(latency: int, rate: int) -> int:
    """Frames of a span for a look-ahead of `latency` samples.

    What is heard at a frame needs the input up to a span, the overlap and the tail after it. Two thirds of what the
    latency leaves beside those are the span; the last third is the machine's time to generate it.
    """
    frames = latency * FRAME_RATE // rate
    left = frames - OVERLAP - TAIL
    length = max(left * 2 // 3 // WINDOW * WINDOW, LEAST)
    while length > LEAST and _until_heard(length) + left // 3 > frames:
        length -= WINDOW
    return length


def least_latency(rate: int) -> int:
    """Samples of look-ahead with which a pass can be rendered at all."""
    return first_sample(_until_heard(LEAST), rate) + HELD_BACK


def _until_heard(length: int) -> int:
    """Frames of input that a pass's first window waits for: its decoding begins with more frames than those after."""
    return -(-LENGTH // length) * length + OVERLAP


def span_course(first_frame: int, latency: int, rate: int, extent: Region | None) -> Course:
    """The course of a look-ahead pass that begins at a frame; with an extent, no further than that reaches.

    Raises:
        StateError: so short a latency leaves nothing to render from.
    """
    least = least_latency(rate)
    if latency < least:
        text = f"look_ahead is {latency / rate:g} s."
        raise StateError(text, f"Set it to 4 s, at least to {ceil(100 * least / rate) / 100:g} s, or to 0.")
    length = span_length(latency, rate)
    start, end = down_to_window(first_frame), LAST_FRAME
    if extent is not None:
        start, end = max(start, extent.start), max(extent.end, start + LEAST)
    return Course(start, end, BEFORE + length + OVERLAP, Spans(length))
