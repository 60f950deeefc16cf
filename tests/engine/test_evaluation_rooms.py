"""The rooms of `demon eval` put to models that are known: one that does what it is asked, and one that is deaf."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.errors import RequestError
from engine.evaluation import codec, styles, suite, text
from engine.evaluation.clips import Clips
from engine.evaluation.figures import Figure
from engine.request.request import Request
from engine.training.music import STYLES
from engine.training.music.harmony import NAMES, Key


class Perfect:
    """Loses nothing in its codec, and answers a prompt with a real clip that is as the prompt says."""

    def __init__(self) -> None:
        self.clips = Clips()

    def prepare_source(self, audio: np.ndarray, frames: int) -> SimpleNamespace:
        assert audio.shape == (2, 1920 * frames)
        return SimpleNamespace(latent=audio)

    def decode_all(self, latent: np.ndarray) -> np.ndarray:
        return latent

    def encode_text(self, prompt: str, **asked: object) -> tuple[str, dict[str, object]]:
        assert asked["task"] == "text2music"
        return prompt, asked

    def generate(self, request: Request) -> np.ndarray:
        prompt, asked = request.conditioning
        style, *parts = prompt.split(", ")
        tonic, mode = (asked.get("key") or "A minor").split(" ")
        beat = 1500 / asked["bpm"] if "bpm" in asked else None
        key = Key(NAMES.index(tonic), mode) if "key" in asked else None
        number = 50_000 + request.seed
        return self.clips.make(number, request.frames, style, beat=beat, key=key, parts=parts, least=3).audio


class Deaf(Perfect):
    """Answers every prompt with the same music."""

    def generate(self, request: Request) -> np.ndarray:
        return self.clips.make(60_000, request.frames, "techno", beat=12, key=Key(9, "minor"), least=4).audio


def figures(found: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in found}


def test_a_codec_that_loses_nothing_has_perfect_figures() -> None:
    done: list[None] = []
    found = figures(codec.measure(Perfect(), Clips(), 3, lambda: done.append(None)))
    assert len(done) == 3
    assert found["vae.log_stft"].value.mean == 0.0
    assert found["vae.si_sdr_median"].value.mean == 100.0
    assert found["vae.600-2500.energy"].value.mean == 0.0
    assert found["vae.stereo"].value.mean == 0.0
    assert found["vae.silence"].value.mean == -200.0
    assert all(figure.target.is_met(figure.value.mean) for figure in found.values() if figure.target)


def test_a_model_that_does_what_prompts_ask_reaches_real_clips_and_a_deaf_one_is_at_chance() -> None:
    clips = Clips()
    perfect = figures(text.measure(Perfect(), clips, 250, (2, 1), 1, lambda: None))
    deaf = figures(text.measure(Deaf(), clips, 250, (2, 1), 1, lambda: None))
    for name in ("text.tempo", "text.off_grid.tempo", "text.key"):
        assert perfect[name].value.mean >= 0.8, name
        assert perfect[name].value.mean >= (perfect[name].chance or 0.0) + 0.3, name
        assert deaf[name].value.mean == pytest.approx(deaf[name].chance, abs=0.15), name
        assert deaf[name].real == perfect[name].real
    assert perfect["text.beat"].value.mean > 0.6 > deaf["text.beat"].value.mean
    assert perfect["text.beat_all"].by.keys() == STYLES.keys()


def test_styles_are_told_apart_where_they_are_apart() -> None:
    perfect, deaf = (
        figures(styles.measure(model, Clips(), 150, (12, 4), 4, 1, lambda: None))["text.style"]
        for model in (Perfect(), Deaf())
    )
    assert perfect.value.mean >= 0.6
    assert (perfect.real or 0.0) >= 0.6
    assert deaf.value.mean == pytest.approx(deaf.chance)
    assert deaf.by["techno"] + deaf.by.get("techno as house", 0.0) == 1.0


@pytest.mark.parametrize(
    ("wrong", "field"), [({"only": ["taste"]}, "only"), ({"only": []}, "only"), ({"seeds": 0}, "seeds")]
)
def test_a_run_of_nothing_is_refused(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(RequestError, match=field):
        suite.run(Perfect(), **wrong)
