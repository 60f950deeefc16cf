"""A rendering: a pass, and the number under which its audio goes into the timeline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sidecar.chunks import Cutter
from sidecar.coverage import Coverage
from sidecar.pace import Pace
from sidecar.progress import Progress
from sidecar.windows import Run

if TYPE_CHECKING:
    from sidecar.passes import Pass
    from sidecar.publisher import Publisher


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
        self._undecided = False
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
        self._undecided |= step is Progress.PRIMED
        if self._undecided:
            self._choose_tick(now=step is Progress.PRIMED)
        if isinstance(step, Run):
            self._heard.append(step)
            self.coverage.add(step)
            heard = self.run.chunks
            publisher.add(self.number, [chunk for chunk in self._cutter.add(step) if chunk.number in heard])
        return step

    def _choose_tick(self, *, now: bool) -> None:
        """Choose as soon as enough was measured: for this pass if it is primed now, else for those after it."""
        cost, score = self.pace.cost, self.run.score
        if cost is not None:
            rows = min(score.clock.depth, score.clock.steps)
            self.chosen = cost.tick_frames(rows, score.preparer.sharers)
            self._undecided = False
            if now:
                self.run.tick_every(self.chosen)

    def drain(self) -> list[Run]:
        """What was rendered since this was last asked, for whoever keeps it."""
        heard, self._heard = self._heard, []
        return heard


def begin(run: Pass, number: int, rate: int) -> Rendering | None:
    """The rendering of a pass, arguments as of `Rendering`; None, and it is closed, where the song is over by then."""
    if run.span[0] >= run.span[1]:
        run.close()
        return None
    return Rendering(run, number, rate)
