"""The log of live changes, and the generations that it brings back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lora_files import STYLES, factors, write

import engine

FRAMES = 30


@pytest.fixture(scope="module")
def base(prompt: engine.Conditioning) -> engine.Request:
    return engine.Request(conditioning=prompt, frames=FRAMES, steps=4, seed=3)


@pytest.fixture
def grain(session: engine.Session, tmp_path: Path) -> Iterator[str]:
    (info,) = session.loras.register(write(tmp_path / "grain.safetensors", STYLES["peft"](factors(rank=2))))
    yield info.name
    session.loras.forget(info.name)


def _log(finished: engine.Finished) -> list[tuple[int, str, object]]:
    return [
        (c.step, c.name, c.value if c.value is None or np.ndim(c.value) == 0 else float(c.value[0]))
        for c in finished.changes
    ]


def test_a_log_says_what_acted_from_which_step_on_and_brings_the_latent_back(
    session: engine.Session, base: engine.Request
):
    stream = session.open_stream(FRAMES, 1)
    stream.set_shared("velocity_scale", 0.5)
    stream.set_shared("x0_strength", 1.0)  # means nothing to a request without a target
    stream.submit(base)
    stream.tick()
    stream.set_shared("velocity_scale", 9.0)  # taken back before anything saw it
    stream.set_shared("velocity_scale", 0.75)
    stream.set_shared("ode_noise", np.array([0.25, 1.0]))
    stream.tick()
    stream.set_shared("velocity_scale", None)
    (done,) = stream.flush()
    assert _log(done) == [
        (0, "velocity_scale", 0.5),
        (1, "ode_noise", 0.25),
        (1, "velocity_scale", 0.75),
        (2, "velocity_scale", None),
    ]
    curve = done.changes[1].value
    assert isinstance(curve, np.ndarray)
    assert curve.shape == (FRAMES,)
    assert not curve.flags.writeable
    assert done.latent is not None
    assert session.generate(base, changes=done.changes).tobytes() == done.latent.tobytes()
    assert session.generate(base).tobytes() != done.latent.tobytes()
    assert session.generate(base, changes=done.changes[:-1]).tobytes() != done.latent.tobytes()


def test_nothing_live_is_an_empty_log(session: engine.Session, base: engine.Request):
    stream = session.open_stream(FRAMES, 1)
    stream.set_shared("guidance", 3.0)  # this request has none
    stream.set_shared("dcw_scaler", 3.0)
    stream.submit(base)
    (done,) = stream.flush()
    assert done.changes == ()
    assert done.latent is not None
    assert done.latent.tobytes() == session.generate(base).tobytes()


def test_the_session_s_loras_are_read_at_every_step_and_logged(
    session: engine.Session, base: engine.Request, grain: str
):
    stream = session.open_stream(FRAMES, 1)
    session.loras.enable(grain, 0.5)
    stream.submit(base)
    stream.tick()
    session.loras.set_strength(grain, 1.0)
    stream.tick()
    session.loras.disable(grain)
    (done,) = stream.flush()
    name = f"lora:{grain}"
    assert _log(done) == [(0, name, 0.5), (1, name, 1.0), (2, name, None)]
    assert done.latent is not None
    without = session.generate(base).tobytes()
    assert done.latent.tobytes() != without
    session.loras.enable(grain, 0.9)  # does not act in a replay
    assert session.generate(base, changes=done.changes).tobytes() == done.latent.tobytes()
    assert session.generate(base, changes=()).tobytes() == without


def test_a_request_that_names_its_loras_is_deaf_to_the_session_s_but_not_to_a_shared_strength(
    session: engine.Session, base: engine.Request, grain: str
):
    named = replace(base, loras={grain: 0.5})
    expected = session.generate(named).tobytes()
    assert expected != session.generate(base).tobytes()
    session.loras.enable(grain, 1.0)
    assert session.generate(named).tobytes() == expected
    assert session.generate(replace(base, loras={})).tobytes() == session.generate(base, changes=()).tobytes()
    stream = session.open_stream(FRAMES, 1)
    stream.set_shared(f"lora:{grain}", 0.25)
    stream.submit(named)
    (done,) = stream.flush()
    assert _log(done) == [(0, f"lora:{grain}", 0.25)]
    assert done.latent is not None
    assert done.latent.tobytes() == session.generate(replace(base, loras={grain: 0.25})).tobytes()


@pytest.mark.parametrize("name", ["dcw_scaler", "dcw_high_scaler"])
def test_a_shared_dcw_scaler_is_the_request_s_own(session: engine.Session, base: engine.Request, name: str):
    wave = np.linspace(0.0, 0.4, FRAMES, dtype=np.float32)
    corrected = replace(base, dcw=engine.Dcw(), velocity_scale=0.8)
    stream = session.open_stream(FRAMES, 1)
    stream.set_shared(name, wave)
    stream.submit(corrected)
    (done,) = stream.flush()
    asked = replace(corrected, dcw=replace(engine.Dcw(), **{name.removeprefix("dcw_"): wave}))
    assert done.latent is not None
    assert done.latent.tobytes() == session.generate(asked).tobytes() != session.generate(corrected).tobytes()


def test_unknown_loras_are_refused_before_anything_changes(session: engine.Session, base: engine.Request):
    stream = session.open_stream(FRAMES, 1)
    with pytest.raises(engine.RequestError, match="not registered"):
        stream.submit(replace(base, loras={"nobody": 1.0}))
    with pytest.raises(engine.RequestError, match="not registered"):
        stream.set_shared("lora:nobody", 1.0)
    with pytest.raises(engine.RequestError, match="cannot be shared"):
        stream.set_shared("lora:", 1.0)
    stream.submit(base)
    assert stream.flush()[0].changes == ()


@pytest.mark.parametrize(
    "changes",
    [
        "velocity_scale",
        [("velocity_scale", 0, 1.0)],
        [engine.Change(step=-1, name="velocity_scale", value=None)],
        [engine.Change(step=0, name="seed", value=1.0)],
        [engine.Change(step=0, name="sde_denoise", value=2.0)],
        [engine.Change(step=0, name="lora:nobody", value=1.0)],
    ],
)
def test_a_bad_log_is_refused_by_name(session: engine.Session, base: engine.Request, changes: object):
    with pytest.raises(engine.RequestError):
        session.generate(base, changes=changes)  # type: ignore[arg-type]
