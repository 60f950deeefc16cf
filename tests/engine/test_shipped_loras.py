"""What the LoRAs that come with the checkpoint do to sound: more of it the stronger they act."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engine import Conditioning, Request, Session, Source

STRENGTHS = (0.0, 0.5, 1.0)
Render = Callable[[str, int], tuple[list[np.ndarray], list[np.ndarray]]]


def low_share(audio: np.ndarray) -> float:
    """Energy below 150 Hz over energy from 150 to 1000 Hz, in dB."""
    power = np.abs(np.fft.rfft(audio.mean(axis=0))) ** 2
    hertz = np.fft.rfftfreq(audio.shape[1], 1 / 48_000)
    low, mid = power[(hertz > 20) & (hertz < 150)].sum(), power[(hertz >= 150) & (hertz < 1000)].sum()
    return 10 * float(np.log10(low / mid))


def unsteadiness(audio: np.ndarray) -> float:
    """Standard deviation of the level over its mean, 50 values a second."""
    mono = audio.mean(axis=0)
    level = np.sqrt(np.mean(mono[: mono.size // 960 * 960].reshape(-1, 960) ** 2, axis=1))
    return float(level.std() / level.mean())


@pytest.fixture
def rendered(session: Session, source: Source, prompt: Conditioning) -> Render:
    """Latents and audio at each strength, of a kick over an offbeat bass: nothing that a training has seen."""

    def render(lora: str, seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
        frames = source.latent.shape[0]
        base = Request(conditioning=prompt, source=source, frames=frames, seed=seed, denoise=0.7)
        latents = [session.generate(replace(base, loras={lora: strength})) for strength in STRENGTHS]
        return latents, [session.decode_all(latent) for latent in latents]

    return render


def assert_moves_away(latents: list[np.ndarray]) -> None:
    distances = [float(np.sqrt(np.mean((latent - latents[0]) ** 2))) for latent in latents]
    assert distances[0] < distances[1] < distances[2]


@pytest.mark.parametrize("seed", [1, 2])
def test_glass_bells_move_the_energy_out_of_the_bass(rendered: Render, seed: int):
    latents, audio = rendered("glass-bells", seed)
    shares = [low_share(one) for one in audio]
    assert shares[0] - shares[1] > 3
    assert shares[0] - shares[2] > 6
    assert_moves_away(latents)


@pytest.mark.parametrize("seed", [1, 2])
def test_slow_tide_evens_the_level_out(rendered: Render, seed: int):
    latents, audio = rendered("slow-tide", seed)
    without, half, full = (unsteadiness(one) for one in audio)
    assert half < 0.85 * without
    assert full < 0.85 * without
    assert_moves_away(latents)


def test_the_shipped_loras_are_registered_by_name_and_none_acts_unasked(session: Session):
    shipped = {info.name: info for info in session.loras.list() if info.metadata.base_model == "demon-tiny-1"}
    assert shipped.keys() == {"glass-bells", "slow-tide"}
    for info in shipped.values():
        assert (info.matched, info.skipped, info.metadata.problems) == (66, 0, ())
        assert info.metadata.primary_trigger_word
        assert info.state != "enabled"
