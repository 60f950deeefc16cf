"""SIGKILL to the sidecar: a playing host keeps what was rendered and gets a new one; a bounce ends with an error."""

from itertools import pairwise

import numpy as np
import pytest
from bridge_rig import Rig
from clip import music
from scenes import CLOCK, RATE, bounce, distance, document

SONG = music(12.0, RATE)
LAP = 3 * RATE  # the first three seconds, played twice
ELSEWHERE = 5 * RATE  # then a stretch that was never played before
KILL_AT = LAP + RATE
RECOVERY = 5.0  # the acceptance figure: seconds from the kill to new audio


def wet_spans(out: np.ndarray, dry: np.ndarray, size: int = 480) -> np.ndarray:
    """Per `size` samples, whether the output differs from the dry signal."""
    count = out.shape[1] // size
    error = np.abs(out - dry)[:, : count * size].reshape(2, count, size)
    return error.max(axis=(0, 2)) > 1e-4


def changes(play: dict) -> list[tuple[float, str]]:
    """Status changes after the kill, in seconds from it."""
    after = [(round(time - play["killed"]["time"], 2), status) for time, _, _, status in play["log"]]
    seen = [(time, status) for time, status in after if time >= 0]
    return [seen[0], *(b for a, b in pairwise(seen) if a[1] != b[1])]


@pytest.mark.clap
def test_a_playing_host_keeps_what_was_rendered_and_a_new_sidecar_renders_within_five_seconds(fresh_rig: Rig) -> None:
    segments = [[0, LAP], [0, LAP], [ELSEWHERE, 12 * RATE]]
    dry = np.concatenate([SONG[:, a:b] for a, b in segments], axis=1)
    slow = {**CLOCK, "depth": 1, "tick_frames": 5}
    result = fresh_rig.job(
        "clap",
        [
            {"do": "load", "from": fresh_rig.state("clap", "live", *document(SONG, clock=slow))},
            {"do": "await", "status": ["Ready"], "limit": 90},
            {
                "do": "play",
                "audio": SONG,
                "segments": segments,
                "blocks": 480,
                "offline": False,
                "pace": True,
                "log": True,
                "kill_at": KILL_AT,
                "out": "live.npy",
            },
        ],
    )
    play = result.step("play")
    wet = wet_spans(result.audio("live.npy"), dry)
    kill = play["killed"]["played"] // 480
    first_lap, second_lap = wet[: LAP // 480], wet[LAP // 480 : 2 * LAP // 480]
    assert first_lap.mean() > 0.5, "the machine never kept pace, so the test shows nothing"
    rendered = np.nonzero(first_lap[RATE // 480 :])[0] + RATE // 480
    assert second_lap[rendered].mean() > 0.98
    new = np.nonzero(wet[2 * LAP // 480 :])[0]
    assert len(new), f"no new audio after the kill\n{fresh_rig.sidecar_log()[-2000:]}"
    heard = 2 * LAP // 480 + new[0]
    seconds = (heard - kill) * 480 / RATE
    print(f"new audio {seconds:.2f} s after the kill; status: {changes(play)}")
    assert fresh_rig.run_file()["pid"] != play["killed"]["pid"]
    assert seconds <= RECOVERY


@pytest.mark.parametrize("host", ["clap", "minihost"])
def test_a_bounce_whose_sidecar_dies_ends_with_a_visible_error(fresh_rig: Rig, host: str) -> None:
    song = SONG[:, : 4 * RATE]
    fresh_rig.start_sidecar()
    result = fresh_rig.job(
        host,
        [
            {"do": "load", "from": fresh_rig.state(host, "doomed", *document(song))},
            bounce("out", song, kill_at=RATE),
        ],
        limit=90,
    )
    out = result.audio("out.npy")
    assert result.step("bounce")["status"] == "Failed"
    assert result.step("bounce")["seconds"] < 45
    assert np.isfinite(out).all()
    assert distance(out[:, : RATE // 2], song[:, : RATE // 2]) > 0.01
    assert np.array_equal(out[:, 2 * RATE :], song[:, 2 * RATE :])
