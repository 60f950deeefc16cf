"""One binary in four hosts, three of which nobody here wrote: parameter table, learn pass, bounce, lane."""

import numpy as np
import pytest
from bridge_rig import Result, Rig
from parameter_table import TABLE
from scenes import LONGEST_LAG, RATE, SONG, bounce, distance, document, loudness

STEP = SONG.shape[1] // 2


@pytest.fixture(scope="module", params=["minihost", "pedalboard", "dawdreamer", "clap"])
def visit(request: pytest.FixtureRequest, rig: Rig) -> Result:
    """Learn, then bounce: wet, dry twin, control value, and a lane that steps from the control value to the wet one."""
    host = request.param
    state = rig.state(host, f"{host}-learn", *document())
    clock = {"free_run": 1.0} if host == "pedalboard" else {}
    return rig.job(
        host,
        [
            {"do": "parameters"},
            {"do": "load", "from": state},
            {"do": "set", "values": {"denoise": 0.8, **clock}},
            bounce("learn"),
            bounce("wet"),
            {"do": "set", "values": {"mix": 0.0}},
            bounce("dry"),
            {"do": "set", "values": {"mix": 1.0, "denoise": 0.1}},
            bounce("control"),
            bounce("lane", events=[[0, "denoise", 0.1], [STEP, "denoise", 0.8]]),
        ],
    )


def test_a_host_lists_the_parameter_table(visit: Result) -> None:
    listed = visit.step("parameters")["parameters"]
    by_name = {row["name"]: row for row in listed}
    assert set(by_name) == {row.name for row in TABLE.values()}
    for row in TABLE.values():
        seen = by_name[row.name]
        assert seen["default"] == pytest.approx(row.default, abs=(row.max - row.min) / 65536), row.key
        if "id" in seen:
            assert seen["id"] == row.id


def test_the_pass_that_learns_is_dry(visit: Result) -> None:
    assert np.array_equal(visit.audio("learn.npy"), SONG)


def test_a_bounce_is_wet_and_its_dry_twin_is_the_input(visit: Result) -> None:
    wet, dry = visit.audio("wet.npy"), visit.audio("dry.npy")
    assert np.array_equal(dry, SONG)
    assert distance(wet, dry) > 0.05
    assert loudness(wet) > 0.1 * loudness(dry)
    assert np.isfinite(wet).all()


def test_a_control_value_changes_the_bounce(visit: Result) -> None:
    assert distance(visit.audio("wet.npy"), visit.audio("control.npy")) > 0.01


def test_a_lane_acts_after_its_step_and_not_before(visit: Result) -> None:
    lane, control = visit.audio("lane.npy"), visit.audio("control.npy")
    assert np.array_equal(lane[:, :STEP], control[:, :STEP])
    late = STEP + LONGEST_LAG * RATE // 25
    assert distance(lane[:, late:], control[:, late:]) > 0.005
