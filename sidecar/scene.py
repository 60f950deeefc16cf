"""The scene: what an instance does now, for whoever watches it (PROTOCOL section 2, `scene`).

Made in the engine thread, and only while somebody watches. Nothing that is rendered depends on it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from sidecar import protocol
from sidecar.coverage import Coverage, Peaks, source_peaks
from sidecar.frames import WINDOW
from sidecar.parameters import TABLE
from sidecar.region import TEXT_FRAMES, Region

if TYPE_CHECKING:
    from engine import Session
    from sidecar.pace import Pace
    from sidecar.project import Project
    from sidecar.publisher import Send
    from sidecar.rendering import Rendering
    from sidecar.snapshot import Curve
    from sidecar.source import SourceAudio

INTERVAL_S: Final = 0.1
"""Seconds between two scenes: ten a second are as many as an eye follows."""

BYTES_PER_S: Final = 2**20
"""What scenes may add up to: those of ten minutes with eight lanes come twice a second."""

SHOWN_FRAMES: Final = 1_500
"""Frames that are shown of a song without an end: the minute that the playhead is in."""


@dataclass(frozen=True, eq=False)
class View:
    """What there is to show.

    Attributes:
        region: the song frames shown.
        playhead: the frame that the transport is at.
        tick_frames, lag, late: of the pass: frames per tick, frames behind the playhead, windows that came too late.
        coverage, pace: of the pass; None where there is none, and those of the one before stay in sight.
        curves: lanes over the region, by key.
        source: what is re-generated, if anything is.
        missing: what the project names and this machine lacks.
        learning: frames that the pass has heard so far, of a track that it is the first to hear.
    """

    region: Region
    playhead: int
    tick_frames: int
    lag: int
    late: int
    coverage: Coverage | None
    pace: Pace | None
    curves: Mapping[str, Curve]
    source: SourceAudio | None
    missing: Sequence[protocol.Missing]
    learning: int = 0


class Scenes:
    """Sends the scenes of one instance.

    Args:
        session: the engine.

    Attributes:
        show: sends a message to everybody who watches; None: nobody does.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._last: list[bytes] = []
        self._due = 0.0
        self._changed = False
        self._source: tuple[str, Region, Peaks] | None = None
        self._coverage = Coverage(1)
        self.show: Send | None = None

    def watched(self, show: Send | None) -> None:
        """Show the scene to these from now on; who is new sees it at once."""
        self.show = show
        self._last, self._due, self._changed = [], 0.0, show is not None

    def changed(self) -> None:
        """Something may look different now."""
        self._changed = self.show is not None

    @property
    def wait(self) -> float | None:
        """Seconds until a scene is due; None: there is nothing to show."""
        return max(self._due - time.monotonic(), 0.0) if self._changed else None

    def send(self, view: View) -> None:
        """Show a view, if it looks different from the one before."""
        self._changed = False
        if self.show is None:
            return
        frames = self._encoded(view)
        self._due = time.monotonic() + max(INTERVAL_S, sum(map(len, frames)) / BYTES_PER_S)
        if frames != self._last:
            self._last = frames
            self.show(frames)

    def _encoded(self, view: View) -> list[bytes]:
        region, lanes = view.region, _shown(view.curves)
        coverage = self._coverage = view.coverage or self._coverage
        head = protocol.Scene(
            region_start=region.start,
            frames=region.frames,
            playhead=view.playhead,
            tick_frames=view.tick_frames,
            ticks=0.0 if view.pace is None else view.pace.ticks,
            sustained=0.0 if view.pace is None else round(view.pace.sustained, 1),
            lag=view.lag,
            late=view.late,
            generation=coverage.newest,
            device="cpu",
            backend=self._session.backend.name,
            checkpoint=self._session.checkpoint.id,
            missing=list(view.missing)[: protocol.MAX_MISSING],
            lanes=list(lanes),
            learning=view.learning,
        )
        values = [np.broadcast_to(np.asarray(curve, "<f4"), (region.frames,)).tobytes() for curve in lanes.values()]
        return protocol.encode(
            head,
            coverage.freshness(region).tobytes(),
            b"".join(values),
            self._peaks(view.source, region).tobytes(),
            coverage.peaks(region).tobytes(),
        )

    def _peaks(self, source: SourceAudio | None, region: Region) -> Peaks:
        if source is None:
            return np.zeros((region.frames, 2), np.int8)
        known = self._source
        if known is None or known[:2] != (source.hash, region):
            known = self._source = (source.hash, region, source_peaks(source, region))
        return known[2]


def view(running: Rendering | None, standby: Rendering | None, project: Project, place: int) -> View:
    """What there is to show of an instance.

    Args:
        running: its pass.
        standby: what it has rendered ahead of the next one.
        project: what both are rendered from.
        place: the song frame at which the transport stands.
    """
    rendering, source = running or standby, project.source
    keys = [row.key for row in TABLE.lanes if row.target == "engine"]
    if rendering is None:
        extent = Region(0, TEXT_FRAMES) if source is None else source.region
        region = shown(extent.start, extent.end, place)
        curves: dict[str, Curve] = {key: project.values[key] for key in keys}
        learning = project.heard_frames if source is None else 0
        return View(region, place, 0, 0, 0, None, None, curves, source, project.missing, learning)
    run = rendering.run
    region = shown(*run.extent, run.playhead)
    return View(
        region=region,
        playhead=run.playhead,
        tick_frames=run.tick_frames,
        lag=0 if running is None else run.lag,
        late=run.late_frames // WINDOW,
        coverage=rendering.coverage,
        pace=rendering.pace,
        curves={key: run.curve(key, region) for key in keys},
        source=source,
        missing=project.missing,
    )


def shown(start: int, end: int, playhead: int) -> Region:
    """The frames of a song [start, end) to show: all of them, or the minute around the playhead where that is long."""
    if end - start <= protocol.MAX_SCENE_FRAMES:
        return Region(start, end - start)
    first = min(max(playhead // SHOWN_FRAMES * SHOWN_FRAMES, start), end - SHOWN_FRAMES)
    return Region(first, SHOWN_FRAMES)


def _shown(curves: Mapping[str, Curve]) -> dict[str, Curve]:
    """The lanes that are not at their default throughout; those that move come first."""
    away = {key: curve for key, curve in curves.items() if not _is_default(key, curve)}
    ordered = sorted(away, key=lambda key: isinstance(away[key], float))
    return {key: away[key] for key in ordered[: protocol.MAX_SCENE_LANES]}


def _is_default(key: str, curve: Curve) -> bool:
    return bool(np.all(np.asarray(curve, np.float32) == np.float32(TABLE[key].default)))
