"""Which request is admitted in which tick, and which tick returns it."""

from dataclasses import replace

import numpy as np
import pytest
from moves import FRAMES, Leaky

import engine
from engine.stream.stream import Stream


def _ticks_to_finish(stream: Stream, requests: list[engine.Request | None]) -> list[list[int]]:
    out: list[list[int]] = []
    for request in requests:
        if request is not None:
            stream.submit(request)
        out.append([finished.request_id for finished in stream.tick()])
    return out


def test_n_steps_finish_in_the_nth_tick_and_the_newest_request_is_the_one_admitted(
    session: engine.Session, prompt: engine.Conditioning
):
    request = engine.Request(conditioning=prompt, frames=FRAMES, steps=4)
    finished = _ticks_to_finish(session.open_stream(FRAMES, depth=2), [request] * 10)
    # admitted in ticks 0, 2, 4, 6 as requests 1, 3, 5, 7; each returned three ticks later
    assert finished == [[], [], [], [1], [], [3], [], [5], [], [7]]


@pytest.mark.parametrize(
    ("steps", "depth", "spacing"), [(8, 1, 8), (8, 2, 4), (8, 3, 3), (8, 8, 1), (5, 2, 3), (3, 8, 1)]
)
def test_admissions_are_evenly_spaced(
    session: engine.Session, prompt: engine.Conditioning, source: engine.Source, steps: int, depth: int, spacing: int
):
    # denoise 0 takes its ticks without forwards
    request = engine.Request(conditioning=prompt, source=source, denoise=0.0, frames=60, steps=steps)
    finished = _ticks_to_finish(session.open_stream(60, depth), [request] * (steps + 4 * spacing))
    when = [tick for tick, ids in enumerate(finished) if ids]
    assert when[0] == steps - 1
    assert set(np.diff(when)) == {spacing}


def test_requests_that_end_in_the_same_tick_are_all_returned_in_it(
    session: engine.Session, prompt: engine.Conditioning
):
    long = engine.Request(conditioning=prompt, frames=FRAMES, steps=3)
    short = replace(long, steps=2)
    finished = _ticks_to_finish(session.open_stream(FRAMES, depth=8), [long, short, None])
    assert finished == [[], [], [1, 2]]


def test_denoise_zero_returns_the_source_bit_for_bit_at_its_regular_tick_without_a_forward(
    session: engine.Session, prompt: engine.Conditioning, source: engine.Source
):
    latent = source.latent.copy()
    latent[0, :2] = -0.0, 1e-42  # values that arithmetic would not bring back
    kept = engine.Source(latent=latent, hints=source.hints)
    calls = Leaky(session.backend)
    stream = Stream(calls, session.empty_latent(60), 2, session.checkpoint.conditioning_width)
    stream.submit(
        engine.Request(conditioning=prompt, source=kept, denoise=0.0, frames=60, steps=3, velocity_scale=1e30)
    )
    assert [len(stream.tick()) for _ in range(2)] == [0, 0]
    (done,) = stream.tick()
    assert done.latent is not None
    assert done.latent.tobytes() == kept.latent.tobytes()
    assert calls.calls == 0


def test_depth_changes_lose_nothing(session: engine.Session, prompt: engine.Conditioning, source: engine.Source):
    stream = session.open_stream(60, depth=4)
    request = engine.Request(conditioning=prompt, source=source, denoise=0.0, frames=60, steps=4)
    admitted = []
    for _ in range(3):
        admitted.append(stream.submit(request))
        stream.tick()
    stream.set_depth(1)
    late = stream.submit(request)
    assert [done.request_id for done in stream.flush()] == [*admitted, late]
    assert stream.stats().active == 0


def test_cancelled_and_superseded_requests_never_come_back(session: engine.Session, prompt: engine.Conditioning):
    stream = session.open_stream(FRAMES, depth=1)
    request = engine.Request(conditioning=prompt, frames=FRAMES, steps=2, tag=7, control_version=70)
    in_flight = stream.submit(request)
    stream.tick()
    superseded, waiting = stream.submit(request), stream.submit(request)
    assert stream.cancel(in_flight)
    assert not stream.cancel(in_flight)
    assert not stream.cancel(superseded)
    (done,) = stream.flush()
    assert (done.request_id, done.tag, done.control_version, done.generation) == (waiting, 7, 70, 1)
    stats = stream.stats()
    assert (stats.submitted, stats.superseded, stats.cancelled, stats.finished) == (3, 1, 1, 1)


def test_a_closed_stream_says_so(session: engine.Session, prompt: engine.Conditioning):
    stream = session.open_stream(FRAMES)
    stream.submit(engine.Request(conditioning=prompt, frames=FRAMES))
    stream.tick()
    stream.close()
    stream.close()
    with pytest.raises(engine.EngineError, match="closed"):
        stream.tick()
    assert stream.stats().active == 0
