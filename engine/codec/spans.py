"""Spans: the run of frames a convolutional network is given to produce a shorter run exactly."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """Frames [first, first + length) are processed, `keep` of them from `lead` on are kept."""

    first: int
    length: int
    lead: int
    keep: int


def around(start: int, frames: int, margin: int, total: int) -> Span:
    """The canonical span for frames [start, start + frames) of `total`: the margin on both sides, at a fixed length.

    Near an edge the span is moved inside [0, total) rather than cut, so that equal requests have equal shapes
    everywhere and equal shapes give equal bits. The edge itself is the song's true edge, where the network pads anyway.
    """
    length = min(frames + 2 * margin, total)
    first = min(max(start - margin, 0), total - length)
    return Span(first, length, start - first, frames)


def tiles(total: int, frames: int, margin: int) -> Iterator[Span]:
    """Spans of one length whose kept frames cover [0, total) once."""
    for start in range(0, total, frames):
        # the last tile is moved back to full length too, and keeps only what is still missing
        base = around(max(min(start, total - frames), 0), min(frames, total), margin, total)
        keep = min(frames, total - start)
        yield Span(base.first, base.length, start - base.first, keep)
