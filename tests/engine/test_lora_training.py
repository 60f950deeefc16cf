"""The training recipe, small: it learns, repeats, and writes what the library reads."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine import EngineError, RequestError, Session
from engine.training.lora import restyle
from engine.training.lora.examples import Example, encode, folder
from engine.training.lora.train import LoraConfig, main, train

QUICK = LoraConfig(rank=2, steps=12, batch=2, frames=40, learning_rate=5e-3, seed=1)


@pytest.fixture(scope="module")
def examples(session: Session) -> list[Example]:
    return list(encode(session, restyle.clips("glass-bells", 2, 50, seed=1), "fm bells"))


def test_training_lowers_the_loss_repeats_and_leaves_the_session_alone(
    session: Session, examples: list[Example], tmp_path: Path
):
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    steps: list[int] = []
    losses = train(session, examples, first, QUICK, lambda step, _: steps.append(step))
    assert steps == list(range(1, 13))
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    assert train(session, examples, second, QUICK) == losses
    assert first.read_bytes() == second.read_bytes()
    (info,) = session.loras.register(first)
    try:
        assert (info.matched, info.skipped, info.rank) == (66, 0, 2)
        merged = session.loras.merged({info.name: 1.0})
        pristine = session.loras.merged({info.name: 0.0})
        assert pristine == {}
        assert all(np.isfinite(weight.numpy()).all() for weight in merged.values())
    finally:
        session.loras.forget(info.name)


def test_a_corpus_repeats_is_level_and_differs_from_its_restyling():
    for style in restyle.STYLES:
        first, again = (list(restyle.clips(style, 3, 60, seed=4)) for _ in range(2))
        for one, two in zip(first, again, strict=True):
            assert one.plain.tobytes() == two.plain.tobytes()
            assert one.restyled.tobytes() == two.restyled.tobytes()
            assert one.plain.shape == (2, 60 * 1920)
            assert 0.01 < np.abs(one.plain).max() <= 0.9
            assert np.abs(one.plain - one.restyled).max() > 0.05
            assert one.caption


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rank", 0),
        ("steps", 0),
        ("frames", 41),
        ("frames", 28),
        ("learning_rate", math.nan),
        ("alpha", 0),
        ("batch", 0),
    ],
)
def test_a_recipe_that_cannot_run_is_refused_by_name(field: str, value: float):
    with pytest.raises(RequestError, match=field):
        replace(QUICK, **{field: value})


def test_examples_that_are_too_short_or_missing_are_refused(session: Session, examples: list[Example], tmp_path: Path):
    with pytest.raises(EngineError, match="50 frames"):
        train(session, examples, tmp_path / "x.safetensors", replace(QUICK, frames=60))
    with pytest.raises(EngineError, match="0 frames"):
        train(session, [], tmp_path / "x.safetensors", QUICK)
    assert not (tmp_path / "x.safetensors").exists()


def test_a_folder_of_audio_needs_captions_and_is_cut_into_pieces(tmp_path: Path):
    with pytest.raises(EngineError, match="holds no audio"):
        list(folder(tmp_path, 2.0))
    soundfile.write(tmp_path / "a.wav", np.zeros((5 * 44_100, 1), np.float32), 44_100)
    with pytest.raises(EngineError, match=r"a\.txt"):
        list(folder(tmp_path, 2.0))
    (tmp_path / "a.txt").write_text("lofi, pad chords\n")
    pieces = list(folder(tmp_path, 2.0))
    assert [(piece.plain.shape, piece.caption) for piece in pieces] == [((2, 96_000), "lofi, pad chords")] * 2


def test_the_command_line_says_what_is_wrong_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), "-o", str(tmp_path / "x.safetensors")])
    assert ended.value.code == 1
    assert "holds no audio" in capsys.readouterr().err


def test_the_command_line_trains_and_prints_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "x.safetensors"
    main(["slow-tide", "-o", str(out), "--steps", "1", "--clips", "1", "--frames", "30", "--batch", "1", "--rank", "1"])
    assert out.is_file()
    assert "66 layers, rank 1" in capsys.readouterr().out
