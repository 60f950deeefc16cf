"""The measures of `demon eval` on sounds that were made to have a known distance, tempo or key."""

import numpy as np
import pytest
from evaluation_sounds import RATE, cadence, clicks, hiss
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evaluation import harmony, rhythm, spectra
from engine.evaluation.ranks import spearman
from engine.evaluation.styles import Classifier
from engine.training.music.harmony import Key

SEEDS = st.integers(0, 2**16)


@given(SEEDS)
@settings(max_examples=10)
def test_audio_is_at_no_distance_from_itself(seed: int) -> None:
    sound = hiss(seed)
    assert spectra.log_stft_distance(sound, sound) == 0.0
    assert spectra.mel_distance(sound, sound) == 0.0
    assert spectra.si_sdr(sound, sound) == 100.0
    assert spectra.mel_likeness(sound, sound) == pytest.approx(1.0)
    assert all(sdr == 100.0 for sdr in spectra.band_sdr(sound, sound))
    assert all(pair == pytest.approx((1.0, 0.0)) for pair in spectra.band_likeness(sound, sound))


@given(SEEDS, st.floats(0.05, 4.0))
@settings(max_examples=10)
def test_a_gain_is_a_distance_of_its_logarithm_and_no_distortion(seed: int, gain: float) -> None:
    sound = hiss(seed)
    louder = (gain * sound).astype(np.float32)
    assert spectra.log_stft_distance(sound, louder) == pytest.approx(abs(np.log(gain)), rel=0.03)
    assert spectra.log_stft_distance(louder, sound) == pytest.approx(spectra.log_stft_distance(sound, louder))
    assert spectra.si_sdr(sound, louder) > 90.0
    assert all(
        energy == pytest.approx(20 * np.log10(gain), abs=0.01) for _, energy in spectra.band_likeness(sound, louder)
    )


@given(SEEDS, st.floats(-10.0, 40.0))
@settings(max_examples=10)
def test_added_noise_is_found_at_the_level_that_it_was_added_at(seed: int, decibels: float) -> None:
    sound, noise = hiss(seed), hiss(seed + 1)
    heard = sound + np.float32(10 ** (-decibels / 20)) * noise
    assert spectra.si_sdr(sound, heard) == pytest.approx(decibels, abs=0.3)
    assert all(sdr == pytest.approx(decibels, abs=1.5) for sdr in spectra.band_sdr(sound, heard))


def test_only_the_band_that_is_missing_is_missed() -> None:
    sound = hiss(3)
    spectrum = np.fft.rfft(sound)
    spectrum[:, np.fft.rfftfreq(sound.shape[1], 1 / RATE) >= 2_500] = 0.0
    dull = np.fft.irfft(spectrum).astype(np.float32)
    energies = [energy for _, energy in spectra.band_likeness(sound, dull)]
    assert energies[:3] == pytest.approx([0.0, 0.0, 0.0], abs=0.1)
    assert max(energies[3:]) < -20.0
    assert spectra.band_sdr(sound, dull)[3] == pytest.approx(0.0, abs=0.1)
    assert spectra.band_sdr(dull, sound)[3:] == [None, None]


def test_width_is_that_of_the_side() -> None:
    sound = hiss(4)
    assert spectra.side_over_mid(np.stack((sound[0], sound[0]))) == -100.0
    assert spectra.side_over_mid(np.stack((sound[0], 0.0 * sound[0]))) == pytest.approx(0.0, abs=0.01)
    assert spectra.side_over_mid(np.stack((sound[0], -sound[0]))) == 100.0


def test_a_sine_lies_in_the_band_of_its_frequency() -> None:
    tone = np.sin(2 * np.pi * 1_000 * np.arange(RATE) / RATE).astype(np.float32)
    mel = spectra.log_mel(np.stack((tone, tone)))
    assert mel.shape == (spectra.MEL_RATE + 1, spectra.MEL_BANDS)
    assert abs(int(mel.mean(axis=0).argmax()) + 0.5 - spectra.band_of(1_000)) < 1.0
    assert mel.max() == pytest.approx(0.0, abs=3.0)


@given(st.floats(62.0, 195.0), st.sampled_from([1.0, 0.5]))
@settings(max_examples=25)
def test_the_tempo_of_clicks_is_found_up_to_an_octave(bpm: float, accent: float) -> None:
    recurring = rhythm.recurrence(rhythm.onsets(clicks(bpm, accent=accent)))
    assert rhythm.is_near(rhythm.tempo(recurring), bpm, octaves=True)
    assert rhythm.beat_strength(recurring, bpm) > 0.4
    assert rhythm.beat_strength(recurring, bpm) > rhythm.beat_strength(recurring, 1.3 * bpm) + 0.3


def test_what_does_not_beat_has_no_tempo() -> None:
    silence = rhythm.recurrence(rhythm.onsets(np.zeros((2, 4 * RATE), np.float32)))
    assert rhythm.tempo(silence) is None
    assert not rhythm.is_near(None, 120.0)
    assert rhythm.beat_strength(silence, 120.0) == 0.0


@given(st.floats(40.0, 240.0), st.floats(-0.2, 0.2))
def test_near_is_within_four_percent(bpm: float, off: float) -> None:
    assert rhythm.is_near(bpm * (1 + off), bpm) == (abs(bpm * (1 + off) / bpm - 1) <= 0.04)
    assert rhythm.is_near(2 * bpm, bpm, octaves=True)
    assert rhythm.is_near(bpm / 2, bpm, octaves=True)
    assert not rhythm.is_near(1.5 * bpm, bpm, octaves=True)


@pytest.mark.parametrize("minor", [False, True])
@pytest.mark.parametrize("tonic", [0, 3, 7, 10])
def test_the_key_of_a_cadence_is_among_the_best(tonic: int, minor: bool) -> None:
    fits = harmony.fits(harmony.chroma(cadence(tonic, minor)))
    assert len(fits) == 24
    assert harmony.rank(fits, Key(tonic, "minor" if minor else "major")) < 3
    assert harmony.is_above_mean(fits, Key(tonic, "minor" if minor else "major"))
    assert not harmony.is_above_mean(fits, Key((tonic + 6) % 12, "minor" if minor else "major"))


def test_silence_is_in_no_key() -> None:
    fits = harmony.fits(harmony.chroma(np.zeros((2, RATE), np.float32)))
    assert harmony.rank(fits, Key(0, "major")) == 11.5
    assert not harmony.is_above_mean(fits, Key(0, "major"))


@given(st.lists(st.floats(-10, 10), min_size=3, max_size=8, unique=True))
def test_what_rises_with_a_value_has_a_rank_correlation_of_one(values: list[float]) -> None:
    effects = [float(place) for place in np.argsort(np.argsort(values))]
    assert spearman(values, effects) == pytest.approx(1.0)
    assert spearman(values, [-effect for effect in effects]) == pytest.approx(-1.0)
    assert spearman(values, [2.0] * len(values)) == 0.0


@given(SEEDS)
@settings(max_examples=10)
def test_classes_that_are_apart_are_told_apart_and_equal_ones_are_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = ["a", "b", "c"] * 10
    apart = {"a": -4.0, "b": 0.0, "c": 4.0}

    def draw(scale: float) -> np.ndarray:
        return rng.standard_normal((30, 12)) + scale * np.array([[apart[label]] * 12 for label in labels])

    known = Classifier(draw(1.0), labels)
    assert [known.name(one) for one in draw(1.0)] == labels
    guessing = Classifier(draw(0.0), labels)
    assert sum(guessing.name(one) == label for one, label in zip(draw(0.0), labels, strict=True)) < 27
