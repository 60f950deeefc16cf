"""Several prompts in one generation: whose velocity a frame takes, and what it costs."""

from dataclasses import replace

import numpy as np
import pytest
from step_reference import Recording

import engine
from engine.stream.stream import Stream

FRAMES = 30
HALVES = np.repeat([1.0, 0.0], FRAMES // 2)


@pytest.fixture(scope="module")
def base(prompt: engine.Conditioning) -> engine.Request:
    return engine.Request(conditioning=prompt, frames=FRAMES, steps=4, seed=3)


def _forwards(session: engine.Session, request: engine.Request) -> int:
    backend = Recording(session.backend)
    stream = Stream(backend, session.empty_latent(FRAMES), 1, session.checkpoint.conditioning_width)
    stream.submit(request)
    assert stream.flush()[0].latent is not None
    return len(backend.calls)


@pytest.mark.parametrize(
    ("fields", "forwards"),
    [
        ({"weight": 1.0}, 8),
        ({"weight": np.zeros(3)}, 4),  # the primary has no say
        ({"weight": 0.0, "other": np.zeros(3)}, 0),  # nobody has: frozen
        ({"other": 0.0}, 4),
        ({"condition_steps": (0.0, 0.5)}, 6),
        ({"condition_steps": (0.0, 0.25), "steps": (0.25, 1.0)}, 4),
        ({"condition_steps": (0.0, 0.25), "steps": (0.75, 1.0)}, 4),  # in between nobody is active: the primary
    ],
)
def test_a_prompt_costs_a_forward_exactly_where_it_counts(
    session: engine.Session, base: engine.Request, prompt_b: engine.Conditioning, fields: dict, forwards: int
):
    given = dict(fields)
    other = engine.Condition(
        conditioning=prompt_b, weight=given.pop("other", 1.0), steps=given.pop("steps", (0.0, 1.0))
    )
    assert _forwards(session, replace(base, conditions=[other], **given)) == forwards


def test_a_frame_where_one_prompt_has_weight_takes_exactly_its_velocity(
    session: engine.Session, base: engine.Request, prompt_b: engine.Conditioning
):
    def step(**fields: object) -> np.ndarray:
        return session.generate(replace(base, steps=1, **fields))  # type: ignore[arg-type]

    split = step(weight=3.0 * HALVES, conditions=[engine.Condition(conditioning=prompt_b, weight=0.1 * (1.0 - HALVES))])
    np.testing.assert_array_equal(split[:15], step()[:15])
    np.testing.assert_array_equal(split[15:], step(conditioning=prompt_b)[15:])


def test_frames_without_any_weight_stay_as_they_started(
    session: engine.Session, base: engine.Request, prompt_b: engine.Conditioning
):
    still = replace(base, weight=HALVES, conditions=[engine.Condition(conditioning=prompt_b, weight=HALVES)])
    made = session.generate(still)
    np.testing.assert_array_equal(made[15:], session.generate(replace(still, velocity_scale=0.0))[15:])
    assert np.abs(made[:15] - session.generate(replace(still, velocity_scale=0.0))[:15]).max() > 0.1


def test_one_active_prompt_counts_in_full_whatever_it_weighs(
    session: engine.Session, base: engine.Request, prompt_b: engine.Conditioning
):
    taken_over = replace(
        base,
        condition_steps=(0.0, 0.0),
        conditions=[engine.Condition(conditioning=prompt_b, weight=HALVES * 0.1)],
    )
    assert session.generate(taken_over).tobytes() == session.generate(replace(base, conditioning=prompt_b)).tobytes()


def test_a_blend_is_two_conditions_of_complementary_weight(
    session: engine.Session, base: engine.Request, prompt_b: engine.Conditioning
):
    share = np.linspace(0.0, 1.0, FRAMES, dtype=np.float32)
    blended = replace(base, conditioning_b=prompt_b, prompt_blend=share)
    spelled = replace(
        base, weight=np.float32(1.0) - share, conditions=[engine.Condition(conditioning=prompt_b, weight=share)]
    )
    assert session.generate(blended).tobytes() == session.generate(spelled).tobytes()


def test_negative_conditions_are_composited_by_the_same_rule(
    session: engine.Session, base: engine.Request, prompt_b: engine.Conditioning
):
    guided = replace(base, guidance=3.0, negative=prompt_b)
    one = replace(guided, negative=[engine.Condition(conditioning=prompt_b, weight=0.2)])
    assert session.generate(one).tobytes() == session.generate(guided).tobytes()
    two = replace(guided, negative=[*one.negative, engine.Condition(conditioning=base.conditioning)])  # type: ignore[misc]
    assert session.generate(two).tobytes() != session.generate(guided).tobytes()
    assert _forwards(session, two) == 12
