"""The shipped checkpoint, opened once, and material small enough for quick tests."""

from collections.abc import Iterator

import numpy as np
import pytest
from covers import cover_graph
from songs import SONG

import engine
from engine.graph import Graph

FRAMES = 60


@pytest.fixture(scope="session")
def session() -> Iterator[engine.Session]:
    with engine.Session.open() as opened:
        yield opened


@pytest.fixture(scope="session")
def prompt(session: engine.Session) -> engine.Conditioning:
    return session.encode_text("techno, driving kick, sub bass", duration=FRAMES / 25, bpm=128)


@pytest.fixture(scope="session")
def prompt_b(session: engine.Session) -> engine.Conditioning:
    return session.encode_text("ambient pad chords, slow, warm, long tails", duration=FRAMES / 25)


def loop(frames: int) -> np.ndarray:
    """A kick on every half second over a bass tone, [2, N] float32."""
    t = np.arange(frames * 1920) / 48_000
    beat = t % 0.5
    kick = np.sin(2 * np.pi * 55 * beat) * np.exp(-beat * 18)
    bass = 0.3 * np.sin(2 * np.pi * 110 * t) * (beat > 0.2)
    return np.stack([0.7 * kick + bass, 0.7 * kick - 0.2 * bass]).astype(np.float32)


@pytest.fixture(scope="session")
def audio() -> np.ndarray:
    return loop(FRAMES)


@pytest.fixture(scope="session")
def source(session: engine.Session, audio: np.ndarray) -> engine.Source:
    return session.prepare_source(audio)


@pytest.fixture(scope="session")
def latent(session: engine.Session, prompt: engine.Conditioning, source: engine.Source) -> np.ndarray:
    return session.generate(
        engine.Request(conditioning=prompt, source=source, frames=FRAMES, seed=5, denoise=0.7, steps=4)
    )


@pytest.fixture(scope="session")
def song_source(session: engine.Session, audio: np.ndarray) -> engine.Source:
    return session.prepare_source(np.tile(audio, 7)[:, : SONG * 1920])


@pytest.fixture(scope="session")
def song(prompt: engine.Conditioning, prompt_b: engine.Conditioning, song_source: engine.Source) -> engine.Request:
    """Every kind of field that a slice has to cut."""
    rng = np.random.default_rng(2)
    rise = np.linspace(0.0, 1.0, SONG, dtype=np.float32)
    return engine.Request(
        conditioning=prompt,
        conditioning_b=prompt_b,
        prompt_blend=np.array([0.0, 1.0, 0.25]),
        source=song_source,
        frames=SONG,
        seed=7,
        steps=2,
        denoise=0.8,
        velocity_scale=0.8 + 0.4 * rise,
        sde_denoise=rise,
        mask=np.where(np.arange(SONG) % 50 < 45, 1.0, 0.0),
        mask_strength=[1.0, 0.5],
        channel_gain=(1.0 + 0.1 * rng.standard_normal((SONG, 64))).astype(np.float32),
        x0_target=song_source.hints,
        x0_strength=0.2 * rise,
        dcw=engine.Dcw(scaler=0.05 * rise),
        control_version=3,
        tag=9,
    )


@pytest.fixture
def graph(session: engine.Session, audio: np.ndarray) -> Iterator[Graph]:
    with cover_graph(session, audio) as made:
        yield made
