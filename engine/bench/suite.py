"""Every measurement of the engine, in one run."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from engine.bench import machine
from engine.bench.frozen import FrozenCost, frozen_window
from engine.bench.latency import ControlLatency, control_latency
from engine.bench.loads import LOADS
from engine.bench.memory import WORKS, PeakMemory, peak_memory
from engine.bench.pairs import Progress
from engine.bench.pipeline import StreamOverPipeline, stream_over_pipeline
from engine.bench.song import SongCost, full_generation, moving_region
from engine.bench.tick import TickOverForwards, tick_over_forwards
from engine.bench.window import WindowOverFull, window_over_full
from engine.errors import CheckpointError, EngineError, RequestError
from engine.model.checkpoint import BUNDLED
from engine.session import Session

DEFAULT_BACKENDS: Final = ("eager", "compiled")
DEPTH: Final = 4
LENGTHS: Final = (400, 1500)
"""T of 16 s, the sidecar's default region, and of 60 s, its longest."""

WINDOWS: Final = (9, 25, 75)

Figure: TypeAlias = TickOverForwards | StreamOverPipeline | ControlLatency | WindowOverFull | SongCost | FrozenCost
Watch: TypeAlias = Callable[[str, float], None]
"""Told what is being measured, and the share 0 .. 1 of everything that is done."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one run found.

    Attributes:
        machine: see `engine.bench.machine.describe`.
        checkpoint: id with the hash of its weights.
        threads: torch threads.
        quick: fewer pairs, and T = 400 alone.
        figures: per backend, in the order they were measured.
        memory: peaks of processes that did one thing each.
        missing: backends that could not be opened, and why.
    """

    machine: dict[str, object]
    checkpoint: str
    threads: int
    quick: bool
    figures: dict[str, list[Figure]]
    memory: list[PeakMemory]
    missing: dict[str, str]


@dataclass(frozen=True)
class _Job:
    """One measurement, `parts` times a call of its progress."""

    what: str
    parts: int
    run: Callable[[Session, Progress], Figure]


def run(
    checkpoint: str | Path = BUNDLED,
    *,
    backends: Sequence[str] = DEFAULT_BACKENDS,
    threads: int = 1,
    quick: bool = False,
    watch: Watch | None = None,
) -> Report:
    """Measure everything.

    Args:
        checkpoint: as in `Session.open`.
        backends: as in `Session.open`, measured one after the other. One that cannot run here is left out, and named.
        threads: torch threads.
        quick: fewer pairs, and T = 400 alone: a minute or two per backend instead of ten.
        watch: told how far it is.

    Raises:
        CheckpointError, RequestError: as `Session.open`.
        EngineError: none of the backends can run here.
    """
    jobs = {backend: list(_jobs(backend, quick=quick, codec=backend == backends[0])) for backend in backends}
    steps = _Steps(watch, sum(job.parts for found in jobs.values() for job in found) + len(jobs) * len(WORKS))
    figures: dict[str, list[Figure]] = {}
    memory: list[PeakMemory] = []
    missing: dict[str, str] = {}
    identity = ""
    for backend in backends:
        steps.now(f"{backend}: opening")
        try:
            session = Session.open(checkpoint, backend=backend, threads=threads, progress=steps.told)
        except (CheckpointError, RequestError):
            raise
        except EngineError as error:
            missing[backend] = error.text
            continue
        with session:
            figures[backend] = list(_measure(session, jobs[backend], steps))
            info = session.checkpoint
        identity = info.id
        for work in WORKS:
            steps.now(f"{backend}: peak memory, {work}")
            frames = LENGTHS[0 if quick else -1] if work in ("stream", "decode") else 0
            memory.append(peak_memory(info.folder, backend, work, frames, threads=threads))
            steps.done()
    if not figures:
        raise EngineError(f"No backend could be opened: {'; '.join(missing.values())}", "Measure another backend.")
    return Report(
        machine=machine.describe(),
        checkpoint=identity,
        threads=threads,
        quick=quick,
        figures=figures,
        memory=memory,
        missing=missing,
    )


def _measure(session: Session, jobs: Iterable[_Job], steps: "_Steps") -> Iterator[Figure]:
    for job in jobs:
        steps.now(f"{session.backend.name}: {job.what}")
        yield job.run(session, steps.done)


def _jobs(backend: str, *, quick: bool, codec: bool) -> Iterator[_Job]:
    lengths = LENGTHS[:1] if quick else LENGTHS
    for frames in lengths:
        long = frames > LENGTHS[0]
        ticks, others = (10, 6) if quick else (40, 12) if long else (100, 30)
        for name in LOADS:
            yield _Job(
                f"tick, {name}, T = {frames}",
                ticks,
                partial(_tick, frames=frames, name=name, pairs=ticks),
            )
        yield _Job(f"pipeline, T = {frames}", others, partial(_pipeline, frames=frames, pairs=others))
        yield _Job(f"control to latent, T = {frames}", 16, partial(_latency, frames=frames))
        for window in WINDOWS if codec else ():  # the VAE is the same in every backend
            yield _Job(
                f"window of {window}, T = {frames}",
                others,
                partial(_window, frames=frames, window=window, pairs=others),
            )
    yield _Job("moving region", 2 if quick else 6, partial(_moving, pairs=2 if quick else 6))
    if not quick:
        yield _Job("full generation", 2, _full)
    if backend == "eager":  # the only one that can
        yield _Job("frozen context", 2 if quick else 6, partial(_frozen, pairs=2 if quick else 6))


def _tick(session: Session, done: Progress, *, frames: int, name: str, pairs: int) -> Figure:
    return tick_over_forwards(session, frames, DEPTH, name=name, pairs=pairs, done=done)


def _pipeline(session: Session, done: Progress, *, frames: int, pairs: int) -> Figure:
    return stream_over_pipeline(session, frames, DEPTH, pairs=pairs, done=done)


def _latency(session: Session, done: Progress, *, frames: int) -> Figure:
    return control_latency(session, frames, DEPTH, changes=16, done=done)


def _window(session: Session, done: Progress, *, frames: int, window: int, pairs: int) -> Figure:
    return window_over_full(session, frames, window, pairs=pairs, done=done)


def _moving(session: Session, done: Progress, *, pairs: int) -> Figure:
    return moving_region(session, pairs=pairs, done=done)


def _full(session: Session, done: Progress) -> Figure:
    return full_generation(session, pairs=2, done=done)


def _frozen(session: Session, done: Progress, *, pairs: int) -> Figure:
    return frozen_window(session, pairs=pairs, done=done)


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

    def told(self, what: str, share: float) -> None:
        """Pass on what opening a session reports; its share of itself is not one of the whole."""
        self.now(f"{what} ({share:.0%})")

    def done(self) -> None:
        """One more part is done."""
        self._taken += 1
        self._tell()

    def _tell(self) -> None:
        if self._watch is not None:
            self._watch(self._what, self._taken / self._total)
