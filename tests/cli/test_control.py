"""`demon set`, `instances` and `doctor` against a live sidecar with a live plugin in a host."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile
from test_command_line import DEMON, demon

import plugin_bridge
from plugin_bridge.clap_host import ClapHost
from sidecar.client import Client, ClientError
from sidecar.parameters import TABLE
from sidecar.runfile import read_run_file

RATE = 48_000
LIMIT_S = 90.0  # a sidecar's imports on a cold disk and two busy cores


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run folder in which a sidecar lives."""
    run = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEMON_RUN_DIR", str(run))
        patch.setenv("DEMON_LAUNCH_FILE", str(run / "no-launch.json"))
        patch.setenv("DEMON_PRESET_DIR", str(run / "presets"))
        with (run / "sidecar.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "sidecar"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            wait_for(lambda: process.poll() is not None or read_run_file(run) is not None)
            assert process.poll() is None, (run / "sidecar.log").read_text()
            yield run
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def plugin(world: Path) -> Iterator[ClapHost]:
    """The CLAP in a host, connected to that sidecar."""
    built = plugin_bridge.build()
    with ClapHost(built.clap) as host:
        host.activate(RATE, 512)
        with Client() as client:
            wait_for(lambda: any(entry.rate == RATE for entry in client.instances()))
        yield host


def wait_for(true: Any) -> None:
    until = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.05)


def run(world: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return demon(*arguments, home=world, DEMON_RUN_DIR=str(world), DEMON_PRESET_DIR=str(world / "presets"))


def saved(host: ClapHost) -> bytes:
    host.poll()
    return host.save()


def values(host: ClapHost, *keys: str) -> list[float]:
    """What the host sees of these parameters, after one more block."""
    host.process(np.zeros((2, 512), np.float32))
    host.poll()
    return [round(host.value(TABLE[key].id), 4) for key in keys]


def test_set_changes_what_the_project_saves(world: Path, plugin: ClapHost) -> None:
    result = run(world, "set", "--prompt-a", "dnb, kick, snare", "--prompt-b", "ambient", "--seed", "4242", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["version"] >= 1
    listed = json.loads(run(world, "instances", "--json").stdout)["instances"]
    assert [(entry["prompt_a"], entry["prompt_b"], entry["rate"]) for entry in listed] == [
        ("dnb, kick, snare", "ambient", RATE)
    ]
    wait_for(lambda: b"dnb, kick, snare" in saved(plugin) and b"4242" in saved(plugin))


def test_set_tick_pins_it_and_auto_leaves_it_to_the_next_play(world: Path, plugin: ClapHost) -> None:
    for given, kept, shown, frames in (
        ("6", b'"tick_frames":6', "a tick every 240 ms", 6),
        ("auto", b'"tick_frames":null', "chosen with the next play", 0),
    ):
        assert run(world, "set", "--tick", given).returncode == 0
        assert shown in run(world, "instances").stdout
        (entry,) = json.loads(run(world, "instances", "--json").stdout)["instances"]
        assert entry["tick_frames"] == frames
        wait_for(lambda kept=kept: kept in saved(plugin))


def test_set_preset_changes_parameters_and_keeps_the_rest(world: Path, plugin: ClapHost) -> None:
    assert run(world, "set", "--prompt-b", "a prompt of mine").returncode == 0
    assert run(world, "set", "--preset", "Cassette", "--prompt-b", "another of mine").returncode == 0
    wait_for(lambda: b"square bass" in saved(plugin) and b"another of mine" in saved(plugin))
    wait_for(lambda: values(plugin, "denoise", "mix") == [0.45, 0.7])


def test_set_name_value_moves_the_hosts_parameters_and_no_others(world: Path, plugin: ClapHost) -> None:
    others = [row.key for row in TABLE if row.key not in ("denoise", "guidance_mode", "dcw", "output_gain", "status")]
    before = values(plugin, *others)
    for given, expected in (
        (["denoise=40%", "guidance_mode=full", "dcw=on", "output_gain=-6 dB"], [0.4, 3.0, 1.0, -6.0]),
        (["denoise=55", "guidance_mode=0", "dcw=off", "output_gain=0"], [0.55, 0.0, 0.0, 0.0]),
    ):
        result = run(world, "set", *given)
        assert result.returncode == 0, result.stderr
        wait_for(lambda expected=expected: values(plugin, "denoise", "guidance_mode", "dcw", "output_gain") == expected)
    assert values(plugin, *others) == before


def test_a_sound_is_saved_as_a_preset_and_loaded_again(world: Path, plugin: ClapHost) -> None:
    assert run(world, "set", "--prompt-a", "kept for later").returncode == 0
    done = run(world, "presets", "save", "For Later", "--tags", "mine, dub")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == world / "presets" / "For Later.json"
    assert run(world, "set", "--prompt-a", "something else").returncode == 0
    wait_for(lambda: b"something else" in saved(plugin))
    loaded = run(world, "presets", "load", "for later")
    assert loaded.returncode == 0, loaded.stderr
    wait_for(lambda: b"kept for later" in saved(plugin))
    again = run(world, "presets", "save", "For Later")
    assert (again.returncode, "already" in again.stderr) == (1, True)


def test_set_file_embeds_the_audio_in_the_project(world: Path, plugin: ClapHost, tmp_path: Path) -> None:
    tone = np.sin(np.arange(44_100) * 0.05)[:, None] * [0.5, 0.25]
    soundfile.write(tmp_path / "tone.wav", tone, 44_100)
    before = len(saved(plugin))
    result = run(world, "set", "--file", str(tmp_path / "tone.wav"))
    assert result.returncode == 0, result.stderr
    wait_for(lambda: b"tone.wav" in saved(plugin) and len(saved(plugin)) > before + 10_000)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--instance", "zzzz", "--seed", "1"], "zzzz"),
        (["--preset", "No Such"], "No Such"),
        (["--file", "missing.wav"], "missing.wav"),
        (["--prompt-a", "x" * 5000], "prompts"),
        (["--tick", "0"], "--tick 0"),
        (["--tick", "fast"], "250"),
        (["denoise=10%", "loudness=3"], "loudness"),
        (["denoise=much"], "much"),
    ],
)
def test_a_refused_change_is_explained_and_changes_nothing(
    arguments: list[str], word: str, world: Path, plugin: ClapHost
) -> None:
    before = json.loads(run(world, "instances", "--json").stdout)
    result = run(world, "set", *arguments)
    assert result.returncode in (1, 2)
    assert word in result.stderr
    assert "Traceback" not in result.stderr
    assert json.loads(run(world, "instances", "--json").stdout) == before


def test_a_scene_says_where_an_instance_is_and_which_lanes_are_away_from_their_defaults(
    world: Path, plugin: ClapHost
) -> None:
    assert run(world, "set", "denoise=35%", "source_mode=none").returncode == 0
    done = run(world, "scene", "--json")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["region"]["frames"] >= 400
    assert 0.0 <= seen["coverage"]["newest"] <= seen["coverage"]["rendered"] <= 1.0
    assert seen["lag_frames"] == seen["late_windows"] == 0
    (lane,) = [lane for lane in seen["lanes"] if lane["key"] == "denoise"]
    assert lane["lowest"] == lane["highest"] == pytest.approx(0.35, abs=1e-4)
    said = run(world, "scene", seen["instance"][:6])
    assert said.returncode == 0, said.stderr
    assert "Denoise: 35.0 %" in said.stdout
    nobody = run(world, "scene", "zzzz")
    assert (nobody.returncode, "zzzz" in nobody.stderr) == (2, True)


def test_watching_the_instances_shows_what_changes_and_ends_cleanly_with_ctrl_c(world: Path, plugin: ClapHost) -> None:
    environment = {**os.environ, "COLUMNS": "120", "DEMON_RUN_DIR": str(world)}
    command = [*DEMON, "instances", "--watch"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        assert watching.stdout.readline().startswith("instance")
        assert run(world, "set", "--prompt-a", "news for whoever watches").returncode == 0
        assert any("news for whoever watches" in line for line in watching.stdout)
        watching.send_signal(signal.SIGINT)
        assert watching.stderr.read() == ""
    assert watching.returncode == 0


def test_doctor_sees_the_sidecar_and_the_instance(world: Path, plugin: ClapHost) -> None:
    result = run(world, "doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert findings["sidecar"]["level"] == "ok"
    assert "answers" in findings["sidecar"]["text"]
    assert any(name.startswith("instance ") for name in findings)


def test_a_stranger_without_the_token_is_turned_away(world: Path, plugin: ClapHost) -> None:
    found = read_run_file(world)
    assert found is not None
    with pytest.raises(ClientError) as caught:
        Client(msgspec.structs.replace(found, token="0" * 32), timeout_s=10.0)
    assert caught.value.code == "bad_token"
