"""Repainting a span of a source."""

from dataclasses import replace

import numpy as np
import pytest

import engine

FRAMES = 60


@pytest.fixture
def request_(session: engine.Session, source: engine.Source) -> engine.Request:
    prompt = session.encode_text("house, organ", task="repaint", duration=FRAMES / 25)
    return engine.Request(conditioning=prompt, source=source, frames=FRAMES, seed=3, steps=4)


def test_what_lies_outside_the_span_comes_back_bit_for_bit(
    session: engine.Session, request_: engine.Request, source: engine.Source
):
    latent = session.generate(session.repaint(request_, 20, 35))
    outside = np.r_[0:20, 35:FRAMES]
    assert latent[outside].tobytes() == source.latent[outside].tobytes()
    assert np.abs(latent[20:35] - source.latent[20:35]).max() > 0.1


def test_the_span_is_painted_without_hearing_what_was_there(
    session: engine.Session, request_: engine.Request, source: engine.Source
):
    other = source.latent.copy()
    other[20:35] += 1.0
    replaced = replace(request_, source=engine.Source(latent=other, hints=source.hints + 1.0))
    ours, theirs = (session.generate(session.repaint(asked, 20, 35)) for asked in (request_, replaced))
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize(("start", "end"), [(-1, 10), (10, 10), (20, 10), (0, 61), (0.5, 10)])
def test_a_span_outside_the_source_is_refused(
    session: engine.Session, request_: engine.Request, start: object, end: object
):
    with pytest.raises(engine.RequestError) as caught:
        session.repaint(request_, start, end)  # type: ignore[arg-type]
    assert caught.value.field in {"start", "end"}


def test_there_must_be_something_to_repaint(session: engine.Session, request_: engine.Request):
    with pytest.raises(engine.RequestError, match="source"):
        session.repaint(replace(request_, source=None), 0, 10)
