"""`demon bench` measures the real thing: a plugin that plays wet audio, a model that ticks, a bounce that renders."""

import json
from pathlib import Path

import pytest
import soundfile
from test_command_line import demon

import plugin_bridge


def test_bench_reports_what_it_measured(tmp_path: Path, repository: Path) -> None:
    plugin_bridge.build()
    samples, rate = soundfile.read(repository / "demo" / "loop.flac", dtype="float32", always_2d=True)
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, samples[: 3 * rate], rate)
    cache = str(plugin_bridge.default_folder().parent.parent)
    result = demon("bench", "--quick", "--source", str(clip), "--json", home=tmp_path, XDG_CACHE_HOME=cache)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    process, tick, bounce = found["process"], found["tick"], found["bounce"]
    assert process["blocks"] == 2 * (3 * rate // 512)
    assert 0 < process["p50_us"] <= process["p99_us"] <= process["max_us"]
    assert process["wet_share"] > 0
    assert tick["frames"] == 400
    assert all(ratio > 0 for ratio in tick["ratio"]["of_pairs"])
    assert bounce["seconds"] == 3.0
    assert bounce["real_time"] > 0
    assert {"cpu", "cores", "python", "packages"} <= set(found["machine"])


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("engine", {"--quick", "--backend", "--threads", "--json"}),
        ("bridge", {"--quick", "--minutes", "--tick-frames", "--json"}),
    ],
)
def test_a_bench_explains_itself_and_refuses_before_it_measures(
    command: str, options: set[str], tmp_path: Path
) -> None:
    told = demon("bench", command, "--help", home=tmp_path)
    assert told.returncode == 0
    assert options <= set(told.stdout.replace(",", " ").split())
    refused = demon("bench", command, "--json", str(tmp_path / "nowhere" / "figures.json"), home=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.strip().splitlines()[-1].startswith("next: ")


def test_the_engine_bench_names_a_backend_that_is_none(tmp_path: Path) -> None:
    unknown = demon("bench", "engine", "--backend", "abacus", home=tmp_path)
    assert unknown.returncode == 1
    assert "abacus" in unknown.stderr
    assert "Traceback" not in unknown.stderr


def test_the_song_bench_measures_each_length_in_a_process_of_its_own(tmp_path: Path) -> None:
    out = tmp_path / "songs.json"
    done = demon("bench", "song", "--minutes", "0.1", "--depth", "2", "--json", str(out), home=tmp_path)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(out.read_text())["songs"]
    assert (found["minutes"], found["region_frames"], found["ticks_per_s"], found["depth"]) == (0.1, 150, 12.5, 2)
    assert found["peak_mib"] >= found["opened_mib"] > 100
    assert min(found["real_time"], found["processor_s"]) > 0
    assert "| 6 s | 2 |" in done.stdout
    refused = demon("bench", "song", "--source", str(tmp_path / "nothing.wav"), home=tmp_path)
    assert (refused.returncode, "nothing.wav" in refused.stderr) == (2, True)
