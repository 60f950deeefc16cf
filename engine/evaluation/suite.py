"""Every figure, in one run."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from engine.bench import machine
from engine.errors import RequestError
from engine.evaluation import codec, cover, styles, sweeps, text
from engine.evaluation.clips import Clips
from engine.evaluation.figures import Done, Figure
from engine.evaluation.prompts import PARTS
from engine.evaluation.sweeps import Sweep
from engine.session import Session

ROOMS: Final = ("vae", "text", "cover", "lanes")
"""What can be measured by itself."""

Watch: TypeAlias = Callable[[str, float], None]
"""Told what is being measured, and the share 0 .. 1 of everything that is done."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured.

    Attributes:
        seeds: of everything but the codec, which has none.
        trips: clips through the codec.
        frames: T of text and covers.
        per_style: cases of each style on the grid of whole frames, and off it.
        style_frames, real, draws: T; real clips of each style to learn from and to test with; generations of each.
        covers: sources per seed.
        lane_frames, lane_points: T, and values of each sweep; there is one source per seed.
    """

    seeds: int = 4
    trips: int = 32
    frames: int = 400
    per_style: tuple[int, int] = (4, 2)
    style_frames: int = 250
    real: tuple[int, int] = (24, 8)
    draws: int = 4
    covers: int = 3
    lane_frames: int = 200
    lane_points: int = 5


FULL: Final = Size()
QUICK: Final = Size(
    seeds=1,
    trips=2,
    frames=100,
    per_style=(1, 1),
    style_frames=30,
    real=(1, 1),
    draws=1,
    covers=1,
    lane_frames=30,
    lane_points=2,
)
"""Enough to see that everything runs; its figures say little."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one run found.

    Attributes:
        machine: see `engine.bench.machine.describe`.
        checkpoint: id with the hash of its weights.
        size: how much was measured.
        quick: whether that was too little to go by.
        figures: in the order they were measured.
        lanes: what each did.
        took_s: seconds per room.
    """

    machine: dict[str, object]
    checkpoint: str
    size: Size
    quick: bool
    figures: list[Figure] = field(default_factory=list[Figure])
    lanes: list[Sweep] = field(default_factory=list[Sweep])
    took_s: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class _Job:
    """One measurement, which calls its `done` so many times."""

    room: str
    what: str
    parts: int
    run: Callable[[Report, Done], None]


def run(
    session: Session,
    *,
    only: Collection[str] = ROOMS,
    seeds: int | None = None,
    quick: bool = False,
    watch: Watch | None = None,
) -> Report:
    """Measure a checkpoint.

    Args:
        session: of the checkpoint.
        only: some of `ROOMS`.
        seeds: 1 or more; None for 4, or 1 where it is to be quick.
        quick: a few clips and short generations.
        watch: told how far it is.

    Raises:
        RequestError: only or seeds.
    """
    unknown = sorted(set(only) - set(ROOMS))
    if unknown or not only:
        raise RequestError("only", unknown, "is not measured here", f"Use some of {', '.join(ROOMS)}.")
    if seeds is not None and seeds < 1:
        raise RequestError("seeds", seeds, "is less than 1", "Use 4, or more for a surer mean.")
    size = QUICK if quick else FULL
    size = size if seeds is None else replace(size, seeds=seeds)
    report = Report(machine=machine.describe(), checkpoint=session.checkpoint.id, size=size, quick=quick)
    jobs = [job for job in _jobs(session, size) if job.room in only]
    steps = _Steps(watch, sum(job.parts for job in jobs))
    for job in jobs:
        started = time.perf_counter()
        steps.now(job.what)
        job.run(report, steps.done)
        report.took_s[job.room] = report.took_s.get(job.room, 0.0) + time.perf_counter() - started
    return report


def _jobs(session: Session, size: Size) -> Iterator[_Job]:
    clips = Clips()

    def figures(measure: Callable[[Done], Sequence[Figure]]) -> Callable[[Report, Done], None]:
        return lambda report, done: report.figures.extend(measure(done))

    yield _Job(
        "vae",
        "round trips",
        size.trips,
        figures(lambda done: codec.measure(session, clips, size.trips, done)),
    )
    yield _Job(
        "text",
        "tempo and key from text",
        len(PARTS) * sum(size.per_style) * size.seeds,
        figures(lambda done: text.measure(session, clips, size.frames, size.per_style, size.seeds, done)),
    )
    yield _Job(
        "text",
        "styles from text",
        styles.parts(size.real, size.draws, size.seeds),
        figures(
            lambda done: styles.measure(session, clips, size.style_frames, size.real, size.draws, size.seeds, done)
        ),
    )
    yield _Job(
        "cover",
        "covers",
        size.covers * size.seeds,
        figures(lambda done: cover.measure(session, clips, size.frames, size.covers, size.seeds, done)),
    )

    def lanes(report: Report, done: Done) -> None:
        report.lanes.extend(sweeps.measure(session, clips, size.lane_frames, size.seeds, size.lane_points, done))

    yield _Job("lanes", "lanes", sweeps.parts(size.seeds), lanes)


class _Steps:
    """How far the whole is."""

    def __init__(self, watch: Watch | None, total: int) -> None:
        self._watch = watch
        self._total = total
        self._taken = 0
        self._what = ""

    def now(self, what: str) -> None:
        """Say what is being measured."""
        self._what = what
        self._tell()

    def done(self) -> None:
        """One more part is done."""
        self._taken += 1
        self._tell()

    def _tell(self) -> None:
        if self._watch is not None:
            self._watch(self._what, self._taken / self._total)
