"""A bounce is the same bytes at any block size, from a fresh sidecar, from CLAP and VST3, and from no host at all."""

from pathlib import Path

import numpy as np
import pytest
from bridge_rig import Result, Rig
from headless import headless
from scenes import LANES, RATE, SONG, bounce, distance, document

SIZES = [64, 480, 512, 1024, 4096]
RANDOM = [int(n) for n in np.random.default_rng(5).integers(1, 4096, 64)]
SHORT = SONG[:, : RATE // 2]


def passes(rig: Rig, host: str, only_reference: bool = False) -> Result:
    """The lanes of `scenes` bounced in one host at every block size, and a short clip at block size 1."""
    state = rig.state(host, f"{host}-file-{rig.jobs}", *document(SONG))
    steps = [{"do": "load", "from": state}, bounce("512", events=LANES, blocks=512)]
    if not only_reference:
        steps += [bounce(str(n), events=LANES, blocks=n) for n in SIZES if n != 512]
        steps += [bounce("random", events=LANES, blocks=RANDOM)]
        steps += [
            bounce("short-512", SHORT, events=LANES, blocks=512),
            bounce("short-1", SHORT, events=LANES, blocks=1),
        ]
        plain = {"output_gain": 0.0, "true_peak": 0.0, "loudness_match": 0.0}  # the lanes leave them elsewhere
        steps += [{"do": "set", "values": {**plain, "mix": 0.0}}, bounce("dry", events=[[0, "mix", 0.0]])]
        steps += [{"do": "set", "values": {"mix": 1.0, "denoise": 0.1}}, bounce("control")]
    return rig.job(host, steps, block=4096)


@pytest.fixture(scope="module", params=["minihost", "clap"])
def bounces(request: pytest.FixtureRequest, rig: Rig) -> Result:
    return passes(rig, request.param)


@pytest.fixture(scope="module")
def clap_bounce(rig: Rig) -> np.ndarray:
    return passes(rig, "clap", only_reference=True).audio("512.npy")


@pytest.mark.parametrize("size", [*map(str, SIZES), "random"])
def test_the_bytes_do_not_depend_on_the_block_size(bounces: Result, size: str) -> None:
    assert bounces.audio(f"{size}.npy").tobytes() == bounces.audio("512.npy").tobytes()


def test_a_block_of_one_sample_gives_the_same_bytes(bounces: Result) -> None:
    assert bounces.audio("short-1.npy").tobytes() == bounces.audio("short-512.npy").tobytes()


def test_these_bounces_are_wet_and_their_lanes_act(bounces: Result) -> None:
    assert np.array_equal(bounces.audio("dry.npy"), SONG)
    assert distance(bounces.audio("512.npy"), SONG) > 0.05
    assert distance(bounces.audio("control.npy"), bounces.audio("512.npy")) > 0.01
    assert distance(bounces.audio("short-1.npy"), SHORT) > 0.01


def test_clap_and_vst3_give_the_same_bytes(bounces: Result, clap_bounce: np.ndarray) -> None:
    assert bounces.audio("512.npy").tobytes() == clap_bounce.tobytes()


@pytest.mark.clap
def test_a_second_fresh_sidecar_gives_the_same_bytes(fresh_rig: Rig, clap_bounce: np.ndarray) -> None:
    fresh_rig.start_sidecar()
    assert passes(fresh_rig, "clap", only_reference=True).audio("512.npy").tobytes() == clap_bounce.tobytes()


@pytest.mark.clap
def test_the_command_line_gives_the_bytes_of_a_host_that_learned(rig: Rig, tmp_path: Path) -> None:
    learn = [{"do": "load", "from": rig.state("clap", "learn-bytes", *document())}, bounce("learn")]
    result = rig.job("clap", [*learn, bounce("host", events=LANES)])
    assert distance(result.audio("host.npy"), SONG) > 0.05
    assert headless(rig, tmp_path, document()[0], LANES).tobytes() == result.audio("host.npy").tobytes()


@pytest.mark.clap
def test_the_command_line_follows_a_tempo_and_metre_as_a_host_gives_them(rig: Rig, tmp_path: Path) -> None:
    wanted, sources = document()
    wanted["song"] = {"tempo": "follow", "metre": "follow"}
    load = {"do": "load", "from": rig.state("clap", "follow-bytes", wanted, sources)}
    learn = [load, {"do": "beat", "tempo": 97.0, "metre": [3, 4]}, bounce("learn")]
    host = rig.job("clap", [*learn, bounce("host", events=LANES)]).audio("host.npy")
    told = headless(rig, tmp_path, wanted, LANES, "--tempo", "97", "--metre", "3/4", "--no-check")
    assert told.tobytes() == host.tobytes()
