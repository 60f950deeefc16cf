"""`demon graph`: what a person or a script sees of the node graph."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.graph import NODES
from engine.graph.table import markdown
from sidecar.cli.app import app

EXAMPLES = Path(__file__).parents[2] / "examples" / "graphs"


def graph(*arguments: str) -> object:
    """Run the command in this process, so that torch is imported once."""
    return app(["graph", *arguments], standalone_mode=False)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    t = np.arange(48_000) / 48_000
    tone = 0.5 * np.sin(2 * np.pi * 110 * t) * (t % 0.5 < 0.25)
    soundfile.write(tmp_path / "song.wav", np.stack([tone, tone], 1), 48_000)
    return tmp_path / "song.wav"


def test_listing_and_showing_loads_no_torch(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from sidecar.cli.app import app\n"
        f"cover = {str(EXAMPLES / 'cover.json')!r}\n"
        "for arguments in (['list'], ['list', '--json'], ['show', 'Generate'], ['show', cover]):\n"
        "    app(['graph', *arguments], standalone_mode=False)\n"
        "print(sorted({'torch', 'diffusers', 'zmq'} & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "[]"
    for definition in NODES:
        assert definition.name in result.stdout


def test_the_list_for_scripts_is_the_registry(capsys: pytest.CaptureFixture[str]) -> None:
    graph("list", "--json")
    nodes = json.loads(capsys.readouterr().out)["nodes"]
    assert [node["name"] for node in nodes] == [definition.name for definition in NODES]
    for node, definition in zip(nodes, NODES, strict=True):
        assert [(p["name"], p["default"]) for p in node["params"]] == list(definition.defaults().items())
        assert [(p["name"], p["type"]) for p in node["inputs"]] == [(p.name, p.kind) for p in definition.inputs]


def test_the_table_in_the_documentation_is_that_of_the_declarations(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (repository / "docs" / "graph.md").read_text()
    assert markdown(NODES) in text, "paste the output of `demon graph list --markdown` into docs/graph.md"
    graph("list", "--markdown")
    assert capsys.readouterr().out == markdown(NODES)


def test_a_graph_runs_from_file_to_file(song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.wav"
    graph(
        "run", str(EXAMPLES / "cover.json"), "--in", f"song={song}", "--out", f"result={out}", "--set", "seed.steps=1",
        "--json",
    )  # fmt: skip
    seconds = 30 / 25  # the shortest generation
    report = json.loads(capsys.readouterr().out)
    assert report["outputs"] == {"result": {"path": str(out), "seconds": seconds}}
    audio, rate = soundfile.read(out)
    assert (audio.shape, rate) == ((int(seconds * 48_000), 2), 48_000)
    assert np.abs(audio).max() > 0.0


def test_a_streaming_graph_plays_on_from_tick_to_tick(song: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    arguments = ["run", str(EXAMPLES / "streaming_cover.json"), "--in", f"song={song}", "--out", f"result={out}"]
    graph(*arguments, "--set", "denoise.steps=2", "--ticks", "3")
    audio, _ = soundfile.read(out)
    assert audio.shape[0] == 2 * 9 * 1920  # two windows of nine frames: the first tick has no result yet
    assert np.abs(audio[9 * 1920 :]).max() > 0.0


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["show", "missing.json"], 2, "no such file or type of node"),
        (["run", "{cover}"], 2, "input song has no audio"),
        (["run", "{cover}", "--in", "song={song}"], 2, "output result has no file"),
        (["run", "{cover}", "--in", "tune={song}"], 2, "no AudioInput of that id"),
        (["run", "{cover}", "--in", "song"], 2, "names no value"),
        (["run", "{cover}", "--in", "song=a", "--in", "song=b"], 2, "given twice"),
        (["run", "{cover}", "--in", "song=none.wav"], 2, "none.wav: no such file"),
        (["run", "{cover}", "--in", "song={song}", "--out", "result=none/x.wav"], 2, "none: no such folder"),
        (["run", "{cover}", "--set", "seed.steps=0"], 1, "seed.steps: 0 is out of range"),
        (["run", "{cover}", "--set", "seed.step=1"], 1, "seed.step: DiffusionConfig has no such parameter"),
        (["run", "{song}"], 1, "cannot be read"),
        (["run", "{stream}", "--in", "song={song}", "--out", "result=x.wav"], 1, "result gave no audio"),
    ],
)
def test_an_error_says_what_and_what_next(
    arguments: list[str],
    code: int,
    word: str,
    song: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from sidecar.cli import main

    names = {"cover": EXAMPLES / "cover.json", "stream": EXAMPLES / "streaming_cover.json", "song": song}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["demon", "graph", *(argument.format(**names) for argument in arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == code
    output = capsys.readouterr()
    lines = output.err.strip().splitlines()
    assert any(line.startswith("error: ") and word in line for line in lines), output.err
    assert lines[-1].startswith("next: ")
    assert output.out == ""
    assert not (tmp_path / "x.wav").exists()
