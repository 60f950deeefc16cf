"""Streaming is one-shot generation, bit for bit, and its controls do what they are called."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lora_files import STYLES, factors, write
from moves import FRAMES, Leaky, Move, any_moves, differing, every_kind, play
from random_requests import with_fields

import engine
from engine.stream.stream import Stream


@pytest.fixture(scope="module")
def small_source(session: engine.Session) -> engine.Source:
    rng = np.random.default_rng(3)
    return session.prepare_source(rng.uniform(-0.4, 0.4, (2, FRAMES * 1920)).astype(np.float32))


@pytest.fixture(scope="module")
def small_lora(session: engine.Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("loras") / "grain.safetensors"
    (info,) = session.loras.register(write(path, STYLES["peft"](factors(rank=2))))
    yield info.name
    session.loras.forget(info.name)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_streamed_latent_is_the_one_shot_latent_bit_for_bit(
    session: engine.Session,
    prompt: engine.Conditioning,
    prompt_b: engine.Conditioning,
    small_source: engine.Source,
    small_lora: str,
    data: st.DataObject,
):
    short = engine.Conditioning(states=prompt.states[:7], mask=prompt.mask[:7])
    moves = data.draw(any_moves([prompt, prompt_b, short], small_source, small_lora))
    session.loras.disable(small_lora)
    stream = session.open_stream(FRAMES, data.draw(st.integers(1, 8)))
    results = play(stream, moves, session.loras, small_lora)
    session.loras.disable(small_lora)  # what it was is in the changes
    assert differing(session, results) == []


@pytest.mark.parametrize("order", range(4))
def test_every_control_beside_every_other_changes_no_bit(
    session: engine.Session,
    prompt: engine.Conditioning,
    prompt_b: engine.Conditioning,
    small_source: engine.Source,
    small_lora: str,
    order: int,
):
    kinds = every_kind(small_source, prompt_b, small_lora)
    rng = np.random.default_rng(order)
    moves = [
        Move(
            request=with_fields(
                engine.Request(conditioning=prompt, frames=FRAMES, seed=int(kind), steps=8), kinds[kind]
            )
        )
        for kind in rng.permutation(len(kinds))
    ]
    results = play(session.open_stream(FRAMES, 8), moves)
    assert len(results) == len(kinds)  # each was admitted in its tick, so eight at a time were in flight
    assert differing(session, results) == []


def test_the_comparison_notices_a_backend_whose_rows_depend_on_each_other(
    session: engine.Session, prompt: engine.Conditioning
):
    requests = [engine.Request(conditioning=prompt, frames=FRAMES, seed=seed, steps=4) for seed in range(3)]
    leaky = Leaky(session.backend)
    stream = Stream(leaky, session.empty_latent(FRAMES), 4, session.checkpoint.conditioning_width)
    assert differing(session, play(stream, [Move(request=request) for request in requests]))


def test_blend_endpoints_are_exactly_one_prompt(
    session: engine.Session, prompt: engine.Conditioning, prompt_b: engine.Conditioning
):
    def made(**fields: object) -> bytes:
        request = engine.Request(conditioning=prompt, frames=FRAMES, steps=3, seed=9)
        return session.generate(replace(request, **fields)).tobytes()  # type: ignore[arg-type]

    assert made(conditioning_b=prompt_b, prompt_blend=0.0) == made()
    assert made(conditioning_b=prompt_b, prompt_blend=np.ones(7)) == made(conditioning=prompt_b)
    half = made(conditioning_b=prompt_b, prompt_blend=0.5)
    assert half not in {made(), made(conditioning=prompt_b)}


def test_curves_act_on_their_own_frames(session: engine.Session, prompt: engine.Conditioning, source: engine.Source):
    still = np.ones(60, np.float32)
    still[:30] = 0.0  # no velocity: these frames stay what they started as
    request = engine.Request(
        conditioning=prompt, source=source, frames=60, denoise=0.6, steps=2, velocity_scale=still, seed=4
    )
    scaled = session.generate(request)
    from engine.step.noise import normal
    from engine.step.schedule import times

    t = times(2, 3.0, 0.6)[0]
    start = t * normal(4, 0, 60) + (np.float32(1) - t) * source.latent
    np.testing.assert_allclose(scaled[:30], start[:30], atol=1e-6)
    assert np.abs(scaled[30:] - start[30:]).max() > 0.1


def test_hint_strength_zero_is_the_context_of_no_source(
    session: engine.Session, prompt: engine.Conditioning, source: engine.Source
):
    request = engine.Request(conditioning=prompt, frames=60, steps=2, seed=1)
    without = session.generate(request)
    np.testing.assert_array_equal(session.generate(replace(request, source=source, hint_strength=0.0)), without)
    assert not np.array_equal(session.generate(replace(request, source=source)), without)


def test_denoise_moves_away_from_the_source_monotonically(
    session: engine.Session, prompt: engine.Conditioning, source: engine.Source
):
    request = engine.Request(conditioning=prompt, source=source, frames=60, seed=2)
    distances = [
        float(np.abs(session.generate(replace(request, denoise=d)) - source.latent).mean())
        for d in (0.0, 0.1, 0.3, 0.6, 1.0)
    ]
    assert distances == sorted(distances)
