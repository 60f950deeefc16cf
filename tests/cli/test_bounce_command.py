"""`demon bounce` from a file to a file: the same twice, different where it should be, and whole or not at all."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_command_line import demon

RATE = 48_000


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """Two seconds of the demo loop."""
    samples, rate = soundfile.read(repository / "demo" / "loop.flac", dtype="float32", always_2d=True)
    path = tmp_path_factory.mktemp("clip") / "clip.wav"
    soundfile.write(path, samples[: 2 * rate], rate, subtype="FLOAT")
    return path


def bounce(clip: Path, folder: Path, name: str, *more: str) -> tuple[dict[str, object], bytes]:
    out = folder / name
    result = demon("bounce", str(clip), "-o", str(out), "--json", *more, home=folder)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout), out.read_bytes()


def test_a_bounce_is_repeatable_to_the_byte_and_is_what_its_report_says(clip: Path, tmp_path: Path) -> None:
    preset = ["--preset", "Warehouse", "--seed", "11"]
    report, first = bounce(clip, tmp_path, "one.wav", *preset)
    again, second = bounce(clip, tmp_path, "two.wav", *preset)
    assert first == second
    assert {**again, "output": None} == {**report, "output": None}
    samples, rate = soundfile.read(tmp_path / "one.wav", dtype="float32", always_2d=True)
    dry, _ = soundfile.read(clip, dtype="float32", always_2d=True)
    assert (rate, samples.shape, report["samples"]) == (RATE, dry.shape, len(dry))
    assert hashlib.sha256(samples.astype("<f4").tobytes()).hexdigest() == report["sha256"]
    assert report["claim"].startswith("bit-exact on this machine")
    assert report["wet"] is True
    assert np.abs(samples - dry).max() > 0.05
    other, _ = bounce(clip, tmp_path, "other.wav", "--preset", "Warehouse", "--seed", "12")
    assert other["sha256"] != report["sha256"]


def test_lanes_and_prompts_are_heard(clip: Path, tmp_path: Path) -> None:
    lanes = tmp_path / "lanes.json"
    lanes.write_text(json.dumps({"version": 1, "lanes": {"mix": [{"sample": 0, "value": 0.0}]}}))
    bounce(clip, tmp_path, "dry.wav", "--automation", str(lanes))
    samples, _ = soundfile.read(tmp_path / "dry.wav", dtype="float32", always_2d=True)
    assert np.array_equal(samples, soundfile.read(clip, dtype="float32", always_2d=True)[0])
    house, _ = bounce(clip, tmp_path, "house.wav", "--prompt-a", "house, kick")
    ambient, _ = bounce(clip, tmp_path, "ambient.wav", "--prompt-a", "ambient, pad chords")
    assert house["sha256"] != ambient["sha256"]


def test_a_lora_takes_the_place_of_the_presets(clip: Path, tmp_path: Path) -> None:
    preset = ["--preset", "Glasshouse"]
    with_preset, _ = bounce(clip, tmp_path, "preset.wav", *preset)
    same, _ = bounce(clip, tmp_path, "same.wav", *preset, "--lora", "glass-bells=0.9")
    off, _ = bounce(clip, tmp_path, "off.wav", *preset, "--lora", "glass-bells=0")
    assert with_preset["sha256"] == same["sha256"]
    assert off["sha256"] != same["sha256"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--automation", "lanes.json"], "denoise"),
        (["--preset", "No Such Preset"], "No Such Preset"),
        (["--preset", "wild.json"], "denoise"),
        (["--checkpoint", "nowhere"], "nowhere"),
        (["--lora", "no-such=0.5"], "no-such"),
        (["--lora", "glass-bells=loud"], "loud"),
        (["--lora", "glass-bells=11"], "parameters.lora_1"),
        (["--tempo", "0"], "--tempo"),
        (["--metre", "3/4"], "--metre"),
        (["--tempo", "90", "--metre", "waltz"], "waltz"),
        (["-o", "no/such/folder/out.wav"], "no such folder"),
    ],
)
def test_bad_input_is_refused_by_name_and_writes_nothing(
    arguments: list[str], word: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lanes.json").write_text('{"version": 1, "lanes": {"denoise": [{"sample": 0, "value": 3.0}]}}')
    (tmp_path / "wild.json").write_text('{"preset": {"name": "wild"}, "parameters": {"denoise": 7}}')
    before = sorted(path.name for path in tmp_path.iterdir())
    result = demon("bounce", str(clip), "-o", "out.wav", *arguments, home=tmp_path)
    assert result.returncode in (1, 2)
    assert word in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.strip().splitlines()[-1].startswith("next: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_the_source_is_never_overwritten(clip: Path, tmp_path: Path) -> None:
    before = clip.read_bytes()
    result = demon("bounce", str(clip), "-o", str(clip), home=tmp_path)
    assert result.returncode == 2
    assert clip.read_bytes() == before
