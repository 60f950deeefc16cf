"""Sample rates, block sizes, channel layouts and reloads that a host may ask for."""

import numpy as np
import pytest
from bridge_rig import Rig
from clip import music
from scenes import bounce, distance, document, loudness


@pytest.mark.parametrize("host", ["clap", "minihost"])
@pytest.mark.parametrize("rate", [44100, 48000, 88200, 96000, 192000])
def test_a_bounce_works_at_every_rate(rig: Rig, host: str, rate: int) -> None:
    song = music(1.2, rate)
    state = rig.state(host, f"{host}-{rate}", *document(song, rate))
    odd = [0, 1, 441, 0, 2048, 3] if host == "clap" else [1, 441, 2048, 3]
    steps = [
        {"do": "load", "from": state},
        bounce("wet", song),
        bounce("odd", song, blocks=odd),
        {"do": "set", "values": {"mix": 0.0}},
        bounce("dry", song),
    ]
    result = rig.job(host, steps, rate=rate, block=2048)
    wet = result.audio("wet.npy")
    assert np.array_equal(result.audio("dry.npy"), song)
    assert distance(wet, song) > 0.02
    assert loudness(wet) > 0.1 * loudness(song)
    assert result.audio("odd.npy").tobytes() == wet.tobytes()


@pytest.mark.clap
def test_a_source_of_another_rate_is_used(rig: Rig) -> None:
    """A project made at 44.1 kHz opened at 48 kHz."""
    source, song = music(1.2, 44100), music(1.2, 48000)
    state = rig.state("clap", "other-rate", *document(source, 44100))
    wet = rig.job("clap", [{"do": "load", "from": state}, bounce("wet", song)]).audio("wet.npy")
    assert distance(wet, song) > 0.02
    assert loudness(wet) > 0.1 * loudness(song)


@pytest.mark.clap
def test_buffers_that_are_not_stereo_pass_through(rig: Rig) -> None:
    """Against the declared layout, as some hosts do it: nothing crashes, what there is of the signal is kept."""
    steps = [{"do": "channels", "count": count} for count in (1, 6, 0, 2)]
    result = rig.job("clap", [*steps, {"do": "idle"}])
    assert [step["changed"] for step in result.steps if step["do"] == "channels"] == [0.0] * 4


@pytest.mark.pedalboard
def test_a_mono_signal_in_a_stereo_plugin_is_refused_or_handled(rig: Rig) -> None:
    song = music(0.5)
    mono = {"do": "bounce", "audio": np.ascontiguousarray(song[:1]), "out": "mono.npy", "may_refuse": True}
    result = rig.job("pedalboard", [mono, bounce("after", song)])
    assert np.array_equal(result.audio("after.npy"), song)


@pytest.mark.parametrize("host", ["clap", "minihost"])
def test_thirty_reloads_leave_nothing_behind(rig: Rig, host: str) -> None:
    held = np.array(rig.job(host, [{"do": "reload", "times": 30, "wait": 0.05}]).step("reload")["held"])
    files, tasks, memory = held[9:].T
    assert files.max() <= held[9, 0] + 1
    assert tasks.max() <= held[9, 1] + 1
    assert memory[-1] - memory[0] < 16 * 2**20
