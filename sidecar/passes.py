"""The pass: records in, rendered audio out, on the virtual clock (docs/architecture.md, "The pass").

The one renderer of the product: the plugin's live and offline passes and `demon bounce` all run it. What it renders is
a function of its material, its start and the records' positions; never of block sizes, of time, or of other passes.
It works one unit at a time (an engine tick or a window), so that instances can share an engine fairly.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from sidecar import snapshot
from sidecar.frames import WINDOW, down_to_window, first_sample, frame_of
from sidecar.lanes import LaneSet, Memory
from sidecar.requests import Requests
from sidecar.takes import Deck
from sidecar.windows import Run, Windows

if TYPE_CHECKING:
    from engine import EngineError, Finished, Session
    from sidecar.material import Material
    from sidecar.prompts import Prompts
    from sidecar.takes import Takes

CATCH_UP: Final = 50
"""Frames that a live pass may lag before it gives up ticks: 2 s hide the priming, and are too little to hear as lag."""


class Progress(Enum):
    """What a call of `advance` did when it rendered nothing."""

    WORKED = auto()
    WAITING = auto()
    DONE = auto()


class Pass:
    """One uninterrupted run of the transport.

    Args:
        session: the engine.
        material: region, source, prompts and clock.
        rate: host samples per second.
        start: song sample at which it starts.
        values: plain value of every engine parameter there.
        memory: lanes of the loop's earlier rounds.
        version: control version at the start.
        live: skip what is already past when the device cannot keep pace. Offline nothing is ever skipped.

    Attributes:
        span: the song samples it renders, half open: from its first window to the end of the region.
        late_frames: frames that were past before they could be rendered, but for those that passed during the priming.
        error: why the last generation that failed did; the pass goes on with the one before.
    """

    def __init__(
        self,
        session: Session,
        material: Material,
        rate: int,
        start: int,
        values: Mapping[str, float],
        *,
        memory: Memory | None = None,
        version: int = 0,
        live: bool = False,
    ) -> None:
        self.material = material
        self._rate = rate
        self._live = live
        self._start = start
        self._covered = start
        self._first_frame = frame_of(start, rate)
        region = material.region
        self._lanes = LaneSet(rate, start, values, memory)
        self._windows = Windows(session, region, rate)
        self._deck = Deck(material.takes, region.end, rate)
        self._next = max(down_to_window(self._first_frame), region.start)
        self.span = (first_sample(self._next, rate), region.samples(rate)[1])
        self._stream = session.open_stream(region.frames, material.clock.depth)
        self._requests = Requests(self._stream, material)
        self._tick_frames = material.clock.tick(region.frames)
        self._newest: Finished | None = None
        self._base_version = version
        self._behind = False
        self._rendered = False
        self._script = self._work()
        self.late_frames = 0
        self.error: EngineError | None = None

    @property
    def control_version(self) -> int:
        """Counts the changes that took effect, from the version at the start on."""
        return self._base_version + self._lanes.changes

    def use(self, prompts: Prompts) -> None:
        """Change prompts, seed and LoRAs for the generations that are admitted from now on."""
        self._requests.prompts = prompts
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

    @property
    def late(self) -> bool:
        """The device could not keep pace: something was skipped after the first window."""
        return self._behind or self.late_frames > 0

    def advance(self) -> Run | Progress:
        """Do the next unit of work that is due.

        Raises:
            EngineError: the primed generation failed, or the engine broke. The pass is over then.
        """
        return next(self._script, Progress.DONE)

    def remember(self) -> Memory:
        """The lanes as far as the host drew them, for the next round of a loop. The pass is over."""
        self._lanes.settle(max(self._playhead, self._first_frame))
        return self._lanes.remember()

    def close(self) -> None:
        """Give the engine's memory back."""
        self._script.close()
        self._stream.close()

    def _work(self) -> Generator[Run | Progress]:
        while self._covered <= self._start:
            yield Progress.WAITING
        self._lanes.prime()
        frame = self._first_frame
        yield from self._render_due(frame)
        while self._next < self.material.region.end:
            frame = self._following(frame)
            while self._covered < first_sample(frame, self._rate):
                yield Progress.WAITING
            self._lanes.settle(frame)
            if self._ticks_at(frame) and not self._frozen and not self._taken(frame):
                self._tick(frame)
                yield Progress.WORKED
            yield from self._render_due(frame)

    def _prime(self, frame: int) -> Iterator[Progress]:
        if self._newest is None:
            self._submit(frame, heard=frame)
        while self._newest is None:
            self._keep(self._stream.tick())
            if self.error is not None:
                raise self.error
            yield Progress.WORKED

    def _tick(self, frame: int) -> None:
        clock = self.material.clock
        self._submit(frame, heard=frame + (clock.steps - 1) * self._tick_frames + clock.lead_frames)
        self._keep(self._stream.tick())

    def _submit(self, frame: int, heard: int) -> None:
        region = self.material.region
        self._requests.submit(snapshot.take(self._lanes, region, frame, heard, self.control_version))

    def _keep(self, finished: list[Finished]) -> None:
        for done in finished:
            if done.error is not None:
                self.error = done.error
            elif self._newest is None or done.request_id > self._newest.request_id:
                self._newest = done
                if done.latent is not None:
                    self._requests.finished(done.latent)

    def _render_due(self, frame: int) -> Iterator[Run | Progress]:
        ahead = frame + self.material.clock.lead_frames
        while self._next < self.material.region.end and self._next <= ahead:
            window, self._next = self._next, self._next + WINDOW
            if self._live and window + WINDOW <= self._playhead:
                self.late_frames += WINDOW if self._rendered else 0
                continue
            self._rendered = True
            choice, live = round(self._lanes.hold("take")), None
            if self._deck.needs_live(choice, window):
                yield from self._prime(frame)
                live = self._render(window)
            yield self._heard(choice, window, live)

    def _render(self, window: int) -> Run:
        newest = self._newest
        assert newest is not None and newest.latent is not None  # noqa: PT018, S101 - primed before
        audio = self._windows.render(newest.latent, window)
        return Run(first_sample(window, self._rate), audio, newest.generation, newest.control_version)

    def _heard(self, choice: int, window: int, live: Run | None) -> Run:
        audio = self._deck.render(choice, window, None if live is None else live.audio)
        start = first_sample(window, self._rate)
        # audio of a take alone is of no generation; the first one's number stands for it
        return Run(start, audio, 1, self.control_version) if live is None else replace(live, audio=audio)

    def _following(self, frame: int) -> int:
        lag = self._playhead - frame
        if self._live and lag > (self._tick_frames if self._behind else CATCH_UP):
            self._behind = True
            return self._playhead
        return frame + 1

    def _ticks_at(self, frame: int) -> bool:
        # long before the region nothing is heard: two generations ahead of its first window are enough
        clock = self.material.clock
        first = self.material.region.start - clock.lead_frames - 2 * clock.steps * self._tick_frames
        return frame >= first and frame % self._tick_frames == 0

    def _taken(self, frame: int) -> bool:
        """A take is heard as far as a generation that is submitted now would be heard first."""
        clock = self.material.clock
        heard = frame + (clock.steps - 1) * self._tick_frames + clock.lead_frames
        choice = round(self._lanes.hold("take"))
        return self._deck.covers(choice, self._next, max(heard, self._next) + 2 * WINDOW)

    @property
    def _playhead(self) -> int:
        return frame_of(self._covered, self._rate)

    @property
    def _frozen(self) -> bool:
        return self._lanes.hold("freeze") >= 0.5
