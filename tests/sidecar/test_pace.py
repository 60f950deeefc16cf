"""The tick that suits a machine, as a function of what was measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.frames import FRAME_RATE, WINDOW
from sidecar.pace import ENOUGH, LADDER, SHARE, Cost, Pace

SECONDS = st.floats(1e-6, 100.0)
ROWS = st.integers(1, 8)
SHARERS = st.integers(1, 64)


@given(tick=SECONDS, window=SECONDS, rows=ROWS, sharers=SHARERS)
def test_the_chosen_tick_is_the_shortest_that_leaves_room(tick: float, window: float, rows: int, sharers: int) -> None:
    cost = Cost(tick, window)
    chosen = cost.tick_frames(rows, sharers)
    fitting = [frames for frames in LADDER if cost.share(frames, rows) <= SHARE / sharers]
    assert chosen == (min(fitting) if fitting else max(LADDER))


@given(tick=SECONDS, window=SECONDS, rows=ROWS, sharers=SHARERS, slower=st.floats(1.0, 100.0))
def test_a_slower_machine_or_more_work_never_gets_a_shorter_tick(
    tick: float, window: float, rows: int, sharers: int, slower: float
) -> None:
    chosen = Cost(tick, window).tick_frames(rows, sharers)
    assert Cost(tick * slower, window * slower).tick_frames(rows, sharers) >= chosen
    assert Cost(tick, window).tick_frames(rows + 1, sharers) >= chosen
    assert Cost(tick, window).tick_frames(rows, sharers + 1) >= chosen


@given(tick=st.floats(1e-4, 1.0), window=st.floats(1e-4, 1.0), rows=ROWS, frames=st.sampled_from(LADDER))
def test_a_share_of_one_is_all_of_real_time(tick: float, window: float, rows: int, frames: int) -> None:
    seconds, ticks, windows = 60, 60 * FRAME_RATE / frames, 60 * FRAME_RATE / WINDOW
    busy = rows * ticks * tick + windows * window
    assert Cost(tick, window).share(frames, rows) == pytest.approx(busy / seconds)


def test_the_reference_cpu_gets_two_frames_for_the_lengths_that_a_bounce_gives_two() -> None:
    # seconds of a forward and a window, one thread (docs/log.md)
    assert Cost(0.0257, 0.05).tick_frames(rows=1) == 2
    assert Cost(0.030, 0.05).tick_frames(rows=1) == 2
    assert Cost(0.119, 0.05).tick_frames(rows=1) == 8


def test_a_cost_is_the_fastest_of_each_once_there_are_enough() -> None:
    pace = Pace()
    for number in range(ENOUGH):
        assert pace.cost is None
        pace.add(4.0 - number, tick=True)
        pace.add(0.5 - number / 10, tick=False)
    assert pace.cost == Cost(4.0 - ENOUGH + 1, 0.5 - (ENOUGH - 1) / 10)
