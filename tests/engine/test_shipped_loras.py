"""What the LoRAs that come with the checkpoint do to sound: more of it the stronger they act."""

import numpy as np
import pytest

from engine import Request, Session
from engine.training import corpus

FRAMES = 120
STRENGTHS = (0.0, 0.5, 1.0)


def low_share(audio: np.ndarray) -> float:
    """Energy below 150 Hz over energy from 150 to 1000 Hz, in dB."""
    power = np.abs(np.fft.rfft(audio.mean(axis=0))) ** 2
    hertz = np.fft.rfftfreq(audio.shape[1], 1 / 48_000)
    low, mid = power[(hertz > 20) & (hertz < 150)].sum(), power[(hertz >= 150) & (hertz < 1000)].sum()
    return 10 * float(np.log10(low / mid))


@pytest.mark.parametrize("seed", [1, 2])
def test_glass_bells_move_the_energy_out_of_the_bass(session: Session, seed: int):
    (clip,) = corpus.clips("glass-bells", 1, FRAMES, seed=1000 + seed)  # none of the training's
    source = session.prepare_source(clip.plain, FRAMES)
    prompt = session.encode_text(clip.caption, duration=FRAMES / 25)
    latents = [
        session.generate(
            Request(
                conditioning=prompt,
                source=source,
                frames=FRAMES,
                seed=seed,
                denoise=0.7,
                loras={"glass-bells": strength},
            )
        )
        for strength in STRENGTHS
    ]
    shares = [low_share(session.decode_all(latent)) for latent in latents]
    assert shares[0] - shares[1] > 3
    assert shares[0] - shares[2] > 6
    distances = [float(np.sqrt(np.mean((latent - latents[0]) ** 2))) for latent in latents]
    assert distances[0] < distances[1] < distances[2]


def test_the_shipped_loras_are_registered_by_name_and_none_acts_unasked(session: Session):
    shipped = {info.name: info for info in session.loras.list() if info.metadata.base_model == "demon-tiny-1"}
    assert "glass-bells" in shipped
    for info in shipped.values():
        assert (info.matched, info.skipped, info.metadata.problems) == (66, 0, ())
        assert info.metadata.primary_trigger_word
        assert info.state != "enabled"
