"""Prompts that are mixed, against float64."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine

WIDTH = 8


@st.composite
def conditionings(draw: st.DrawFn) -> engine.Conditioning:
    rows = draw(st.integers(1, 6))
    mask = np.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)))
    mask[draw(st.integers(0, rows - 1))] = True
    states = np.random.default_rng(draw(st.integers(0, 99))).normal(size=(rows, WIDTH)).astype(np.float32)
    return engine.Conditioning(states=states, mask=mask)


def padded(conditioning: engine.Conditioning, rows: int) -> tuple[np.ndarray, np.ndarray]:
    missing = max(rows - len(conditioning.mask), 0)
    states = np.where(conditioning.mask[:, None], conditioning.states.astype(np.float64), 0.0)
    return (
        np.pad(states, ((0, missing), (0, 0)))[:rows],
        np.pad(conditioning.mask, (0, missing))[:rows],
    )


INSIDE = st.floats(0, 1, width=32, exclude_min=True, exclude_max=True)


@given(conditionings(), conditionings(), INSIDE)
def test_a_blend_is_the_weighted_mean_of_rows_filled_up_with_zeros(
    a: engine.Conditioning, b: engine.Conditioning, alpha: float
):
    rows = max(len(a.mask), len(b.mask))
    (first, first_mask), (second, second_mask) = padded(a, rows), padded(b, rows)
    blended = engine.blend_conditionings(a, b, alpha)
    np.testing.assert_allclose(blended.states, (1 - alpha) * first + alpha * second, atol=1e-6)
    np.testing.assert_array_equal(blended.mask, np.maximum(first_mask, second_mask))


@given(conditionings(), conditionings(), INSIDE)
def test_an_average_keeps_the_rows_of_the_first(a: engine.Conditioning, b: engine.Conditioning, weight: float):
    second, _ = padded(b, len(a.mask))
    averaged = engine.average_conditionings(a, b, weight)
    np.testing.assert_allclose(averaged.states, (1 - weight) * a.states.astype(np.float64) + weight * second, atol=1e-6)
    np.testing.assert_array_equal(averaged.mask, a.mask)


@given(conditionings(), conditionings())
def test_at_its_ends_a_blend_is_one_of_the_two(a: engine.Conditioning, b: engine.Conditioning):
    assert engine.blend_conditionings(a, b, 0.0) is a
    assert engine.blend_conditionings(a, b, 1.0) is b
    assert engine.average_conditionings(a, b, 0.0) is a


@pytest.mark.parametrize("mix", [engine.blend_conditionings, engine.average_conditionings])
def test_prompts_that_cannot_be_mixed_are_refused_by_name(mix: object):
    a, wide = (engine.Conditioning(states=np.ones((2, n), np.float32), mask=np.ones(2, bool)) for n in (4, 5))
    for field, arguments in {"b": (a, wide, 0.5), ("alpha", "weight"): (a, a, 1.01)}.items():
        with pytest.raises(engine.RequestError) as caught:
            mix(*arguments)  # type: ignore[operator]
        assert caught.value.field in field


def test_a_prompt_of_nothing_but_padding_is_refused():
    with pytest.raises(engine.RequestError, match="mask"):
        engine.Conditioning(states=np.ones((2, 4), np.float32), mask=np.zeros(2, bool))


def test_two_prompts_combine_to_the_weighted_mean_of_their_velocities(
    session: engine.Session, prompt: engine.Conditioning, prompt_b: engine.Conditioning
):
    weight = np.linspace(0, 1, 30, dtype=np.float32)
    a, b = engine.combine_conditionings(prompt, prompt_b, weight)
    combined = engine.Request(conditioning=a.conditioning, weight=a.weight, conditions=[b], frames=30, steps=3)
    blended = engine.Request(conditioning=prompt, conditioning_b=prompt_b, prompt_blend=weight, frames=30, steps=3)
    np.testing.assert_allclose(session.generate(combined), session.generate(blended), atol=1e-5)


def test_a_prompt_that_is_never_active_leaves_the_other_alone(
    session: engine.Session, prompt: engine.Conditioning, prompt_b: engine.Conditioning
):
    a, b = engine.combine_conditionings(prompt, prompt_b, 0.7, (1.0, 1.0))
    combined = engine.Request(conditioning=a.conditioning, weight=a.weight, conditions=[b], frames=30, steps=2)
    alone = engine.Request(conditioning=prompt, frames=30, steps=2)
    assert session.generate(combined).tobytes() == session.generate(alone).tobytes()


@pytest.mark.parametrize(("weight", "steps"), [(1.5, (0.0, 1.0)), (0.5, (0.6, 0.2)), (np.array([]), (0.0, 1.0))])
def test_a_combination_that_cannot_be_is_refused_by_name(
    prompt: engine.Conditioning, weight: engine.Curve, steps: tuple[float, float]
):
    with pytest.raises(engine.RequestError) as caught:
        engine.combine_conditionings(prompt, prompt, weight, steps)
    assert caught.value.field in {"weight_b", "steps_b"}
