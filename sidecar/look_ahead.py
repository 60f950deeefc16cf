"""The look-ahead pass: spans of song, each rendered from input and lanes that are complete.

Its positions are input positions; what it renders is heard a declared latency later (docs/latency.md). So the first
pass over a track transforms it already, and a lane's value at a frame reaches that very frame. Like every pass it is a
function of its start and its records, never of block sizes or of time.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from sidecar import snapshot
from sidecar.frames import CHUNK, WINDOW, chunk_of, first_sample, frame_of, up_to_window
from sidecar.limiter import AHEAD, BEHIND
from sidecar.passes import Pass
from sidecar.progress import Progress, Unit
from sidecar.region_slots import Latents
from sidecar.timeline import CAPTURE_SAMPLES
from sidecar.track import Memory
from sidecar.windows import Audio

if TYPE_CHECKING:
    from engine import Session
    from sidecar.ahead import AheadScore


class LookAheadPass(Pass):
    """A pass whose output follows its input by a latency; arguments as of `Pass`.

    Args:
        score: over the spans of `sidecar.spans`.
        latency: host samples from an input position to the moment at which it is heard.
    """

    def __init__(
        self,
        session: Session,
        score: AheadScore,
        rate: int,
        start: int,
        values: Mapping[str, float],
        *,
        latency: int,
        version: int = 0,
        live: bool = False,
    ) -> None:
        super().__init__(session, score, rate, start, values, version=version, live=live)
        self._ahead = score
        self._limit = self._course.end  # the frame after the last window
        self._last: int | None = None  # the last chunk that is heard, once the pass is over
        self._since = 0  # samples that came in after the pass was over
        self.latency = latency

    def end(self) -> bool:
        """See `Pass.end`: as if silence followed, and no change. What it renders now depends on nothing to come."""
        self._last = chunk_of(self._covered - 1 + AHEAD)  # the limiter reads ahead of the last sample
        after = frame_of((self._last + 1) * CHUNK - 1, self._rate) + 1  # a chunk is published whole
        self._limit = min(up_to_window(after), self._course.end)
        return self._covered > self._start and self._next < self._limit

    def elapse(self, samples: int) -> None:
        """So much came in after the pass was over."""
        self._since += samples

    @property
    def chunks(self) -> range:
        """See `Pass.chunks`: from its start to its end and not further, because other passes are heard around it."""
        last = chunk_of(self.span[1] - 1) if self._last is None else self._last
        return range(chunk_of(self._start - BEHIND), last + 1)

    def remember(self) -> Memory:
        """Nothing: a span is generated when its own lanes are complete."""
        return Memory()

    def hear(self, song: int, samples: int, audio: Audio | None) -> None:
        """Input of the track."""
        if self._ahead.captured is not None:
            self._ahead.captured.write(song, samples, audio)

    def _work(self) -> Generator[Unit]:
        while self._covered <= self._start:
            yield Progress.WAITING
        self._lanes.prime()
        index = 0
        while self._next < self._limit:
            end = self._course.region(index).end
            while not self._is_complete(end):
                yield Progress.WAITING
            self._lanes.settle(end)
            after = self._course.first_heard(index + 1)
            if not self._skips(after):
                yield from self._generate(index)
            yield from self._render_until(after)
            self._forget(index)
            index += 1

    def _is_complete(self, frame: int) -> bool:
        if self._last is not None:
            return True
        sample, captured = first_sample(frame, self._rate), self._ahead.captured
        if captured is None or captured.end >= sample:
            return self._covered >= sample
        # less than a record of what was played may still be on its way; the rest was not captured and is silence
        return self._covered >= sample + CAPTURE_SAMPLES

    def _generate(self, index: int) -> Iterator[Progress]:
        slots = self._slots.open(index)
        yield from self._prepare(slots)
        frame = self._course.first_heard(index)
        lanes = self._lanes.as_of(frame)
        slots.submit(snapshot.take(lanes, slots.region, frame, frame, self.control_version))
        while slots.newest is None:
            self._slots.step(slots)
            if slots.newest is None and slots.error is not None:
                raise slots.error
            yield Progress.TICKED

    def _render_until(self, after: int) -> Iterator[Unit]:
        """The windows that need nothing of the span heard from frame `after` on."""
        while self._next < self._limit and self._windows.needs(self._next)[1] <= after:
            window, self._next = self._next, self._next + WINDOW
            if self._skips(window + WINDOW):
                self.late_frames += WINDOW
                continue
            self._rendered = True
            choice = round(self._lanes.as_of(window).hold("take"))
            yield self._heard(choice, window, self._render(window))

    def _forget(self, index: int) -> None:
        self._ahead.leave(index)
        self._leave(self._next)
        if self._ahead.captured is not None:
            self._ahead.captured.forget(first_sample(self._course.region(index + 1).start, self._rate))

    def _skips(self, end: int) -> bool:
        """Whether it is too late for what is heard before a frame."""
        return self._live and end <= frame_of(self._covered + self._since - self.latency, self._rate)

    def _latents(self, window: int) -> Latents:
        """Where a span was skipped, the next one's context stands for its end."""
        latents = super()._latents(window)
        for index in self._needed(window):
            if index not in latents and index + 1 in latents:
                here, there = self._course.region(index), self._course.region(index + 1)
                rows = latents[index + 1][: here.end - there.start]
                latents[index] = np.concatenate([np.zeros((here.frames - len(rows), rows.shape[1]), np.float32), rows])
        return latents
