"""Tempo and key of audio whose tempo and key are known."""

import numpy as np
import pytest

import engine


def song(bpm: float, tonic: int, minor: bool) -> np.ndarray:
    """Tonic, subdominant, dominant and tonic again, two beats each, over a kick; [2, N]."""
    beat = 60 / bpm
    t = np.arange(int(32 * beat * 48_000)) / 48_000
    steps = np.array([0, 5, 7, 0])[(t // (2 * beat)).astype(int) % 4]
    third = np.where((steps == 7) | (not minor), 4, 3)  # the dominant is major in either
    notes = [tonic + steps, tonic + steps + third, tonic + steps + 7]
    chords = sum(np.sin(np.cumsum(2 * np.pi * 440 / 48_000 * 2 ** ((note - 69) / 12))) for note in notes)
    mono = 0.1 * chords + 0.5 * np.sin(2 * np.pi * 55 * (t % beat)) * np.exp(-18 * (t % beat))
    return np.stack([mono, 0.8 * mono]).astype(np.float32)


@pytest.mark.parametrize(("bpm", "tonic", "minor", "key"), [(128, 57, True, "A minor"), (93, 58, False, "A# major")])
def test_tempo_and_key_are_found_and_a_prompt_takes_them(
    session: engine.Session, bpm: int, tonic: int, minor: bool, key: str
):
    info = engine.audio_info(song(bpm, tonic, minor))
    assert info == engine.AudioInfo(bpm=bpm, key=key, duration=pytest.approx(32 * 60 / bpm, abs=1e-3))  # type: ignore[arg-type]
    session.encode_text("house", bpm=info.bpm, key=info.key, duration=info.duration)


def test_silence_has_neither_tempo_nor_key():
    assert engine.audio_info(np.zeros((2, 48_000))) == engine.AudioInfo(bpm=None, key=None, duration=1.0)


def test_a_single_sample_is_no_error(session: engine.Session):
    assert session.audio_info(np.ones((2, 1))).duration == 1 / 48_000


@pytest.mark.parametrize("audio", [np.zeros(9), np.zeros((2, 0)), np.full((2, 9), np.nan)])
def test_bad_audio_is_refused(audio: np.ndarray):
    with pytest.raises(engine.RequestError, match="audio"):
        engine.audio_info(audio)
