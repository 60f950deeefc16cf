"""What a person or a script sees of `demon`: help without torch, words of errors, exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DEMON = [sys.executable, "-m", "sidecar.cli"]
COMMANDS = [
    "sidecar",
    "plugin",
    "bounce",
    "doctor",
    "set",
    "instances",
    "scene",
    "presets",
    "takes",
    "bench",
    "eval",
    "checkpoint",
    "graph",
]


def demon(*arguments: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user whose home is `home`."""
    kept = {"PATH", "PYTHONPATH", "CARGO_TARGET_DIR", "LANG"}
    environment = {key: value for key, value in os.environ.items() if key in kept}
    environment |= {"HOME": str(home), "NO_COLOR": "1", "COLUMNS": "120", **more}
    return subprocess.run(
        [*DEMON, *arguments], env=environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
    )


def test_help_names_every_command_and_loads_neither_torch_nor_numpy(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from sidecar.cli.app import app\n"
        "try:\n"
        "    app(['--help'], standalone_mode=False)\n"
        "finally:\n"
        "    print(sorted({'torch', 'numpy', 'diffusers', 'zmq'} & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "[]"
    for command in COMMANDS:
        assert f" {command} " in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, tmp_path: Path) -> None:
    result = demon(command, "--help", home=tmp_path)
    assert result.returncode == 0
    assert "Usage: demon" in result.stdout or "Usage: python" in result.stdout


def test_version_is_one_line(tmp_path: Path) -> None:
    from sidecar import __version__

    result = demon("--version", home=tmp_path)
    assert (result.returncode, result.stdout) == (0, f"demon {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["nonsense"], 2, "nonsense"),
        (["bounce"], 2, "source"),
        (["bounce", "missing.wav", "-o", "out.wav"], 2, "missing.wav"),
        (["plugin", "install", "--folder", "nowhere"], 1, "no built plugin"),
        (["instances"], 1, "No sidecar is running"),
        (["set", "--seed", "5"], 1, "No sidecar is running"),
        (["set"], 2, "nothing to set"),
    ],
)
def test_an_error_says_what_and_what_next_without_a_traceback(
    arguments: list[str], code: int, word: str, tmp_path: Path
) -> None:
    result = demon(*arguments, home=tmp_path, DEMON_RUN_DIR=str(tmp_path / "run"))
    assert result.returncode == code, result.stderr
    lines = result.stderr.strip().splitlines()
    assert any(line.startswith("error: ") and word in line for line in lines), result.stderr
    assert lines[-1].startswith("next: ")
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_no_colour_codes_when_a_user_asks_for_none(tmp_path: Path) -> None:
    result = demon("plugin", "status", home=tmp_path, FORCE_COLOR="", TERM="xterm-256color")
    assert "\x1b" not in result.stdout + result.stderr


def test_presets_are_listed_as_json_for_scripts(tmp_path: Path) -> None:
    result = demon("presets", "--json", home=tmp_path)
    assert result.returncode == 0
    names = [preset["name"] for preset in json.loads(result.stdout)["presets"]]
    assert "Warehouse" in names
    assert len(names) == len(set(names))
