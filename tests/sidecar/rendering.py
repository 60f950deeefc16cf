"""Driving a Pass directly, as an instance does: points and blocks in, audio out."""

from collections.abc import Iterable, Iterator

import numpy as np
from conftest import RATE, SHORT_CLOCK, music

from engine import Session
from sidecar.document import Document
from sidecar.parameters import TABLE
from sidecar.passes import Pass
from sidecar.preparer import Preparer
from sidecar.progress import Progress
from sidecar.score import Score, score_of
from sidecar.source import canonical
from sidecar.track import Memory
from sidecar.windows import Run

Point = tuple[int, str, float]

DOCUMENT = Document({"prompts": {"a": "techno, kick", "b": "ambient, pad chords"}, "seed": 3, "clock": SHORT_CLOCK})


def score(session: Session, rate: int = RATE, seconds: float = 2.0, document: Document = DOCUMENT) -> Score:
    source = canonical(music(seconds, rate), 0, rate)
    assert source is not None
    return score_of(Preparer(session), document, source, rate=rate)


class Player:
    """One pass, fed block by block."""

    def __init__(
        self,
        session: Session,
        made: Score,
        points: Iterable[Point] = (),
        *,
        rate: int = RATE,
        start: int = 0,
        memory: Memory | None = None,
        live: bool = False,
        longest: int = 120 * RATE,
        **values: float,
    ) -> None:
        initial = {row.key: values.get(row.key, row.default) for row in TABLE}
        self.run = Pass(session, made, rate, start, initial, memory=memory, live=live)
        self.position = start
        self.points = sorted(points, key=lambda point: point[0])
        self.start = min(start, self.run.span[0])
        self.audio = np.full((2, min(self.run.span[1] - self.start, longest)), np.nan, np.float32)
        self.runs: list[Run] = []

    def block(self, frames: int) -> None:
        """The points of a block, and the block."""
        end = self.position + frames
        while self.points and self.points[0][0] < end:
            position, key, value = self.points.pop(0)
            self.run.point(key, position, value)
        self.run.cover(end)
        self.position = end

    def work(self) -> Iterator[None]:
        """All units that are due, one at a time."""
        while (step := self.run.advance()) not in (Progress.WAITING, Progress.DONE):
            if isinstance(step, Run):
                self.runs.append(step)
                low = step.start - self.start
                room = self.audio[:, low : low + step.audio.shape[1]]
                room[:] = step.audio[:, : room.shape[1]]
            yield

    def play(self, blocks: Iterable[int]) -> np.ndarray:
        """Blocks, each followed by all the work that it makes due."""
        for frames in blocks:
            self.block(frames)
            for _ in self.work():
                pass
        return self.audio


def cut(total: int, frames: int) -> list[int]:
    """A length in blocks of one size, and a last one of what is left."""
    return [frames] * (total // frames) + [total % frames] * (total % frames > 0)
