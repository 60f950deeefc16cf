"""A minute of audio in real-time mode: nothing allocates, locks, waits or enters the kernel on the audio thread."""

import subprocess
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from bridge_rig import Rig
from clip import music
from scenes import RATE, document
from trap_build import Trap

SONG = music(12.0, RATE)
PACED = 5 * RATE  # in step with the clock, so that new audio arrives and crossfades while it plays
LOOP = [[2 * RATE, 8 * RATE]] * 7
SEEKS = [[9 * RATE, 12 * RATE], [-RATE, RATE], [0, 4 * RATE], [11 * RATE, 12 * RATE], [5 * RATE, 8 * RATE]]
MINUTE = PACED + sum(b - a for a, b in LOOP + SEEKS)
BLOCK = 256

# What the interposer must catch inside and not outside; "direct" is a bare system call instruction, which only a kernel
# that dispatches system calls lets it see.
SELF_TEST = {"malloc": "1 0", "mutex": "1 0", "write": "1 0", "futex": "1 0", "nothing": "0 0"}


def lanes() -> list[list]:
    """A point every 25 ms or so on everything that a host may automate while it plays."""
    points = []
    for k, at in enumerate(range(0, SONG.shape[1], 1201)):
        points.append([at, ["denoise", "prompt_blend", "velocity_scale", "mix", "output_gain"][k % 5], (k % 7) / 7])
    return [[0, "true_peak", 1.0], [0, "loudness_match", 1.0], *points]


@pytest.mark.clap
def test_the_trap_catches_what_it_must(trap: Trap) -> None:
    said = subprocess.run([trap.self_test], env={"LD_PRELOAD": str(trap.library)}, capture_output=True, timeout=30)
    found = dict(line.split(" ", 1) for line in said.stdout.decode().splitlines())
    assert {key: found[key] for key in SELF_TEST} == SELF_TEST


@pytest.fixture(params=["clap", "minihost"])
def trapped(request: pytest.FixtureRequest, rig: Rig, trap: Trap) -> Callable[[list[dict]], tuple]:
    """Runs steps under the trap in one host; returns what the host reported and the trap's lines."""
    host = request.param

    def run(steps: list[dict]) -> tuple:
        world = replace(rig, bundles=trap.bundles, jobs=rig.jobs + 1000)
        log = rig.root / f"trap-{host}.log"
        state = world.state(host, f"trapped-{host}", *document(SONG))
        extra = trap.environment(log)
        result = world.job(host, [{"do": "load", "from": state}, *steps], extra=extra)
        return result, log.read_text().splitlines()

    return run


def test_a_minute_of_audio_makes_no_forbidden_call(trapped: Callable[[list[dict]], tuple]) -> None:
    live = {"do": "play", "offline": False, "blocks": BLOCK, "events": lanes(), "origin": -RATE}
    song = np.concatenate([np.zeros((2, RATE), np.float32), SONG], axis=1)  # Ardour plays from negative positions
    result, report = trapped(
        [
            {"do": "await", "status": ["Ready", "Dry"], "limit": 60},
            {**live, "audio": song, "segments": [[0, PACED]], "pace": True, "out": "paced.npy", "stop": False},
            {**live, "audio": song, "segments": LOOP + SEEKS, "out": "fast.npy"},
        ]
    )
    assert MINUTE >= 60 * RATE
    assert not np.array_equal(result.audio("paced.npy"), SONG[:, :PACED]), "nothing rendered was played"
    counts = dict(line.split(" ", 1) for line in report if not line.startswith("caught"))
    assert int(counts["entries"]) >= MINUTE // BLOCK
    assert [line for line in report if line.startswith("caught")] == []
