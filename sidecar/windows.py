"""Windows: ten frames of a latent as host samples, joined to the one before (docs/architecture.md, steps 5 and 6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import soxr
from numpy.typing import NDArray

from sidecar.frames import ENGINE_RATE, FRAME_SAMPLES, WINDOW, first_sample

if TYPE_CHECKING:
    from engine import Session

SEAM: Final = 480
"""Samples over which a window crosses from the tail of the one before: 10 ms, as long as the output stage's ramps."""

MARGIN: Final = 9
"""Frames on each side that make a window exact (`engine.Session.decode`)."""

AFTER: Final = WINDOW + 1 + MARGIN
"""Frames from a window's first on that it is decoded from."""

LENGTH: Final = MARGIN + AFTER
"""Frames that a window is decoded from; at the song's start and end the same number, moved inside."""

QUALITY: Final = "VHQ"  # soxr's 28 bit filter: its error stays below the 24 bits of a canonical source

Audio = NDArray[np.float32]
Rows = Callable[[int, int], NDArray[np.float32]]
"""The latent [n, 64] of n song frames from a first one on."""


@dataclass(frozen=True, eq=False)
class Run:
    """A rendered run of host samples.

    Attributes:
        start: song sample of its first one.
        audio: [2, n] float32 at the host's rate.
        generation: number of the latent it was decoded from, 1 is the primed one.
        control_version: of that latent's snapshot.
    """

    start: int
    audio: Audio
    generation: int
    control_version: int


class Windows:
    """Decodes the windows of one pass in ascending order.

    Args:
        session: the engine.
        start, end: the song frames that there are, half open.
        rate: host samples per second.
    """

    def __init__(self, session: Session, start: int, end: int, rate: int) -> None:
        self._session = session
        self._start, self._stop = start, end
        self._length = min(LENGTH, end - start)
        self._rate = rate
        self._end: int | None = None  # frame after the last window rendered
        self._tail: Audio = np.zeros((2, 0), np.float32)  # its tail frame
        self._last: Audio = np.zeros((2, 0), np.float32)  # its last frame as rendered

    def needs(self, frame: int) -> tuple[int, int]:
        """The frames, half open, that the window at a frame may be decoded from; they reach beyond the song."""
        last = max(frame + WINDOW + 1 + MARGIN, self._start + self._length)  # the song's first span is moved inside
        return min(frame - MARGIN - 1, self._stop - self._length), last

    def render(self, rows: Rows, frame: int) -> Audio:
        """The window at absolute frame `frame`, [2, S(frame + 10) - S(frame)] float32 at the host's rate.

        A window that does not follow the one rendered before it (the first of a pass, or one after a skip) has no seam.

        Args:
            rows: the latent; asked for what `needs` says, inside the song.
        """
        kept, tail = self._decode(rows, frame)
        before = self._last
        if self._end == frame:
            kept[:, :SEAM] = cross(self._tail[:, :SEAM], kept[:, :SEAM])
        elif self._rate != ENGINE_RATE:
            before = self._lead_in(rows, frame)
        self._end, self._tail, self._last = frame + WINDOW, tail, kept[:, -FRAME_SAMPLES:]
        return self._to_host(before, kept, tail, frame)

    def _decode(self, rows: Rows, frame: int) -> tuple[Audio, Audio]:
        if frame + WINDOW < self._stop:
            audio = self._span(rows, frame)
            return audio[:, : WINDOW * FRAME_SAMPLES], audio[:, WINDOW * FRAME_SAMPLES :]
        # no frame follows: one span of the same length, moved back by a frame, and no tail
        audio = self._span(rows, frame - 1)
        return audio[:, FRAME_SAMPLES:], audio[:, :0]

    def _lead_in(self, rows: Rows, frame: int) -> Audio:
        if frame == self._start:
            return np.zeros((2, 0), np.float32)
        return self._span(rows, frame - 1)[:, :FRAME_SAMPLES]

    def _span(self, rows: Rows, frame: int) -> Audio:
        # the span that `Session.decode` would cut out of the whole song: the same rows give the same bits
        first = min(max(frame - MARGIN, self._start), self._stop - self._length)
        return self._session.decode(rows(first, self._length), frame - first, WINDOW + 1)

    def _to_host(self, before: Audio, kept: Audio, tail: Audio, frame: int) -> Audio:
        if self._rate == ENGINE_RATE:
            return kept
        context = before.shape[1] // FRAME_SAMPLES
        start = first_sample(frame, self._rate)
        skip = start - first_sample(frame - context, self._rate)
        wanted = first_sample(frame + WINDOW, self._rate) - start
        joined = np.concatenate([before, kept, tail], axis=1)
        return resample(joined, ENGINE_RATE, self._rate, skip + wanted)[:, skip:]


def resample(audio: Audio, rate: int, wanted_rate: int, samples: int) -> Audio:
    """Audio at another rate, one shot, cut or padded with silence to a length.

    Args:
        audio: [2, n] float32 at `rate`.
        samples: length of the result.
    """
    out = np.zeros((2, samples), np.float32)
    if audio.shape[1]:
        moved = audio.T if rate == wanted_rate else soxr.resample(audio.T, rate, wanted_rate, quality=QUALITY)
        used = min(samples, moved.shape[0])
        out[:, :used] = moved[:used].T
    return out


def cross(old: Audio, new: Audio) -> Audio:
    """From one audio to another of the same length, linearly; where both are equal the result is bit-equal too."""
    length = old.shape[1]
    weight: Audio = np.arange(1, length + 1, dtype=np.float32) / np.float32(length)
    return np.asarray(old + weight * (new - old), np.float32)  # a + w (b - a) keeps what is equal
