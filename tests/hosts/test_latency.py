"""A look-ahead is declared as latency, and what the host makes of it stays where it was."""

import numpy as np
import pytest
from bridge_rig import Rig
from scenes import RATE, SONG, distance, document

LOOK_AHEAD = 0.1
IMPULSE = 10_007


def dry(rig: Rig, host: str, rate: int, look_ahead: float) -> str:
    """A state that is bypassed, so that nothing waits for a sidecar."""
    return rig.state(host, f"{host}-{rate}-{look_ahead}", *document(look_ahead=look_ahead, parameters={"bypass": 1.0}))


def impulse(samples: int) -> np.ndarray:
    song = np.zeros((2, samples), np.float32)
    song[:, IMPULSE] = (1.0, -0.5)
    return song


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("host", ["clap", "minihost"])
def test_an_impulse_comes_out_as_much_later_as_the_plugin_declares(rig: Rig, host: str, rate: int) -> None:
    latency = round(LOOK_AHEAD * rate)
    song = impulse(IMPULSE + latency + 5_000)
    steps = [
        {"do": "load", "from": dry(rig, host, rate, LOOK_AHEAD)},
        {"do": "activate"},
        {"do": "play", "audio": song, "offline": True, "blocks": [512, 1, 2048, 77], "out": "late.npy"},
        {"do": "load", "from": dry(rig, host, rate, 0.0)},
        {"do": "activate"},
        {"do": "play", "audio": song, "offline": True, "blocks": 512, "out": "now.npy"},
    ]
    result = rig.job(host, steps, rate=rate, block=2048)
    assert [result.step("activate", n)["latency"] for n in (0, 1)] == [latency, 0]
    late = result.audio("late.npy")
    assert not late[:, :latency].any()
    assert np.array_equal(late[:, latency:], song[:, :-latency])
    assert np.array_equal(result.audio("now.npy"), song)


@pytest.mark.pedalboard
@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_pedalboard_compensates_so_that_the_impulse_stays(rig: Rig, rate: int) -> None:
    song = impulse(rate)
    steps = [
        {"do": "load", "from": dry(rig, "pedalboard", rate, LOOK_AHEAD)},
        {"do": "activate"},
        {"do": "bounce", "audio": song, "out": "out.npy"},
    ]
    result = rig.job("pedalboard", steps, rate=rate, block=rate)  # compensated within one call
    assert result.step("activate")["latency"] == round(LOOK_AHEAD * rate)
    assert np.array_equal(result.audio("out.npy"), song)


def ahead(rig: Rig, seconds: float, blocks: list[int]) -> np.ndarray:
    """What comes out of a first bounce with a look-ahead, from where the song's start is heard."""
    state = rig.state("clap", f"ahead-{seconds}", *document(look_ahead=seconds))
    latency = round(seconds * RATE)
    audio = np.concatenate([SONG, np.zeros((2, latency), np.float32)], axis=1)
    steps = [
        {"do": "load", "from": state},
        {"do": "activate"},
        {"do": "play", "audio": audio, "offline": True, "blocks": blocks, "out": "out.npy"},
    ]
    return rig.job("clap", steps, limit=60).audio("out.npy")[:, latency:]


@pytest.mark.clap
@pytest.mark.parametrize("seconds", [2.08, 2.4])
def test_the_shortest_look_aheads_are_rendered_whatever_the_blocks(rig: Rig, seconds: float) -> None:
    outs = [ahead(rig, seconds, blocks) for blocks in ([512], [77, 1000])]
    assert distance(outs[0][:, : RATE // 10], SONG[:, : RATE // 10]) > 0.05
    assert outs[0].tobytes() == outs[1].tobytes()


@pytest.mark.clap
def test_a_look_ahead_too_short_to_render_from_keeps_nobody_waiting(rig: Rig) -> None:
    """A bounce would wait for windows that need what it has yet to play."""
    assert np.array_equal(ahead(rig, 2.0, [512]), SONG)
