"""Plans: where regions lie, cross and hand over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from songs import plans

import engine
from engine.song.playhead import needed
from engine.song.regions import EndlessPlan, Plan, bar_frames, endless, plan


@given(plans())
def test_a_plan_covers_every_frame_once_and_crosses_where_it_was_asked_to(
    made: tuple[Plan, int, int, float | None],
):
    whole, region, overlap, bar = made
    heard = np.zeros(whole.frames)
    for index, part in enumerate(whole.regions):
        span = whole.heard(index)
        assert part.frames == min(region, whole.frames)
        assert part.first >= 0
        assert part.end <= whole.frames
        assert part.first % 2 == 0
        assert part.first % 10 == 0 or (part is whole.regions[-1] and whole.frames % 10)
        assert part.first <= span.start
        assert span.stop <= part.end
        heard[span.start : part.handover] += 0.5
        heard[part.handover : span.stop] += 1.0
    for before, after in zip(whole.regions, whole.regions[1:], strict=False):
        assert after.handover - after.fade == overlap
        assert after.fade >= before.handover
        heard[after.fade : after.handover] -= 0.5
        if bar is None:
            assert after.handover == before.end
            assert after is whole.regions[-1] or after.first == before.end - overlap
        else:
            assert abs(after.handover / bar - round(after.handover / bar)) * bar <= 0.5 + 1e-6
            assert before.end - after.handover <= bar + 0.5
    np.testing.assert_array_equal(heard, 1.0)


@given(plans(), st.data())
def test_the_regions_between_two_frames_are_those_heard_there(
    made: tuple[Plan, int, int, float | None], data: st.DataObject
):
    whole = made[0]
    first = data.draw(st.integers(0, whole.frames - 1))
    last = data.draw(st.integers(first + 1, whole.frames))
    expected = [i for i in range(len(whole.regions)) if set(whole.heard(i)) & set(range(first, last))]
    assert list(whole.between(first, last)) == expected


def test_a_song_of_a_region_or_less_is_one_region_of_its_own_length():
    assert [(r.first, r.frames) for r in plan(60, 60, 20).regions] == [(0, 60)]
    assert [(r.first, r.frames) for r in plan(34, 60, 20).regions] == [(0, 34)]
    assert [(r.first, r.frames) for r in plan(62, 60, 20).regions] == [(0, 60), (2, 60)]


def test_bars_move_the_handover_and_not_the_grid():
    bar = bar_frames(128)
    assert bar == 46.875
    made = plan(600, 250, 20, bar)
    assert [r.handover for r in made.regions] == [0, 234, 422]
    assert [r.first for r in made.regions] == [0, 210, 350]


@given(st.floats(-1e4, 1e4))
def test_any_bar_line_may_be_the_one_that_is_known(first_bar: float):
    bar = bar_frames(133)
    made = plan(1000, 250, 20, bar, first_bar)
    for before, after in zip(made.regions, made.regions[1:], strict=False):
        bars = (after.handover - first_bar) / bar
        assert abs(bars - round(bars)) * bar <= 0.5 + 1e-6
        assert before.end - bar - 0.5 <= after.handover <= before.end


@st.composite
def endless_plans(draw: st.DrawFn) -> EndlessPlan:
    region = 10 * draw(st.integers(4, 40))
    overlap = 10 * draw(st.integers(0, region // 20))
    room = region - 2 * overlap - 20
    bar = draw(st.none() | st.floats(1.0, room)) if room >= 1 else None
    return endless(region, overlap, bar, draw(st.floats(0, 1e4)))


@given(endless_plans(), st.integers(0, 10**9), st.integers(1, 900))
def test_a_song_without_an_end_is_covered_wherever_it_is_looked_at(made: EndlessPlan, first: int, frames: int):
    indices = made.between(first, first + frames)
    assert made.region(indices[0]).handover <= first
    assert made.region(indices[-1]).fade < first + frames <= made.region(indices[-1] + 1).fade
    assert made.region(indices[0] + 1).handover > first
    for index in indices:
        region, after = made.region(index), made.region(index + 1)
        assert (region.first % 10, region.frames) == (0, made.length)
        assert region.first <= region.fade <= region.handover <= after.fade <= after.handover <= region.end
        assert made.heard(index) == range(region.fade, after.handover)


def test_a_song_without_an_end_begins_as_one_that_has_one():
    one, other = endless(400), plan(15_000, 400)
    assert [one.region(i) for i in range(len(other.regions) - 1)] == list(other.regions[:-1])


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((61, 60, 20), "frames"),
        ((600, 65, 20), "region"),
        ((600, 20, 0), "region"),
        ((600, 60, 25), "overlap"),
        ((600, 60, 40), "overlap"),
        ((600, 60, 20, 30.0), "bar"),
        ((600, 60, 20, float("nan")), "bar"),
    ],
)
def test_a_plan_refuses_what_it_cannot_lay_out(arguments: tuple[int, int, int, float], field: str):
    with pytest.raises(engine.RequestError) as caught:
        plan(*arguments)
    assert caught.value.field == field
    with pytest.raises(engine.RequestError, match="tempo"):
        bar_frames(0.0)


def test_a_loop_needs_what_comes_after_its_end():
    made = plan(600, 60, 20)
    assert needed(made, 0, 60) == (0, 1)
    assert needed(made, 200, 100) == (4, 5, 6, 7)
    assert needed(made, 200, 100, (10, 220)) == (4, 5, 0, 1, 2)
    assert needed(made, 300, 60, (10, 220)) == needed(made, 300, 60)
    assert needed(made, 0, 6000, (0, 100)) == (0, 1, 2)
    for bad in ((5, 5), (-1, 9), (0, 601)):
        with pytest.raises(engine.RequestError, match="loop"):
            needed(made, 0, 10, bad)
