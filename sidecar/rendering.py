"""A rendering: a pass, and the number under which its audio goes into the timeline."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sidecar.chunks import Cutter
from sidecar.coverage import Coverage
from sidecar.look_ahead import LookAheadPass
from sidecar.pace import Pace
from sidecar.passes import Pass, Progress
from sidecar.windows import Run

if TYPE_CHECKING:
    from engine import Session
    from sidecar.ahead import AheadScore
    from sidecar.publisher import Publisher
    from sidecar.score import Score
    from sidecar.track import Memory


class Rendering:
    """One pass on its way into the timeline.

    Args:
        run: the pass.
        number: what its chunks are published under, to the end.
        rate: host samples per second.

    Attributes:
        coverage: what has been rendered.
        pace: how fast.
        chosen: the frames per tick that it chose from its pace; None: the document says them, or it is not known yet.
    """

    def __init__(self, run: Pass, number: int, rate: int) -> None:
        self.run = run
        self.number = number
        self.coverage = Coverage(rate)
        self.pace = Pace()
        self.chosen: int | None = None
        self._cutter = Cutter(run.span)
        self._heard: list[Run] = []

    def advance(self, publisher: Publisher) -> Run | Progress:
        """Do the next unit of work that is due, and publish what it completes; waits while chunks wait for slots.

        Raises:
            EngineError: as `Pass.advance`.
        """
        if publisher.full:
            return Progress.WAITING
        began = time.perf_counter()
        step = self.run.advance()
        if step is Progress.TICKED or isinstance(step, Run):
            self.pace.add(time.perf_counter() - began, tick=step is Progress.TICKED)
        if step is Progress.PRIMED:
            self._choose_tick()
        if isinstance(step, Run):
            self._heard.append(step)
            self.coverage.add(step)
            publisher.add(self.number, self._cutter.add(step))
        return step

    def _choose_tick(self) -> None:
        cost, score = self.pace.cost, self.run.score
        if cost is not None:
            rows = min(score.clock.depth, score.clock.steps)
            self.chosen = cost.tick_frames(rows, score.preparer.sharers)
            self.run.tick_every(self.chosen)

    def drain(self) -> list[Run]:
        """What was rendered since this was last asked, for whoever keeps it."""
        heard, self._heard = self._heard, []
        return heard


def begin(
    session: Session,
    score: Score,
    rate: int,
    start: int,
    values: Mapping[str, float],
    *,
    number: int,
    version: int,
    live: bool,
    memory: Memory | None = None,
) -> Rendering | None:
    """The rendering of a pass, arguments as of `Pass`; None where the song is over before it."""
    return _wet(Pass(session, score, rate, start, values, memory=memory, version=version, live=live), number, rate)


def begin_ahead(
    session: Session,
    score: AheadScore,
    rate: int,
    start: int,
    values: Mapping[str, float],
    *,
    latency: int,
    number: int,
    version: int,
    live: bool,
) -> Rendering | None:
    """As `begin`, arguments as of `LookAheadPass`."""
    run = LookAheadPass(session, score, rate, start, values, latency=latency, version=version, live=live)
    return _wet(run, number, rate)


def _wet(run: Pass, number: int, rate: int) -> Rendering | None:
    if run.span[0] >= run.span[1]:
        run.close()
        return None
    return Rendering(run, number, rate)
