"""The timbre reference in the prompt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.text.embedding import TextEmbedding
from engine.text.timbre import reference

SILENCE = np.random.default_rng(0).normal(size=(750, 64)).astype(np.float32)


@given(st.integers(1, 2000))
def test_a_reference_is_its_beginning_its_middle_and_its_end_round_and_round(frames: int):
    latent = np.repeat(np.arange(frames, dtype=np.float32)[:, None], 64, axis=1)
    heard = reference(latent, 1.0, SILENCE)
    assert heard.shape == (750, 64)
    total = frames if frames >= 750 else -(-750 // frames) * frames
    expected = [*range(250), *range(total // 3, total // 3 + 250), *range(total - 250, total)]
    np.testing.assert_array_equal(heard[:, 0], np.array(expected) % frames)


def test_strength_goes_from_silence_to_the_reference_exactly():
    latent = -SILENCE[::-1]
    assert reference(latent, 0.0, SILENCE).tobytes() == SILENCE.tobytes()
    assert reference(latent, 1.0, SILENCE).tobytes() == np.ascontiguousarray(latent).tobytes()
    half = 0.5 * (SILENCE.astype(np.float64) + latent)
    np.testing.assert_allclose(reference(latent, 0.5, SILENCE), half, atol=1e-6)


def test_no_reference_and_strength_zero_are_the_same_prompt(session: engine.Session, source: engine.Source):
    plain = session.encode_text("house", duration=10.0)
    silent = session.encode_text("house", duration=10.0, timbre=source, timbre_strength=0.0)
    assert silent.states.tobytes() == plain.states.tobytes()


def test_a_source_and_its_latent_are_the_same_reference(session: engine.Session, source: engine.Source):
    a = session.encode_text("house", duration=10.0, timbre=source)
    b = session.encode_text("house", duration=10.0, timbre=source.latent)
    assert a.states.tobytes() == b.states.tobytes()
    half = session.encode_text("house", duration=10.0, timbre=source, timbre_strength=0.5)
    assert half.states.tobytes() != a.states.tobytes()


def test_every_key_of_the_grammar_is_accepted(session: engine.Session):
    for key in ("C major", "F# minor", "Bb minor", "A♭ major", "D♯ minor", "", None):
        session.encode_text("house", duration=10.0, key=key)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan"), True])
def test_a_strength_outside_its_range_is_refused_even_without_a_reference(strength: float):
    with pytest.raises(engine.RequestError, match="timbre_strength"):
        reference(None, strength, SILENCE)


def test_an_embedded_prompt_takes_any_timbre_and_another_checkpoints_is_refused(
    session: engine.Session, source: engine.Source
):
    embedding = session.embed_text("dub techno", duration=4.0, lyrics="la la", bpm=120)
    for timbre, strength in ((None, 1.0), (source, 0.5)):
        joined = session.condition_text(embedding, timbre=timbre, timbre_strength=strength)
        at_once = session.encode_text(
            "dub techno", duration=4.0, lyrics="la la", bpm=120, timbre=timbre, timbre_strength=strength
        )
        np.testing.assert_array_equal(joined.states, at_once.states)
    with pytest.raises(engine.RequestError, match="wide as this checkpoint needs"):
        session.condition_text(TextEmbedding(prompt=np.ones((2, 3)), lyrics=np.ones((1, 3))))
