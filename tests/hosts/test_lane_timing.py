"""Where in song time an automation lane acts, measured on the output."""

import numpy as np
import pytest
from bridge_rig import Result, Rig
from scenes import LONGEST_LAG, RATE, SONG, bounce, distance, document

pytestmark = pytest.mark.clap

FRAME = RATE // 25
MIX_STEPS = {40_000: 21 * FRAME, 21 * FRAME: 21 * FRAME, 21 * FRAME + 1: 22 * FRAME}
TURN = 24 * FRAME


@pytest.fixture(scope="module")
def lanes(rig: Rig) -> Result:
    """`mix` steps at samples inside, on and just after a frame's start; `denoise` 0 then 1, and 0 throughout."""
    steps = [{"do": "load", "from": rig.state("clap", "timing", *document(SONG))}]
    steps += [{"do": "set", "values": {"denoise": 0.8}}, bounce("wet", events=[[0, "mix", 1.0]])]
    for at in MIX_STEPS:
        steps.append(bounce(f"mix-{at}", events=[[0, "mix", 0.0], [at, "mix", 1.0]]))
    steps.append(bounce("still", events=[[0, "mix", 1.0], [0, "denoise", 0.0]]))
    steps.append(bounce("turned", events=[[0, "denoise", 0.0], [TURN, "denoise", 1.0]]))
    return rig.job("clap", steps)


@pytest.mark.parametrize("asked", MIX_STEPS)
def test_a_step_of_mix_begins_at_the_next_frame_and_takes_ten_milliseconds(lanes: Result, asked: int) -> None:
    start, ramp = MIX_STEPS[asked], RATE // 100
    wet, out = lanes.audio("wet.npy"), lanes.audio(f"mix-{asked}.npy")
    assert np.array_equal(out[:, :start], SONG[:, :start])
    assert np.array_equal(out[:, start + ramp :], wet[:, start + ramp :])
    weight = (np.arange(ramp, dtype=np.float32) + 1) / np.float32(ramp)
    dry, target = SONG[:, start : start + ramp], wet[:, start : start + ramp]
    assert np.allclose(out[:, start : start + ramp], dry + (target - dry) * weight, atol=1e-6)
    assert distance(wet[:, start : start + ramp], dry) > 1e-3, "wet and dry are alike here, so nothing was measured"


def test_denoise_zero_then_one_leaves_what_came_before_the_step(lanes: Result) -> None:
    still, turned = lanes.audio("still.npy"), lanes.audio("turned.npy")
    assert np.array_equal(turned[:, :TURN], still[:, :TURN])


def test_denoise_zero_then_one_is_heard_within_the_declared_lag(lanes: Result) -> None:
    still, turned = lanes.audio("still.npy"), lanes.audio("turned.npy")
    changed = np.nonzero(np.abs(turned - still).max(axis=0) > 1e-4)[0]
    assert len(changed), "the step was never heard"
    assert TURN <= changed[0] <= TURN + LONGEST_LAG * FRAME
    assert distance(turned[:, TURN + LONGEST_LAG * FRAME :], still[:, TURN + LONGEST_LAG * FRAME :]) > 0.01
