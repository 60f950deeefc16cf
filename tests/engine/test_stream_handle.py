"""A handle keeps one request going while it is changed."""

from dataclasses import replace

import numpy as np
import pytest

import engine

FRAMES = 60


@pytest.fixture
def request_(prompt: engine.Conditioning) -> engine.Request:
    return engine.Request(conditioning=prompt, frames=FRAMES, steps=2, seed=1)


def test_every_tick_submits_the_request_as_it_is_then(session: engine.Session, request_: engine.Request):
    with session.stream(request_, depth=2) as handle:
        done = handle.tick() + handle.tick()
        handle.request = replace(handle.request, seed=9, velocity_scale=1.1)
        done += handle.tick() + handle.flush()
    expected = [session.generate(replace(request_, seed=1))] * 2
    expected.append(session.generate(replace(request_, seed=9, velocity_scale=1.1)))
    assert [finished.request_id for finished in done] == [1, 2, 3]
    for finished, latent in zip(done, expected, strict=True):
        assert finished.latent is not None
        assert finished.latent.tobytes() == latent.tobytes()


def test_changes_of_one_tick_are_gone_at_the_next(session: engine.Session, request_: engine.Request):
    with session.stream(request_, depth=2) as handle:
        done = handle.tick(seed=4) + handle.tick() + handle.flush()
        assert handle.request is request_
    for finished, seed in zip(done, (4, 1), strict=True):
        assert finished.latent is not None
        assert finished.latent.tobytes() == session.generate(replace(request_, seed=seed)).tobytes()


def test_shared_curves_and_depth_reach_the_stream_before_its_first_tick(
    session: engine.Session, request_: engine.Request
):
    with session.stream(request_, depth=1) as handle:
        handle.set_shared("velocity_scale", 1.2)
        handle.set_depth(2)
        assert handle.stats().depth == 2
        done = handle.tick() + handle.flush()
    assert done[0].latent is not None
    assert done[0].latent.tobytes() == session.generate(replace(request_, velocity_scale=1.2)).tobytes()


def test_a_bad_change_submits_nothing_and_takes_no_step(session: engine.Session, request_: engine.Request):
    with session.stream(request_) as handle:
        for bad in ({"sede": 3}, {"seed": -1}, {"frames": 90}):
            with pytest.raises(engine.RequestError, match=next(iter(bad))):
                handle.tick(**bad)
        assert handle.stats().submitted == handle.stats().ticks == 0


def test_a_bad_first_request_is_refused_when_the_handle_is_made(session: engine.Session, request_: engine.Request):
    with pytest.raises(engine.RequestError, match="steps"):
        session.stream(replace(request_, steps=0))


def test_a_closed_handle_says_so(session: engine.Session, request_: engine.Request):
    handle = session.stream(request_)
    handle.close()
    handle.close()
    with pytest.raises(engine.EngineError, match="closed"):
        handle.tick()


def test_a_handle_decodes_what_its_session_decodes(session: engine.Session, request_: engine.Request):
    latent = session.generate(request_)
    with session.stream(request_) as handle:
        np.testing.assert_array_equal(handle.decode(latent, 50, 12, cyclic=True), session.decode(latent, 50, 12, True))
