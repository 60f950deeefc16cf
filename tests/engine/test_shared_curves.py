"""Curves that replace those of every slot in flight."""

from itertools import product

import numpy as np
import pytest
from random_requests import with_fields
from step_reference import Recording

import engine
from engine.stream.stream import Stream

FRAMES = 30
WAVE = np.sin(np.arange(FRAMES)) * 0.4 + 0.5
NAMES = ["velocity_scale", "sde_denoise", "ode_noise", "x0_strength", "guidance", "apg_momentum", "cfg_rescale"]


@pytest.fixture(scope="module")
def request_with_everything(session: engine.Session, prompt: engine.Conditioning) -> engine.Request:
    rng = np.random.default_rng(3)
    return engine.Request(
        conditioning=prompt,
        negative=session.null_conditioning(prompt),
        guidance=2.0,
        cfg_rescale=0.1,
        ode_noise=0.1,
        source=session.prepare_source(rng.uniform(-0.4, 0.4, (2, FRAMES * 1920)).astype(np.float32)),
        x0_target=rng.standard_normal((FRAMES, 64)).astype(np.float32),
        frames=FRAMES,
        steps=4,
        denoise=0.8,
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_shared_curve_is_the_same_curve_asked_for_and_none_reverts(
    session: engine.Session, request_with_everything: engine.Request, name: str
):
    request = request_with_everything
    stream = session.open_stream(FRAMES, depth=2)
    stream.set_shared(name, WAVE)
    stream.submit(request)
    (replaced,) = stream.flush()
    assert replaced.latent is not None
    own = session.generate(request).tobytes()
    assert replaced.latent.tobytes() == session.generate(with_fields(request, {name: WAVE})).tobytes()
    assert replaced.latent.tobytes() != own
    stream.set_shared(name, None)
    stream.submit(request)
    (reverted,) = stream.flush()
    assert reverted.latent is not None
    assert reverted.latent.tobytes() == own


def test_a_shared_curve_acts_on_every_slot_from_the_next_tick_until_it_is_taken_back(
    session: engine.Session, prompt: engine.Conditioning
):
    backend = Recording(session.backend)
    stream = Stream(backend, session.empty_latent(FRAMES), 4, session.checkpoint.conditioning_width)
    for seed in (1, 2):
        stream.submit(engine.Request(conditioning=prompt, frames=FRAMES, steps=4, seed=seed))
        stream.tick()
    stream.set_shared("velocity_scale", 0.0)  # nothing moves
    stream.tick()
    stream.set_shared("velocity_scale", None)
    stream.flush()
    # forwards: first slot alone, then both three times, then the second alone
    first, second = ([backend.calls[i][0] for i in rows] for rows in ((0, 1, 3, 5), (2, 4, 6, 7)))
    assert np.array_equal(first[2], first[3])
    assert np.array_equal(second[1], second[2])
    moved = [(first[0], first[1]), (first[1], first[2]), (second[0], second[1]), (second[2], second[3])]
    assert not any(np.array_equal(a, b) for a, b in moved)


def test_what_a_slot_was_not_admitted_for_it_stays_without(session: engine.Session, prompt: engine.Conditioning):
    request = engine.Request(conditioning=prompt, frames=FRAMES, steps=3)
    stream = session.open_stream(FRAMES)
    for name in ("sde_denoise", "x0_strength", "guidance", "apg_momentum", "cfg_rescale"):
        stream.set_shared(name, 0.5)
    stream.submit(request)
    (done,) = stream.flush()
    assert done.latent is not None
    assert done.latent.tobytes() == session.generate(request).tobytes()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *product(["denoise", "x0_strenght", ""], [0.5, None]),
        (3, 0.5),
        ("sde_denoise", 1.5),
        ("ode_noise", -1.0),
        ("x0_strength", []),
        ("guidance", np.nan),
        ("cfg_rescale", "full"),
        ("velocity_scale", np.zeros((2, 2))),
    ],
)
def test_a_bad_shared_curve_is_refused_and_changes_nothing(
    session: engine.Session, prompt: engine.Conditioning, name: str, value: object
):
    stream = session.open_stream(FRAMES)
    with pytest.raises(engine.RequestError) as caught:
        stream.set_shared(name, value)  # type: ignore[arg-type]
    assert caught.value.field in {"name", name}
    request = engine.Request(conditioning=prompt, frames=FRAMES, steps=1)
    stream.submit(request)
    assert stream.flush()[0].latent.tobytes() == session.generate(request).tobytes()  # type: ignore[union-attr]


def test_a_closed_stream_takes_no_shared_curve(session: engine.Session):
    stream = session.open_stream(FRAMES)
    stream.close()
    with pytest.raises(engine.EngineError, match="closed"):
        stream.set_shared("ode_noise", 0.5)
