"""The slots of one region: generations in flight, and the newest that came out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sidecar.requests import Requests

if TYPE_CHECKING:
    from engine import EngineError, Finished, Session
    from sidecar.prompts import Prompts
    from sidecar.score import Score
    from sidecar.snapshot import Snapshot


class Slots:
    """Generates one region of a score.

    Args:
        session: the engine.
        score: what the pass is rendered from.
        index: of the region.
        prompts: those in force.

    Attributes:
        newest: the newest generation that came out; None before the first.
        number: its number within the pass.
        error: why the last generation that failed did.
    """

    def __init__(self, session: Session, score: Score, index: int, prompts: Prompts) -> None:
        self.region = score.course.region(index)
        self._score = score
        self._index = index
        self._prompts = prompts
        self._stream = session.open_stream(self.region.frames, score.clock.depth)
        self._requests: Requests | None = None
        self.newest: Finished | None = None
        self.number = 0
        self.error: EngineError | None = None

    def prepare(self) -> bool:
        """Do a unit of what must be there before a generation; False when there is none left.

        Raises:
            EngineError: the engine refuses the source.
        """
        return self._requests is None and self._score.prepare(self._index)

    def use(self, prompts: Prompts) -> None:
        """Generate from other prompts from now on."""
        self._prompts = prompts
        if self._requests is not None:
            self._requests.prompts = prompts

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is in flight."""
        stats = self._stream.stats()
        return not stats.waiting and stats.active == 0

    def submit(self, controls: Snapshot) -> None:
        """Ask for a generation; everything that `prepare` does was done."""
        if self._requests is None:
            self._requests = Requests(self._stream, self._score.material(self._index))
            self._requests.prompts = self._prompts
        self._requests.submit(controls)

    def tick(self, number: Callable[[], int]) -> None:
        """One step of everything in flight; each generation that comes out takes the next number of the pass."""
        for done in self._stream.tick():
            if done.latent is None:
                self.error = done.error
                continue
            came = number()
            if self.newest is None or done.request_id > self.newest.request_id:
                self.newest, self.number = done, came
                if self._requests is not None:
                    self._requests.finished(done.latent)

    def close(self) -> None:
        """Give the engine's memory back."""
        self._stream.close()
