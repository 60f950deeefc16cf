"""The headless bounce: a track, a document and lanes in, audio out, through the same pass as the plugin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sidecar.ahead import ahead_score_of
from sidecar.automation import Automation
from sidecar.captured import Captured
from sidecar.content import ContentStore
from sidecar.document import Document
from sidecar.errors import StateError
from sidecar.lane import Lane
from sidecar.limiter import AHEAD
from sidecar.look_ahead import LookAheadPass
from sidecar.output import render_output
from sidecar.parameters import TABLE
from sidecar.passes import Pass
from sidecar.preparer import Preparer
from sidecar.progress import Progress
from sidecar.references import References
from sidecar.score import score_of
from sidecar.source import canonical
from sidecar.sources import LEARN, NONE, Sources
from sidecar.spans import span_course
from sidecar.takes import Takes, takes_of
from sidecar.tempo import UNKNOWN, Tempo
from sidecar.timeline import MAX_RATE, MIN_RATE
from sidecar.windows import Run

if TYPE_CHECKING:
    from engine import Session
    from sidecar.source import SourceAudio


Audio = NDArray[np.float32]
Report = Callable[[float], None]


@dataclass(frozen=True)
class BounceReport:
    """What a bounce did.

    Attributes:
        checkpoint: id of the checkpoint.
        rate, samples: of the result.
        wet: it was rendered; False leaves the track dry.
        start, end: song samples that were rendered.
        generations: latents that were heard.
        source: content hash of the source, empty without one.
        sha256: of the result's float32 samples, interleaved.
        missing: references and takes that are not on this machine, by their keys; it was rendered without them.
        claim: how far a streamed latent is the one-shot one here, as the session's latest self-check found.
    """

    checkpoint: str
    rate: int
    samples: int
    wet: bool
    start: int
    end: int
    generations: int
    source: str
    sha256: str
    claim: str
    missing: list[str]

    def to_dict(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def bounce(
    session: Session,
    audio: Audio,
    rate: int,
    document: Document | Mapping[str, Any],
    automation: Automation | None = None,
    *,
    tempo: Tempo = UNKNOWN,
    store: ContentStore | None = None,
    report: Report | None = None,
) -> tuple[Audio, BounceReport]:
    """Bounce a track from song position 0, as the plugin would in a host that draws the same lanes.

    Args:
        session: an open engine session.
        audio: [2, n] float32, finite, n >= 1: the track, and in source mode Learn the source.
        rate: samples per second, 16000 .. 384000.
        document: state document or preset.
        automation: lanes at the same rate.
        tempo: what a host would say of the beat at song position 0: prompts and regions may follow it.
        store: where the source of mode File, references and takes are found.
        report: called with the share done, 0 .. 1.

    Returns:
        [2, n] float32 and the report.

    Raises:
        StateError: audio, rate or document is not valid.
        ContentError: the source of mode File is missing.
        engine.EngineError: the engine refuses the material.
    """
    document = document if isinstance(document, Document) else Document(document)
    automation = automation or Automation()
    _check(audio, rate)
    values = {row.key: automation.value_at_start(row.key, document.parameter(row.key)) for row in TABLE}
    mode = round(values["source_mode"])
    sources = Sources(store or ContentStore())
    sources.hold(sources.find(document, {}))
    source = canonical(audio, 0, rate) if mode == LEARN else sources.current(mode)
    wet, span, generations = np.zeros_like(audio), (0, 0), 0
    if source is not None or mode == NONE:
        references = References(sources.get("timbre"), sources.get("structure"))
        takes = takes_of(sources.get)
        learned = audio if mode == LEARN else None
        run = _pass(Preparer(session), document, source, references, takes, learned, rate, values, tempo)
        wet, span, generations = _render(run, audio.shape[1], automation, report)
    out = render_output(audio, wet, span, rate, _output_lanes(values, automation))
    digest = sha256(np.ascontiguousarray(out.T, "<f4").tobytes()).hexdigest()
    start, end = span[0], min(span[1], audio.shape[1])
    name = "" if source is None else source.hash
    samples = audio.shape[1]
    return out, BounceReport(
        session.checkpoint.id,
        rate,
        samples,
        generations > 0,
        start,
        end,
        generations,
        name,
        digest,
        session.claim,
        sorted(sources.missing.keys() - {"learned", "file"}),
    )


def _check(audio: Audio, rate: int) -> None:
    if audio.dtype != np.float32 or audio.ndim != 2 or audio.shape[0] != 2 or audio.shape[1] < 1:
        raise StateError(f"audio is {audio.dtype}{list(audio.shape)}.", "Give float32 [2, n], n at least 1.")
    if not np.isfinite(audio).all():
        raise StateError("audio has samples that are not finite.", "Repair the file.")
    if not MIN_RATE <= rate <= MAX_RATE:
        raise StateError(f"rate is {rate}.", f"Use a rate from {MIN_RATE} to {MAX_RATE}.")


def _pass(
    preparer: Preparer,
    document: Document,
    source: SourceAudio | None,
    references: References,
    takes: Takes,
    learned: Audio | None,
    rate: int,
    values: Mapping[str, float],
    tempo: Tempo,
) -> Pass:
    latency = round(document.fields.look_ahead * rate)
    if latency == 0:
        score = replace(score_of(preparer, document, source, references, tempo=tempo, rate=rate), takes=takes)
        return Pass(preparer.session, score, rate, 0, values)
    course = span_course(0, latency, rate, None if source is None or learned is not None else source.region)
    captured = None if learned is None else Captured(0)
    known = source if learned is None else None
    ahead = ahead_score_of(preparer, document, course, known, captured, references, tempo=tempo, rate=rate)
    score = replace(ahead, takes=takes)
    run = LookAheadPass(preparer.session, score, rate, 0, values, latency=latency)
    if learned is not None:
        run.hear(0, learned.shape[1], learned)
    return run


def _render(
    run: Pass, samples: int, automation: Automation, report: Report | None
) -> tuple[Audio, tuple[int, int], int]:
    wet = np.zeros((2, samples + AHEAD), np.float32)
    heard: set[int] = set()
    start, end = max(run.span[0], 0), min(run.span[1], samples)
    for key, point in automation.in_order():
        run.point(key, point.sample, point.value, ramp=point.ramp)
    run.cover(samples)
    run.end()
    try:
        while start < end and (step := run.advance()) not in (Progress.WAITING, Progress.DONE):
            if isinstance(step, Run):
                heard.add(step.generation)
                _place(wet, step)
                if report is not None:
                    report(min(max((step.start + step.audio.shape[1]) / end, 0.0), 1.0))
    finally:
        run.close()
    return wet, (start, max(min(run.span[1], samples + AHEAD), start)), len(heard)


def _place(wet: Audio, run: Run) -> None:
    low, high = max(run.start, 0), min(run.start + run.audio.shape[1], wet.shape[1])
    if low < high:
        wet[:, low:high] = run.audio[:, low - run.start : high - run.start]


def _output_lanes(values: Mapping[str, float], automation: Automation) -> dict[str, Lane]:
    lanes = {row.key: Lane(0, values[row.key]) for row in TABLE if row.target == "output"}
    for key, lane in lanes.items():
        for point in automation.lanes.get(key, []):
            lane.add(point.sample, point.value, ramp=point.ramp)
    return lanes
