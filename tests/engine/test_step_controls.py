"""Every control of the step against its formula, and its neutral value against its absence."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_requests import controls, with_fields
from step_reference import contexts, expected, recorded

import engine
from engine.step.schedule import times

FRAMES = 30
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def base(session: engine.Session, prompt: engine.Conditioning) -> engine.Request:
    audio = np.random.default_rng(3).uniform(-0.4, 0.4, (2, FRAMES * 1920)).astype(np.float32)
    encoded = session.prepare_source(audio)
    latent = encoded.latent.copy()
    latent[0, ::2] = -0.0  # a value that arithmetic does not always bring back
    source = engine.Source(latent=latent, hints=encoded.hints)
    return engine.Request(conditioning=prompt, source=source, frames=FRAMES, steps=4, seed=11)


@pytest.fixture(scope="module")
def null(session: engine.Session, prompt: engine.Conditioning) -> engine.Conditioning:
    return session.null_conditioning(prompt)


ALIEN = engine.Conditioning(states=np.full((5, 128), 0.5, np.float32), mask=np.ones(5, bool))
TARGET = np.random.default_rng(4).standard_normal((FRAMES, 64)).astype(np.float32)

scheduled = st.fixed_dictionaries(
    {
        "steps": st.integers(1, 5),
        "denoise": st.one_of(st.just(1.0), st.floats(0.05, 0.99)),
        "shift": st.sampled_from([1.0, 3.0]),
        "seed": st.integers(0, 2**64 - 1),
        "velocity_scale": st.sampled_from([1.0, np.array([0.5, 1.5])]),
    }
)
timed = st.fixed_dictionaries(
    {
        "timesteps": st.sampled_from([[1.0, 0.7, 0.65], [0.8, 0.1, 0.0], (0.5,)]),
        "denoise": st.just(1.0),
        "seed": st.integers(0, 2**64 - 1),
        "noise_start": st.integers(0, 2**20),
    }
)
timing = scheduled | timed


def _agrees(session: engine.Session, request: engine.Request) -> None:
    latent, calls = recorded(session, request)
    read, final = expected(request, [velocity for _, velocity in calls])
    for (seen, _), wanted in zip(calls, read, strict=True):
        np.testing.assert_allclose(seen, wanted, atol=5e-5)
    np.testing.assert_allclose(latent, final, atol=5e-5)


@SLOW
@given(when=timing, data=st.data())
def test_every_combination_of_controls_is_the_float64_formula(
    session: engine.Session,
    base: engine.Request,
    null: engine.Conditioning,
    when: dict[str, object],
    data: st.DataObject,
):
    _agrees(session, with_fields(base, when | data.draw(controls(TARGET, null))))


WAVE = np.sin(np.arange(FRAMES)) * 0.5 + 0.5


@pytest.mark.parametrize(
    "fields",
    [
        {"solver": "sde"},
        {"sde_denoise": WAVE},
        {"ode_noise": WAVE},
        {"initial_noise": WAVE},
        {"x0_target": TARGET, "x0_strength": WAVE},
        {"x0_target": TARGET, "x0_curve": WAVE, "x0_gate": 0.3},
        {"mask": WAVE},
        {"mask": WAVE, "mask_strength": [0.2, 1.0]},
        {"mask": WAVE, "solver": "sde"},
        {"mask": WAVE, "sde_denoise": WAVE, "dcw": engine.Dcw(scaler=0.3)},
        {"channel_gain": np.linspace(0.5, 1.5, 64)},
        {"dcw": engine.Dcw()},
        {"dcw": engine.Dcw(mode="low", scaler=WAVE)},
        {"dcw": engine.Dcw(mode="high", scaler=WAVE)},
        {"dcw": engine.Dcw(mode="pix", scaler=0.1)},
        {"conditioning_b": ALIEN, "prompt_blend": WAVE},
        {"conditions": [engine.Condition(conditioning=ALIEN, weight=WAVE)], "weight": np.r_[np.zeros(9), np.ones(9)]},
        {"conditions": [engine.Condition(conditioning=ALIEN, steps=(0.5, 1.0))], "condition_steps": (0.0, 0.5)},
        {"timesteps": [0.9, 0.4, 0.35], "denoise": 1.0},
        {"noise_start": 5},
    ],
    ids="-".join,
)
def test_each_control_alone_is_its_formula_and_changes_the_result(
    session: engine.Session, base: engine.Request, fields: dict[str, object]
):
    _agrees(session, with_fields(base, {"denoise": 0.7} | fields))
    without = session.generate(with_fields(base, {"denoise": 0.7}))
    assert not np.array_equal(session.generate(with_fields(base, {"denoise": 0.7} | fields)), without)


NEUTRAL = {
    "conditions": {"conditions": (), "weight": 0.3},
    "weightless_condition": {"conditions": [engine.Condition(conditioning=ALIEN, weight=np.zeros(4))]},
    "condition_of_no_step": {"conditions": [engine.Condition(conditioning=ALIEN, steps=(0.4, 0.4))]},
    "prompt_blend": {"conditioning_b": ALIEN, "prompt_blend": np.zeros(3)},
    "only_prompt_at_no_step": {"condition_steps": (1.0, 1.0)},
    "chunk_mask": {"chunk_mask": np.ones(4)},
    "apg": {"apg_eta": 1.0, "apg_norm_threshold": 0.1},
    "loras": {"loras": {}},
    "ode_noise": {"ode_noise": np.zeros(7)},
    "x0_strength": {"x0_target": TARGET, "x0_strength": 0.0},
    "x0_curve": {"x0_target": TARGET, "x0_curve": np.zeros(3)},
    "x0_gate": {"x0_target": TARGET, "x0_curve": 1.0, "x0_gate": 1.0},
    "mask": {"mask": np.ones(5), "mask_strength": [1.0, 1.0, 1.0]},
    "channel_gain": {"channel_gain": np.ones((FRAMES, 64), np.float32)},
    "dcw": {"dcw": engine.Dcw(scaler=0.0, high_scaler=np.zeros(4))},
    "dcw_low": {"dcw": engine.Dcw(mode="low", scaler=0.0, high_scaler=1.0)},
    "guidance": {"guidance": np.ones(3), "guidance_mode": "self", "cfg_rescale": 1.0},
    "cfg_without_guidance": {"cfg_rescale": 1.0, "apg_momentum": 0.5},
}


@SLOW
@given(when=timing, name=st.sampled_from(sorted(NEUTRAL)), solver=st.sampled_from(["ode", "sde"]))
def test_a_neutral_value_is_absent_bit_for_bit(
    session: engine.Session, base: engine.Request, when: dict[str, object], name: str, solver: str
):
    plain = with_fields(base, when | {"solver": solver})
    neutral = with_fields(plain, NEUTRAL[name])
    assert session.generate(neutral).tobytes() == session.generate(plain).tobytes()


@SLOW
@given(when=scheduled)
def test_the_ends_of_a_mix_are_what_they_mix_bit_for_bit(
    session: engine.Session, base: engine.Request, when: dict[str, object]
):
    whole = with_fields(base, when | {"denoise": 1.0})
    assert session.generate(with_fields(whole, {"initial_noise": 1.0})).tobytes() == session.generate(whole).tobytes()
    random = with_fields(base, when | {"solver": "sde"})
    curved = with_fields(base, when | {"sde_denoise": np.ones(3)})
    assert session.generate(curved).tobytes() == session.generate(random).tobytes()


@SLOW
@given(when=timing, data=st.data())
def test_preserved_frames_come_back_bit_for_bit_whatever_else_is_asked_for(
    session: engine.Session,
    base: engine.Request,
    null: engine.Conditioning,
    when: dict[str, object],
    data: st.DataObject,
):
    fields = data.draw(controls(TARGET, null))
    mask = np.r_[np.zeros(10), np.linspace(0, 1, 10), np.ones(10)]
    assert base.source is not None
    latent = session.generate(with_fields(base, when | fields | {"mask": mask}))
    assert latent[:11].tobytes() == base.source.latent[:11].tobytes()
    generated = session.generate(with_fields(base, {"mask": mask}))
    assert np.abs(generated[20:] - base.source.latent[20:]).max() > 0.1


@pytest.mark.parametrize("with_source", [True, False])
def test_the_context_is_hints_over_silence_beside_the_chunk_mask(
    session: engine.Session, base: engine.Request, with_source: bool
):
    given = with_fields(base, {"source": base.source if with_source else None, "steps": 1})
    span = np.repeat([0.0, 1.0, 0.25], 10)
    asked = with_fields(given, {"hints": TARGET, "hint_strength": WAVE, "chunk_mask": span})
    silence = session.empty_latent(FRAMES).astype(np.float64)
    (seen,) = contexts(session, asked)
    wanted = np.hstack([WAVE[:, None] * TARGET + (1 - WAVE[:, None]) * silence, np.repeat(span[:, None], 64, axis=1)])
    np.testing.assert_allclose(seen, wanted, atol=1e-6)
    (whole,) = contexts(session, with_fields(given, {"hints": TARGET}))
    np.testing.assert_array_equal(whole, np.hstack([TARGET, np.ones((FRAMES, 64))]))


def test_hints_and_chunk_mask_left_out_are_the_source_s_and_all_ones_bit_for_bit(
    session: engine.Session, base: engine.Request
):
    assert base.source is not None
    spelled = with_fields(base, {"hints": base.source.hints, "chunk_mask": np.ones(3)})
    assert session.generate(spelled).tobytes() == session.generate(base).tobytes()
    assert session.generate(with_fields(base, {"hints": TARGET})).tobytes() != session.generate(base).tobytes()


def test_explicit_times_are_the_schedule_bit_for_bit(session: engine.Session, base: engine.Request):
    partial = with_fields(base, {"denoise": 0.6, "steps": 3})
    given = [float(t) for t in times(3, 3.0, 0.6)]
    for spelled in (given, given[:-1]):
        timed = with_fields(base, {"timesteps": spelled, "steps": 64, "shift": 7.0})
        assert session.generate(timed).tobytes() == session.generate(partial).tobytes()


def test_an_x0_target_at_full_strength_is_the_result(session: engine.Session, base: engine.Request):
    full = with_fields(base, {"x0_target": TARGET, "x0_strength": 1.0, "ode_noise": 0.5})
    np.testing.assert_array_equal(session.generate(full), TARGET)


def test_gains_of_groups_that_meet_multiply():
    gain = engine.channel_gain({"g1": 1.5, "ch13": np.array([1.0, 2.0]), "ch14": 1.005, "g7": 0.0}, FRAMES)
    assert gain.shape == (FRAMES, 64)
    assert np.all(gain[:, :8] == 1.0)
    assert np.all(gain[:, [8, 15]] == 1.5)
    np.testing.assert_allclose(gain[[0, -1], 13], [1.5, 3.0])
    np.testing.assert_allclose(gain[:, 14], 1.5 * 1.005, rtol=1e-6)  # no dead zone around 1
    assert not gain[:, 56:].any()


@pytest.mark.parametrize("mode", ["full", "initialize", "self"])
@pytest.mark.parametrize("extra", [{}, {"cfg_rescale": WAVE}, {"guidance_interval": (0.1, 0.5)}], ids="-".join)
def test_each_guidance_mode_is_its_formula_and_costs_the_forwards_it_says(
    session: engine.Session, base: engine.Request, null: engine.Conditioning, mode: str, extra: dict[str, object]
):
    fields = {"guidance": WAVE * 4, "guidance_mode": mode, "negative": null} | extra
    request = with_fields(base, fields | {"shift": 1.0})
    _agrees(session, request)
    guided = 2 if "guidance_interval" in extra else 4  # 1 - t is 0, 0.25, 0.5, 0.75
    _, calls = recorded(session, request)
    assert len(calls) == 4 + {"full": guided, "initialize": 1, "self": 0}[mode]


def test_guidance_of_one_is_exactly_the_prompt_alone(
    session: engine.Session, base: engine.Request, null: engine.Conditioning
):
    one = with_fields(base, {"guidance": np.ones(FRAMES), "negative": null})
    assert session.generate(one).tobytes() == session.generate(base).tobytes()
    assert session.generate(with_fields(one, {"guidance": 3.0})).tobytes() != session.generate(base).tobytes()


def test_the_null_conditioning_is_the_learned_row_as_often_as_the_prompt_has_rows(
    session: engine.Session, prompt: engine.Conditioning, null: engine.Conditioning
):
    assert null.states.shape == prompt.states.shape
    assert np.ptp(null.states, axis=0).max() == 0.0
    assert null.states.any()
