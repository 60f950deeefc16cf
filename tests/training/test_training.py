"""The whole recipe at toy size: it ends in a checkpoint that makes music, or at least sound."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from engine import EngineError, Request, Session
from engine.training import stages
from engine.training.recipe import SHIPPED, read
from engine.training.run.log import read as rows
from engine.training.run.state import averaged
from engine.training.run.world import World
from sidecar.cli.app import app
from sidecar.cli.train import STAGES, Bar

RUN = CliRunner()


@pytest.fixture(scope="module")
def trained(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    done = RUN.invoke(app, ["train", "--folder", str(folder), "--recipe", str(toy), "--workers", "1"])
    assert done.exit_code == 0, done.output + str(done.exception)
    return folder


def test_a_training_ends_in_a_checkpoint_that_loads_and_generates(trained: Path) -> None:
    with Session.open(str(trained / "checkpoint"), threads=1) as session:
        prompt = session.encode_text("techno, kick", duration=2, bpm=125)
        requests = [Request(conditioning=prompt, frames=50, seed=seed) for seed in (1, 1, 2)]
        audio = [session.decode_all(session.generate(request)) for request in requests]
        assert audio[0].shape == (2, 50 * 1920)
        assert np.isfinite(audio[0]).all()
        assert audio[0].tobytes() == audio[1].tobytes()
        assert audio[0].tobytes() != audio[2].tobytes()


def test_every_stage_logs_its_steps_and_its_figures(trained: Path) -> None:
    for name, steps in (("codec", 4), ("decoder", 2), ("flow", 4)):
        log = rows(trained / name / "log.jsonl")
        assert [row["step"] for row in log] == list(range(1, steps + 1))
        assert any(key.startswith("held-out") for key in log[-1])


def test_the_decoder_is_trained_on_latents_that_stay(trained: Path) -> None:
    codec, decoder = averaged(trained / "codec"), averaged(trained / "decoder")
    moved = {name for name in codec if not np.array_equal(codec[name].numpy(), decoder[name].numpy())}
    assert moved
    assert all(name.startswith("decoder.") for name in moved)


def test_a_training_that_is_run_again_does_nothing_twice(trained: Path, toy: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (trained / "latents").iterdir() if path.name != "silence.npy"}
    done = RUN.invoke(
        app, ["train", "flow", "encode", "--folder", str(trained), "--recipe", str(toy), "--workers", "1"]
    )
    assert done.exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(rows(trained / "flow" / "log.jsonl")) == 4


def test_a_stage_that_needs_another_says_so(toy: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="holds no weights"):
        stages.STAGES["decoder"](World(), read(toy), tmp_path, 1.0, Bar)


def test_the_command_knows_the_stages_and_refuses_others(tmp_path: Path) -> None:
    assert tuple(stages.STAGES) == STAGES
    done = RUN.invoke(app, ["train", "decode", "--folder", str(tmp_path)])
    assert done.exit_code != 0
    assert "decode is no stage" in str(done.exception)


def test_a_recipe_that_is_none_is_refused_by_the_field(tmp_path: Path) -> None:
    shipped = SHIPPED.read_text("utf-8")
    for text, message in (
        (shipped.replace("noise = 0.15", "noise = 'loud'", 1), "codec.noise"),
        (shipped.replace("[flow]", "[flow]\ncolour = 1"), "colour"),
        ("steps = ", "not a recipe"),
    ):
        path = tmp_path / "recipe.toml"
        path.write_text(text, "utf-8")
        with pytest.raises(EngineError, match=message):
            read(path)
    with pytest.raises(EngineError, match="cannot be read"):
        read(tmp_path / "none.toml")
