"""Every example runs, and its feature can be heard."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import engine

FOLDER = Path(__file__).parents[2] / "examples"
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
