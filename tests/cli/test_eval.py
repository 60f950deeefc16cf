"""`demon eval` measures the shipped checkpoint, and what it writes agrees with what it says."""

import json
import math
import sys
from pathlib import Path

import pytest
from test_command_line import demon

from engine.errors import EngineError
from engine.evaluation import plots


def test_a_quick_eval_measures_every_room_and_draws_it(tmp_path: Path) -> None:
    out, pictures = tmp_path / "figures.json", tmp_path / "pictures"
    done = demon("eval", "--quick", "--json", str(out), "--plots", str(pictures), home=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    assert (found["format"], found["quick"], found["size"]["seeds"]) == ("demon-eval", True, 1)
    assert set(found["took_s"]) == {"vae", "text", "cover", "lanes"}
    figures = {figure["name"]: figure for figure in found["figures"]}
    assert len(figures) == len(found["figures"])
    for name, figure in figures.items():
        assert math.isfinite(figure["value"]["mean"]), name
        assert figure["says"] in done.stdout
        assert (figure["met"] is None) == (figure["target"] is None)
    # what no checkpoint can fail, as the engine promises it
    assert figures["cover.exact"]["value"]["mean"] == 0.0
    # what real clips are heard to be, without which the other figures mean nothing
    assert figures["text.tempo"]["real"] >= 0.8
    assert figures["text.key"]["real"] >= 0.8
    assert len(found["lanes"]) == 16
    assert all(lane["size"]["mean"] > 0.0 for lane in found["lanes"])
    assert {path.name for path in pictures.iterdir()} == {"styles.png", "lanes.png", "cover.png"}


def test_a_room_is_measured_alone(tmp_path: Path) -> None:
    done = demon("eval", "--quick", "--only", "vae", "--json", str(tmp_path / "vae.json"), home=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "vae.json").read_text())
    assert {figure["name"].partition(".")[0] for figure in found["figures"]} == {"vae"}
    assert not found["lanes"]


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--json", "nowhere/figures.json"], 2, "nowhere"),
        (["--only", "taste"], 2, "taste"),
        (["--seeds", "0"], 2, "seeds"),
        (["--checkpoint", "no-such-checkpoint"], 1, "no-such-checkpoint"),
    ],
)
def test_an_eval_that_cannot_be_is_refused(arguments: list[str], code: int, word: str, tmp_path: Path) -> None:
    refused = demon("eval", *arguments, home=tmp_path)
    assert (refused.returncode, word in refused.stderr) == (code, True)
    assert "Traceback" not in refused.stderr
    assert refused.stderr.strip().splitlines()[-1].startswith("next: ")


def test_pictures_without_matplotlib_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(EngineError, match=r"demon-bridge\[host\]"):
        plots.check()
