"""Spans, sources and windowed decodes."""

from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_oobleck import AutoencoderOobleck
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import engine
from engine.codec import spans
from engine.codec.codec import DECODE_MARGIN, ENCODE_MARGIN


def full(session: engine.Session, latent: np.ndarray) -> np.ndarray:
    return session.backend.vae_decode(torch.tensor(latent)[None])[0].numpy()


@pytest.mark.parametrize(("start", "frames"), [(0, 10), (0, 1), (20, 11), (31, 2), (49, 11), (59, 1), (0, 60)])
def test_a_window_is_the_whole_decode_at_its_place(
    session: engine.Session, latent: np.ndarray, start: int, frames: int
):
    window = session.decode(latent, start, frames)
    assert window.shape == (2, frames * 1920)
    assert window.dtype == np.float32
    assert window.flags.writeable
    whole = full(session, latent)[:, start * 1920 : (start + frames) * 1920]
    np.testing.assert_allclose(window, whole, atol=1e-5)
    assert np.abs(whole).max() > 1e-3


def test_windows_of_one_length_agree_bit_for_bit_where_they_overlap(session: engine.Session, latent: np.ndarray):
    starts = (0, 3, 10, 20, 25, 40, 49)  # at both edges the span is moved, not cut
    windows = {start: session.decode(latent, start, 11) for start in starts}
    for a in starts:
        for b in (b for b in starts if a < b < a + 11):
            shared = (a + 11 - b) * 1920
            np.testing.assert_array_equal(windows[a][:, -shared:], windows[b][:, :shared])


def test_decoding_everything_in_tiles_is_the_whole_decode(session: engine.Session, latent: np.ndarray):
    long = np.concatenate([latent, latent[::-1], latent])[:166]
    np.testing.assert_allclose(session.decode_all(long), full(session, long), atol=1e-5)


@given(st.integers(1, 400), st.integers(1, 100), st.integers(0, 12))
def test_tiles_cover_every_frame_once_at_one_length(total: int, frames: int, margin: int):
    parts = list(spans.tiles(total, frames, margin))
    covered = [f for part in parts for f in range(part.first + part.lead, part.first + part.lead + part.keep)]
    assert covered == list(range(total))
    assert len({part.length for part in parts}) == 1
    for part in parts:
        kept_end = part.lead + part.keep
        assert part.first >= 0
        assert part.first + part.length <= total
        assert part.lead >= margin or part.first == 0
        assert part.length - kept_end >= margin or part.first + part.length == total


@pytest.fixture(scope="module")
def full_kernels() -> Any:
    """The stock layer layout with every residual unit alive, narrow."""
    torch.manual_seed(0)
    return AutoencoderOobleck(
        encoder_hidden_size=8,
        downsampling_ratios=[2, 4, 4, 6, 10],
        channel_multiples=[1, 1, 1, 1, 1],
        decoder_channels=8,
        decoder_input_channels=4,
        sampling_rate=48_000,
    ).eval()


def test_the_decode_margin_covers_the_decoder_and_one_frame_less_does_not(full_kernels: Any):
    latent = torch.zeros(1, 4, 40)
    latent[:, :, 20] = float("nan")
    with torch.no_grad():
        hit = full_kernels.decode(latent).sample.isnan().any(1)[0].nonzero().flatten() // 1920
    assert 20 - int(hit.min()) == DECODE_MARGIN
    assert int(hit.max()) - 20 == DECODE_MARGIN


def test_the_encode_margin_covers_the_encoder_and_one_frame_less_does_not(full_kernels: Any):
    audio = torch.zeros(1, 2, 40 * 1920)
    audio[:, :, 20 * 1920 : 21 * 1920] = float("nan")
    with torch.no_grad():
        hit = full_kernels.encode(audio).latent_dist.mean.isnan().any(1)[0].nonzero().flatten()
    assert 20 - int(hit.min()) == ENCODE_MARGIN
    assert int(hit.max()) - 20 == ENCODE_MARGIN


def test_sources_are_deterministic_and_as_long_as_asked(session: engine.Session, audio: np.ndarray):
    a, b = session.prepare_source(audio), session.prepare_source(audio)
    np.testing.assert_array_equal(a.latent, b.latent)
    np.testing.assert_array_equal(a.hints, b.hints)
    assert a.frames == 60
    assert session.prepare_source(audio[:, : 50 * 1920 + 1]).frames == 60
    assert session.prepare_source(audio[:, :1]).frames == 30
    assert session.prepare_source(audio, frames=44).frames == 44


def test_missing_audio_is_silence_and_surplus_audio_is_not_used(session: engine.Session, audio: np.ndarray):
    padded = np.concatenate([audio, np.zeros((2, 20 * 1920), np.float32)], axis=1)
    np.testing.assert_array_equal(
        session.prepare_source(audio, frames=80).latent, session.prepare_source(padded).latent
    )
    np.testing.assert_array_equal(
        session.prepare_source(padded, frames=60).latent, session.prepare_source(audio).latent
    )


def test_a_source_encoded_in_spans_is_the_source_encoded_at_once(session: engine.Session):
    rng = np.random.default_rng(0)
    audio = rng.uniform(-0.5, 0.5, (2, 250 * 1920)).astype(np.float32)
    whole = session.backend.vae_encode(torch.tensor(audio)[None])[0].numpy()
    np.testing.assert_allclose(session.prepare_source(audio).latent, whole, atol=1e-4)


def test_silence_repeats_beyond_its_length(session: engine.Session):
    table = session.empty_latent(15_000)
    np.testing.assert_array_equal(session.empty_latent(40), table[:40])
    with pytest.raises(engine.RequestError, match="frames"):
        session.empty_latent(0)


def test_the_source_survives_the_trip_through_the_vae(session: engine.Session, audio: np.ndarray):
    back = session.decode_all(session.prepare_source(audio).latent)
    error = np.square(back - audio).mean()
    assert error < 0.5 * np.square(audio).mean()  # a toy VAE on material it was not trained on: 4 dB


@given(start=st.integers(0, 59), frames=st.integers(1, 60))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cyclic_window_is_the_loop_played_round_and_round(
    session: engine.Session, latent: np.ndarray, start: int, frames: int
):
    window = session.decode(latent, start, frames, cyclic=True)
    rounds = full(session, np.concatenate([latent, latent, latent]))
    first = (60 + start) * 1920
    np.testing.assert_allclose(window, rounds[:, first : first + frames * 1920], atol=1e-5)


@pytest.mark.parametrize(("start", "frames"), [(9, 1), (20, 11), (9, 42)])
def test_a_cyclic_window_that_does_not_reach_an_end_is_the_plain_one(
    session: engine.Session, latent: np.ndarray, start: int, frames: int
):
    np.testing.assert_array_equal(
        session.decode(latent, start, frames, cyclic=True), session.decode(latent, start, frames)
    )


def test_a_loop_shorter_than_the_margins_wraps_more_than_once(session: engine.Session, latent: np.ndarray):
    short = latent[:4]
    rounds = full(session, np.concatenate([short] * 8))
    np.testing.assert_allclose(session.decode(short, 2, 4, cyclic=True), rounds[:, 14 * 1920 : 18 * 1920], atol=1e-5)


@pytest.mark.parametrize(("start", "frames"), [(60, 1), (-1, 1), (0, 61), (0, 0)])
def test_a_cyclic_window_starts_inside_the_loop_and_is_not_longer_than_it(
    session: engine.Session, latent: np.ndarray, start: int, frames: int
):
    with pytest.raises(engine.RequestError):
        session.decode(latent, start, frames, cyclic=True)


@pytest.mark.parametrize("frames", [60, 33, 4])
def test_hints_of_a_latent_are_those_of_its_source(session: engine.Session, source: engine.Source, frames: int):
    hints = session.extract_hints(source.latent[:frames])
    assert hints.shape == (frames, 64)
    whole = frames // 5 * 5  # a broken token is filled up with silence
    np.testing.assert_allclose(hints[:whole], source.hints[:whole], atol=1e-5)


def test_a_source_that_is_encoded_in_turns_is_the_source(session: engine.Session):
    audio = np.random.default_rng(4).uniform(-0.2, 0.2, (2, 1920 * 230)).astype(np.float32)
    turns = session.begin_source(audio)
    units = 1
    while turns.advance() is None:
        units += 1
    whole = session.prepare_source(audio)
    assert units == 3  # 100 frames each
    assert turns.source is not None
    assert turns.source.latent.tobytes() == whole.latent.tobytes()
    assert turns.source.hints.tobytes() == whole.hints.tobytes()
    assert turns.advance() is turns.finish() is turns.source
