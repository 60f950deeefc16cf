"""A song longer than a region, and any plan of one."""

from hypothesis import strategies as st

from engine.song.regions import Plan, plan

SONG = 190
SHAPE = {"region": 60, "overlap": 20}


@st.composite
def plans(draw: st.DrawFn) -> tuple[Plan, int, int, float | None]:
    region = 10 * draw(st.integers(3, 40))
    overlap = 10 * draw(st.integers(0, region // 20))
    room = region - 2 * overlap - 20
    bar = draw(st.none() | st.floats(1.0, room)) if room >= 1 else None
    song = 2 * draw(st.integers(15, 1500))
    return plan(song, region, overlap, bar), region, overlap, bar
