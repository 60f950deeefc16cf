"""With a look-ahead a first pass and a first bounce transform the track, from its first sample to the stop.

Nothing is known of the track beforehand: what is heard was rendered from what the host played a latency earlier.
"""

from pathlib import Path

import numpy as np
import pytest
from bridge_rig import Rig
from headless import headless
from numpy.typing import NDArray
from scenes import RATE, SONG, distance, document

SECONDS = 4.0
LATENCY = round(SECONDS * RATE)
CHUNK = 2048
FRAMES = 1920 * 5
"""0.2 s, over which a difference to the track is looked for."""

LANES = [(0, "mix", 1.0), (60_000, "denoise", 0.95), (90_000, "mix", 0.5), (110_000, "prompt_blend", 1.0)]


def first(rig: Rig, host: str, name: str, *, offline: bool = True, blocks: int = 512, **more: object) -> list[dict]:
    """A plugin that knows nothing of the track, and a pass over it with a stop."""
    state = rig.state(host, f"first-{host}-{name}", *document(look_ahead=SECONDS, **more))
    play = {"do": "play", "audio": SONG, "offline": offline, "blocks": blocks, "events": LANES, "out": f"{name}.npy"}
    ready = {"do": "await", "status": ["Dry"], "limit": 60}
    return [{"do": "load", "from": state}, {"do": "activate"}, ready, {**play, "tail": LATENCY, "pace": not offline}]


def is_wet(out: NDArray[np.float32]) -> bool:
    """The output is other than the track everywhere."""
    parts = range(0, SONG.shape[1] - FRAMES + 1, FRAMES)
    return all(distance(out[:, at : at + FRAMES], SONG[:, at : at + FRAMES]) > 1e-3 for at in parts)


@pytest.mark.parametrize("host", ["clap", "minihost"])
def test_a_first_bounce_is_wet_to_its_stop_and_is_what_the_command_line_renders(
    rig: Rig, host: str, tmp_path: Path
) -> None:
    outs = [
        rig.job(host, first(rig, host, f"offline-{blocks}", blocks=blocks), block=4096).audio(f"offline-{blocks}.npy")
        for blocks in (512, 4096)
    ]
    assert outs[0].tobytes() == outs[1].tobytes()
    assert not outs[0][:, :LATENCY].any()
    heard = np.ascontiguousarray(outs[0][:, LATENCY:])
    assert is_wet(heard)
    assert heard.tobytes() == headless(rig, tmp_path, document(look_ahead=SECONDS)[0], LANES).tobytes()


@pytest.mark.parametrize("host", ["clap", "minihost"])
def test_every_round_of_a_loop_shorter_than_the_look_ahead_is_the_same_and_wet(rig: Rig, host: str) -> None:
    rounds, end = 3, RATE
    outs = []
    for blocks in (512, 4096):
        *ready, play = first(rig, host, f"loop-{blocks}", blocks=blocks)
        play |= {"segments": [[0, end]] * rounds, "events": []}
        outs.append(rig.job(host, [*ready, play], block=4096).audio(play["out"])[:, LATENCY:])
    assert outs[0].tobytes() == outs[1].tobytes()
    heard = [outs[0][:, end * number : end * (number + 1)] for number in range(rounds)]
    assert distance(heard[0][:, -FRAMES:], SONG[:, end - FRAMES : end]) > 1e-3
    assert all(again.tobytes() == heard[0].tobytes() for again in heard[1:])


@pytest.mark.clap
def test_a_first_live_pass_is_the_bounce_to_its_stop(rig: Rig) -> None:
    steps = [*first(rig, "clap", "live", offline=False), *first(rig, "clap", "bounce")]
    result = rig.job("clap", steps)
    live, bounced = (result.audio(f"{name}.npy")[:, LATENCY:] for name in ("live", "bounce"))
    wrong = np.concatenate([[False], (live != bounced).any(axis=0)])
    begins = np.flatnonzero(wrong[1:] & ~wrong[:-1])
    assert not (begins % CHUNK).any(), "something other than a chunk that came too late was heard"
    assert not wrong[-FRAMES:].any(), "the end came too late, though nothing else was to do"


@pytest.mark.pedalboard
def test_a_first_bounce_in_pedalboard_is_wet_where_the_track_is(rig: Rig) -> None:
    state = rig.state("pedalboard", "first-pedalboard", *document(look_ahead=SECONDS))
    steps = [
        {"do": "load", "from": state},
        {"do": "activate"},
        {"do": "set", "values": {"free_run": 1.0}},  # it never plays
        {"do": "bounce", "audio": SONG, "out": "out.npy"},
    ]
    out = rig.job("pedalboard", steps, block=SONG.shape[1]).audio("out.npy")  # compensated within one call
    assert is_wet(out)
