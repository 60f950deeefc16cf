"""Every example runs, and its feature can be heard."""

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import engine

FOLDER = Path(__file__).parents[2] / "examples"
WITHOUT = {  # the fields that are an example's feature, as if it had not been asked for
    "prompt_blend": {"prompt_blend": 0.0},
    "sde_denoise_curve": {"sde_denoise": None},
    "velocity_scaling": {"velocity_scale": 1.0},
    "lora_generation": {"loras": {}},
    "x0_target_blend": {"x0_target": None, "x0_curve": None},
    "guidance_curve": {"guidance": 1.0},
    "latent_noise_mask": {"mask": None, "mask_strength": None},
    "initial_noise_curve": {"initial_noise": None},
    "ode_noise_injection": {"ode_noise": 0.0},
    "cover_semantic_blend": {"hints": None},
    "x0_target_from_reference": {"x0_target": None, "x0_strength": 0.0},
}
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "kit")
SECONDS = 2.4


@pytest.fixture(scope="module", autouse=True)
def _beside_kit():
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def plain(session: engine.Session) -> np.ndarray:
    return importlib.import_module("cover_basic").example(session, importlib.import_module("kit").loop(SECONDS))


def heard(file: Path) -> np.ndarray:
    audio, rate = soundfile.read(file, dtype="float32")
    assert rate == 48_000
    assert np.isfinite(audio).all()
    assert np.sqrt(np.mean(audio**2)) > 0.01
    return audio.T


@pytest.mark.parametrize("name", NAMES)
def test_an_example_writes_what_its_feature_does_to_the_cover(
    session: engine.Session, plain: np.ndarray, name: str, tmp_path: Path
):
    module = importlib.import_module(name)
    file = importlib.import_module("kit").render(module.example, session, SECONDS, tmp_path)
    assert file == tmp_path / f"{name}.wav"
    audio = heard(file)
    takes = 3 if name == "session_demo" else 1
    assert audio.shape == (2, takes * plain.shape[1])
    assert not session.loras.active()  # what an example enables, it takes away again
    if name == "cover_basic":
        np.testing.assert_array_equal(audio, plain)
    else:
        assert np.sqrt(np.mean((audio[:, -plain.shape[1] :] - plain) ** 2)) > 0.003


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_without_its_feature_an_example_sounds_different(
    session: engine.Session, name: str, monkeypatch: pytest.MonkeyPatch
):
    example, song = importlib.import_module(name).example, importlib.import_module("kit").loop(2.0)
    asked = example(session, song)
    request = engine.Request
    monkeypatch.setattr(engine, "Request", lambda **fields: request(**fields | WITHOUT[name]))
    assert np.sqrt(np.mean((example(session, song) - asked) ** 2)) > 0.003


def test_an_example_is_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "argv", ["cover_basic.py", "--seconds", "2", "--out", str(tmp_path / "new")])
    with pytest.raises(SystemExit) as left:
        importlib.import_module("kit").run(importlib.import_module("cover_basic").example)
    assert left.value.code == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1
    assert "cover_basic.wav" in printed[0]
    assert heard(tmp_path / "new" / "cover_basic.wav").shape == (2, 50 * 1920)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_says_what_you_will_hear_and_is_in_the_table(name: str):
    text = (FOLDER / f"{name}.py").read_text()
    assert "You will hear" in text
    assert f"`{name}.py`" in (FOLDER / "README.md").read_text()


def test_the_walk_through_runs_as_it_stands(tmp_path: Path):
    text = (FOLDER.parent / "docs" / "engine.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    names: dict[str, object] = {"audio": importlib.import_module("kit").loop(SECONDS), "out": tmp_path}
    for block in blocks:
        exec(compile(block, "docs/engine.md", "exec"), names)
    assert len(blocks) >= 5
    for seed in (1528, 9999, 42):
        heard(tmp_path / f"out_{seed}.wav")
