"""Lanes: what is known at a virtual frame depends on breakpoints before it, and on nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.frames import centre, first_sample
from sidecar.lane import MAX_BREAKPOINTS, Lane
from sidecar.lanes import LaneSet
from sidecar.parameters import TABLE
from sidecar.region import Region
from sidecar.track import Memory

RATE = 48_000
REGION = Region(0, 50)
DEFAULTS = {row.key: row.default for row in TABLE}

points = st.lists(st.tuples(st.integers(0, 96_000), st.floats(0, 1, width=32), st.booleans()), max_size=20).map(
    lambda rows: sorted(rows, key=lambda row: row[0])
)


def lane_of(rows: list[tuple[int, float, bool]]) -> Lane:
    lane = Lane(0, 0.25)
    for position, value, ramp in rows:
        lane.add(position, value, ramp=ramp)
    return lane


def lanes(start: int = 0, memory: Memory | None = None, **values: float) -> LaneSet:
    made = LaneSet(RATE, start, {**DEFAULTS, **values}, memory)
    made.prime()
    return made


@given(points, st.lists(st.integers(-1000, 100_000), min_size=1, max_size=30))
def test_many_positions_give_what_each_gives_alone(rows: list, where: list[int]) -> None:
    lane = lane_of(rows)
    assert lane.sample(np.array(where)).tolist() == [lane.at(position) for position in where]


@given(points, st.integers(1, 50))
def test_the_polyline_after_a_frame_does_not_change_what_is_known_there(rows: list, frame: int) -> None:
    limit = first_sample(frame, RATE)
    with_future, without = lanes(), lanes()
    under_way = next((row for row in rows if row[0] >= limit), None)
    for position, value, ramp in rows:
        with_future.add("denoise", position, value, ramp=ramp)
        if position < limit:
            without.add("denoise", position, value, ramp=ramp)
    if under_way is not None and under_way[2]:
        without.add("denoise", under_way[0], under_way[1], ramp=True)
    with_future.settle(frame)
    without.settle(frame)
    assert with_future.frames("denoise", REGION).tobytes() == without.frames("denoise", REGION).tobytes()
    assert with_future.changes == without.changes


def test_a_ramp_under_way_is_held_where_its_line_has_got_to() -> None:
    made = lanes(denoise=0.0)
    made.add("denoise", 96_000, 1.0, ramp=True)
    made.settle(25)
    assert made.hold("denoise") == 47_999 / 96_000
    assert (made.frames("denoise", REGION)[25:] == np.float32(47_999 / 96_000)).all()


@given(points, st.sets(st.integers(1, 49)))
def test_the_frames_at_which_a_lane_was_looked_at_do_not_matter(rows: list, looks: set[int]) -> None:
    stepwise, at_once = lanes(), lanes()
    for position, value, ramp in rows:
        stepwise.add("denoise", position, value, ramp=ramp)
        at_once.add("denoise", position, value, ramp=ramp)
    for frame in [*sorted(looks), 50]:
        stepwise.settle(frame)
    at_once.settle(50)
    assert stepwise.frames("denoise", REGION).tobytes() == at_once.frames("denoise", REGION).tobytes()


def test_a_ramp_is_read_at_the_centre_of_each_frame() -> None:
    made = lanes(denoise=0.0)
    made.add("denoise", 48_000, 1.0, ramp=True)
    made.settle(50)
    values = made.frames("denoise", REGION)
    for frame in range(25):
        assert values[frame] == np.float32(centre(frame, RATE) / 48_000)
    assert (values[25:] == 1.0).all()


def test_a_step_holds_until_the_next_breakpoint_and_a_ramp_leads_there() -> None:
    lane = lane_of([(100, 0.5, False), (200, 1.0, True)])
    assert lane.at(150) == 0.75
    assert lane.at(99) == 0.25
    assert lane.at(5000) == 1.0


def test_frames_before_the_pass_hold_its_first_value() -> None:
    made = lanes(start=48_000, denoise=0.5)
    made.add("denoise", 60_000, 1.0)
    made.settle(40)
    values = made.frames("denoise", REGION)
    assert (values[:31] == 0.5).all()
    assert (values[32:] == 1.0).all()


def test_a_loop_reuses_the_round_before_as_long_as_it_is_the_same() -> None:
    first = lanes(denoise=0.0)
    first.add("denoise", 48_000, 1.0)
    first.settle(40)
    second = lanes(memory=first.remember(), denoise=0.005)
    second.settle(10)
    values = second.frames("denoise", REGION)
    assert (values[:10] == np.float32(0.005)).all()  # within what a host's blocks make of one line
    assert (values[10:25] == 0.0).all()
    assert (values[25:40] == 1.0).all()
    assert (values[40:] == np.float32(0.005)).all()  # never reached: held


@pytest.mark.parametrize("moved", [0, 10 * 1920])
def test_a_knob_turned_in_a_loop_holds_from_there_on_whatever_the_round_before_did(moved: int) -> None:
    first = lanes(denoise=0.0)
    first.add("denoise", 48_000, 1.0)
    first.settle(40)
    second = lanes(memory=first.remember(), denoise=0.0)
    second.add("denoise", moved, 0.25)
    second.settle(11)
    assert (second.frames("denoise", REGION)[moved // 1920 :] == 0.25).all()


def test_memory_follows_the_region_that_it_is_asked_for() -> None:
    memory = Memory(10, {"denoise": np.arange(10, dtype=np.float32)})
    values = memory.over("denoise", Region(0, 50))
    assert values[10:20].tolist() == list(range(10))
    assert np.isnan(values[:10]).all()
    assert np.isnan(values[20:]).all()


@pytest.mark.parametrize("limit", [MAX_BREAKPOINTS])
def test_points_without_blocks_cannot_fill_the_memory(limit: int) -> None:
    lane = Lane(0, 0.0)
    for number in range(limit + 100):
        lane.add(number, float(number))
    assert len(lane) == limit
    assert lane.at(limit + 200) == limit + 99
