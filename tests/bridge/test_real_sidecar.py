"""The real plugin and the real service: they meet, they refuse each other where they must; each survives the other."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from bridge_rig import Bundles, Result, Rig
from clip import music
from scenes import RATE, bounce, distance, document

from sidecar.protocol import PROTOCOL

SONG = music(1.5, RATE)
CAP = {"DEMON_OFFLINE_CAP_MS": "3000"}


@pytest.fixture(scope="module")
def served(bundles: Bundles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A world with a live sidecar."""
    rig = Rig(tmp_path_factory.mktemp("served"), bundles)
    try:
        rig.start_sidecar()
        yield rig
    finally:
        rig.stop()


@pytest.fixture
def run_file(served: Rig) -> Iterator[Path]:
    """The live sidecar's run file, put back as it was."""
    path = served.run_dir / "sidecar.json"
    before = path.read_bytes()
    yield path
    path.write_bytes(before)


def visit(rig: Rig, extra: dict[str, str] | None = None) -> Result:
    """A state with its source, a bounce, the status afterwards."""
    state = rig.state("clap", f"visit-{rig.jobs}", *document(SONG))
    return rig.job("clap", [{"do": "load", "from": state}, bounce("out", SONG)], limit=60, extra=extra)


def test_they_meet_and_render(served: Rig) -> None:
    result = visit(served)
    assert result.step("bounce")["status"] == "Ready"
    assert distance(result.audio("out.npy"), SONG) > 0.02


@pytest.mark.parametrize(("key", "value"), [("token", "0" * 32), ("protocol", PROTOCOL + 1)])
def test_a_run_file_with_a_wrong_key_leaves_the_plugin_dry(
    served: Rig, run_file: Path, key: str, value: object
) -> None:
    run_file.write_text(json.dumps({**json.loads(run_file.read_text()), key: value}))
    result = visit(served, CAP)
    assert np.array_equal(result.audio("out.npy"), SONG)
    assert result.step("bounce")["status"] == "Failed"


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"protocol":1}', b"\xff" * 100, b'{"protocol":1,"pid":1,"port":0}']
)
def test_a_damaged_run_file_leaves_the_plugin_dry(served: Rig, run_file: Path, text: bytes) -> None:
    run_file.write_bytes(text)
    assert np.array_equal(visit(served, CAP).audio("out.npy"), SONG)


def test_the_service_outlives_a_host_that_vanishes(served: Rig) -> None:
    state = served.state("clap", "vanish", *document(SONG))
    served.job("clap", [{"do": "load", "from": state}, bounce("out", SONG), {"do": "vanish"}], code=7)
    assert visit(served).step("bounce")["status"] == "Ready"


def test_without_a_launch_file_the_plugin_is_offline_and_dry(world: Rig) -> None:
    world.launch_file.unlink()
    result = visit(world)
    assert np.array_equal(result.audio("out.npy"), SONG)
    assert result.step("bounce")["status"] == "Offline"
    assert result.step("bounce")["seconds"] < 5


@pytest.mark.parametrize("command", [["/bin/false"], ["/nonexistent/python"], ["/bin/sleep", "30"]])
def test_a_sidecar_that_does_not_start_ends_a_bounce_within_its_cap(world: Rig, command: list[str]) -> None:
    world.write_launch_file(command)
    result = visit(world, CAP)
    assert np.array_equal(result.audio("out.npy"), SONG)
    assert result.step("bounce")["status"] in ("Failed", "Offline")


def test_a_live_host_is_dry_and_never_waits_while_there_is_no_sidecar(world: Rig) -> None:
    play = {"do": "play", "audio": SONG, "blocks": 64, "offline": False, "out": "out.npy"}
    state = world.state("clap", "alone", *document(SONG))
    result = world.job("clap", [{"do": "load", "from": state}, play], limit=60)
    assert np.array_equal(result.audio("out.npy"), SONG)
    assert result.step("play")["status"] in ("Starting", "Offline", "Failed")
