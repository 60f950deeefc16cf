"""The pass: records in, rendered audio out, on the virtual clock (docs/architecture.md, "The pass").

The one renderer of the product: the plugin's live and offline passes and `demon bounce` all run it. What it renders is
a function of its score, its start and the records' positions; never of block sizes, of time, or of other passes.
It works one unit at a time (an engine tick, a tile of a source or a window), so that instances can share an engine
fairly.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sidecar import snapshot
from sidecar.frames import WINDOW, chunks_between, down_to_window, first_sample, frame_of
from sidecar.lanes import LaneSet
from sidecar.progress import Progress, Unit
from sidecar.region_slots import Latents, RegionSlots
from sidecar.schedule import Schedule
from sidecar.slots import Slots
from sidecar.takes import Deck
from sidecar.track import Memory
from sidecar.windows import Audio, Run, Windows

if TYPE_CHECKING:
    from engine import EngineError, Session
    from sidecar.prompts import Prompts
    from sidecar.region import Region
    from sidecar.score import Score
    from sidecar.takes import Takes

CATCH_UP: Final = 50
"""Frames that a live pass may lag before it gives up ticks: 2 s hide the priming, and are too little to hear as lag."""


class Pass:
    """One uninterrupted run of the transport.

    Args:
        session: the engine.
        score: what it is rendered from.
        rate: host samples per second.
        start: song sample at which it starts.
        values: plain value of every engine parameter there.
        memory: lanes of the loop's earlier rounds.
        version: control version at the start.
        live: skip what is already past when the device cannot keep pace. Offline nothing is ever skipped.

    Attributes:
        span: the song samples it renders, half open: from its first window to the end of the song.
        latency: samples from an input position to the moment at which it is heard.
        late_frames: frames that were past before they could be rendered, but for those that passed during the priming.
    """

    def __init__(
        self,
        session: Session,
        score: Score,
        rate: int,
        start: int,
        values: Mapping[str, float],
        *,
        memory: Memory | None = None,
        version: int = 0,
        live: bool = False,
    ) -> None:
        self.score = score
        self._rate = rate
        self._live = live
        self._start = start
        self._covered = start
        self._first_frame = frame_of(start, rate)
        self._course = course = score.course
        self._lanes = LaneSet(rate, start, values, memory)
        self._windows = Windows(session, course.start, course.end, rate)
        self._deck = Deck(score.takes, course.end, rate)
        self._next = max(down_to_window(self._first_frame), course.start)
        self.span = (first_sample(self._next, rate), course.samples(rate)[1])
        self._slots = RegionSlots(session, score)
        self._schedule = Schedule(score.clock, course, score.clock.tick(course.frames))
        self._base_version = version
        self._behind = False
        self._rendered = False
        self._script = self._work()
        self.latency = 0
        self.late_frames = 0

    @property
    def extent(self) -> tuple[int, int]:
        """The song frames that it can render, half open."""
        return self._course.start, self._course.end

    @property
    def tick_frames(self) -> int:
        """Frames between two ticks."""
        return self._schedule.tick_frames

    @property
    def open_regions(self) -> list[int]:
        """The numbers of the regions that are under way, ascending."""
        return self._slots.open_regions

    @property
    def error(self) -> EngineError | None:
        """Why the last generation that failed did; the pass goes on with the one before."""
        return self._slots.error

    @property
    def playhead(self) -> int:
        """The frame that the transport has reached."""
        return frame_of(self._covered, self._rate)

    @property
    def lag(self) -> int:
        """Frames of the transport that were not worked off yet; 0 once everything is rendered."""
        return max(self.playhead - self._lanes.reached, 0) if self._next < self.extent[1] else 0

    def curve(self, key: str, region: Region) -> float | NDArray[np.float32]:
        """A lane over a region as far as it is known; a number where it never moved."""
        return self._lanes.curve(key, region)

    @property
    def control_version(self) -> int:
        """Counts the changes that took effect, from the version at the start on."""
        return self._base_version + self._lanes.changes

    def tick_every(self, frames: int) -> None:
        """Choose the tick. Only in answer to `PRIMED`: before the first virtual frame nothing depends on it."""
        self._schedule = replace(self._schedule, tick_frames=frames)

    def use(self, prompts: Prompts) -> None:
        """Change prompts, seed and LoRAs for the generations that are admitted from now on."""
        self._slots.use(prompts)
        self._base_version += 1

    def play(self, takes: Takes) -> None:
        """Play these takes, where the parameter `take` chooses one, from the next window on."""
        self._deck.use(takes)

    def point(self, key: str, position: int, value: float, *, ramp: bool = False) -> None:
        """From song sample `position` on a parameter holds `value`: at once, or after a linear move."""
        self._lanes.add(key, position, value, ramp=ramp)

    def cover(self, end: int) -> None:
        """Every point before song sample `end` was given."""
        self._covered = max(self._covered, end)

    def hear(self, song: int, samples: int, audio: Audio | None) -> None:
        """Input of the track; None where it was lost. A pass without look-ahead renders from what was known before."""

    @property
    def late(self) -> bool:
        """The device could not keep pace: something was skipped after the first window."""
        return self._behind or self.late_frames > 0

    def advance(self) -> Unit:
        """Do the next unit of work that is due.

        Raises:
            EngineError: the first generation of a region failed, or the engine broke. The pass is over then.
        """
        return next(self._script, Progress.DONE)

    def end(self) -> bool:
        """The transport left the pass; whether something of it is still to be rendered, and heard."""
        return False

    def elapse(self, samples: int) -> None:
        """So much came in after the pass was over."""

    @property
    def chunks(self) -> range:
        """The chunks that it is heard in."""
        return chunks_between(*self.span)

    def remember(self) -> Memory:
        """The lanes as far as the host drew them, for the next round of a loop. The pass is over."""
        self._lanes.settle(max(self.playhead, self._first_frame))
        return self._lanes.remember()

    def close(self) -> None:
        """Give the engine's memory back."""
        self._script.close()
        self._slots.close()

    def _work(self) -> Generator[Unit]:
        while self._covered <= self._start:
            yield Progress.WAITING
        self._lanes.prime()
        frame = self._first_frame
        if self._deck.needs_live(self._choice, self._next):
            yield from self._prime(self._next, frame)
        yield from self._render_due(frame)
        if self._live and self.score.clock.tick_frames is None:
            yield Progress.PRIMED
        while self._next < self._course.end:
            frame = self._following(frame)
            while self._covered < first_sample(frame, self._rate):
                yield Progress.WAITING
            self._lanes.settle(frame)
            if self._schedule.ticks_at(frame) and not self._frozen and not self._taken(frame):
                yield from self._tick(frame)
            yield from self._render_due(frame)

    def _prime(self, window: int, frame: int) -> Iterator[Progress]:
        """Complete a generation of every region that a window is decoded from and that has none."""
        for index in self._needed(window):
            slots = self._slots.open(index)
            if slots.newest is not None:
                continue
            yield from self._prepare(slots)
            if slots.idle:
                self._submit(index, frame, heard=frame)
            while slots.newest is None:
                self._slots.step(slots)
                if slots.newest is None and slots.error is not None:
                    raise slots.error
                yield Progress.TICKED

    def _tick(self, frame: int) -> Iterator[Progress]:
        index = self._schedule.region_at(frame)
        slots = self._slots.open(index)
        yield from self._prepare(slots)
        self._submit(index, frame, heard=self._schedule.heard(frame))
        self._slots.step(slots)
        yield Progress.TICKED
        if index + 1 in self._course.heard(0, self._course.end) and self.score.prepare(index + 1):
            yield Progress.WORKED  # a tile of the next region's source with each tick

    def _prepare(self, slots: Slots) -> Iterator[Progress]:
        while slots.prepare():
            yield Progress.WORKED

    def _submit(self, index: int, frame: int, heard: int) -> None:
        heard = max(heard, self._course.first_heard(index))
        region = self._course.region(index)
        self._slots.open(index).submit(snapshot.take(self._lanes, region, frame, heard, self.control_version))

    def _render_due(self, frame: int) -> Iterator[Unit]:
        while self._next < self._course.end and self._next <= self._schedule.due(frame):
            window, self._next = self._next, self._next + WINDOW
            if self._live and window + WINDOW <= self.playhead:
                self.late_frames += WINDOW if self._rendered else 0
                continue
            self._rendered = True
            choice, live = self._choice, None
            if self._deck.needs_live(choice, window):
                yield from self._prime(window, frame)
                live = self._render(window)
            yield self._heard(choice, window, live)
            self._leave(window + WINDOW)

    def _needed(self, window: int) -> range:
        """The regions that a window is decoded from."""
        return self._course.heard(*self._windows.needs(window))

    def _latents(self, window: int) -> Latents:
        return self._slots.latents(self._needed(window))

    def _heard(self, choice: int, window: int, live: Run | None) -> Run:
        audio = self._deck.render(choice, window, None if live is None else live.audio)
        if live is not None:
            return replace(live, audio=audio)
        # audio of a take alone is of no generation; the first one's number stands for it
        return Run(first_sample(window, self._rate), audio, 1, self.control_version)

    def _render(self, window: int) -> Run:
        latents = self._latents(window)
        audio = self._windows.render(lambda first, frames: self._course.rows(latents, first, frames), window)
        heard = self._slots.among(self._needed(window))
        version = max(slots.newest.control_version for slots in heard if slots.newest is not None)
        number = max(slots.number for slots in heard)
        return Run(first_sample(window, self._rate), audio, number, version)

    def _leave(self, window: int) -> None:
        """Close the regions that are over before a window."""
        self._slots.leave(self._needed(window)[0])

    def _following(self, frame: int) -> int:
        lag = self.playhead - frame
        if self._live and lag > (self.tick_frames if self._behind else CATCH_UP):
            self._behind = True
            return self.playhead
        return frame + 1

    def _taken(self, frame: int) -> bool:
        """A take is heard as far as a generation that is submitted now would be heard first."""
        heard = max(self._schedule.heard(frame), self._next)
        return self._deck.covers(self._choice, self._next, heard + 2 * WINDOW)

    @property
    def _choice(self) -> int:
        return round(self._lanes.hold("take"))

    @property
    def _frozen(self) -> bool:
        return self._lanes.hold("freeze") >= 0.5
