"""The frame rule in integers: nothing depends on binary fractions of a second."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sidecar import frames

RATES = st.sampled_from([44_100, 48_000, 88_200, 96_000, 176_400, 192_000, 47_952, 44_056])
SONG = st.integers(-(2**40), 2**40)


@given(SONG, RATES)
def test_a_sample_lies_between_the_starts_of_its_frame_and_the_next(sample: int, rate: int) -> None:
    frame = frames.frame_of(sample, rate)
    assert frames.first_sample(frame, rate) <= sample < frames.first_sample(frame + 1, rate)


@given(SONG, RATES)
def test_a_frame_starts_at_the_first_sample_that_is_not_before_it(frame: int, rate: int) -> None:
    start = frames.first_sample(frame, rate)
    exact = Fraction(frame * rate, 25)
    assert start - 1 < exact <= start


@given(st.integers(-(2**30), 2**30), RATES)
def test_the_centre_is_in_the_middle_of_its_frame(frame: int, rate: int) -> None:
    start, end = frames.first_sample(frame, rate), frames.first_sample(frame + 1, rate)
    assert abs((frames.centre(frame, rate) - start) - (end - frames.centre(frame, rate))) <= 1


@given(st.lists(st.integers(-(2**30), 2**30), min_size=1), RATES)
def test_many_frames_at_once_give_what_each_gives_alone(many: list[int], rate: int) -> None:
    array = np.array(many)
    assert frames.first_samples(array, rate).tolist() == [frames.first_sample(f, rate) for f in many]
    assert frames.centres(array, rate).tolist() == [frames.centre(f, rate) for f in many]


@given(SONG, st.integers(0, 10**6))
def test_chunks_between_cover_every_sample_and_no_more(start: int, length: int) -> None:
    chunks = frames.chunks_between(start, start + length)
    assert len(chunks) == 0 if length == 0 else True
    if length:
        assert chunks[0] * frames.CHUNK <= start < (chunks[0] + 1) * frames.CHUNK
        assert chunks[-1] * frames.CHUNK < start + length <= (chunks[-1] + 1) * frames.CHUNK


@given(st.integers(-(2**30), 2**30))
def test_the_window_grid_is_absolute(frame: int) -> None:
    low, high = frames.down_to_window(frame), frames.up_to_window(frame)
    assert low % 10 == high % 10 == 0
    assert low <= frame <= high < low + 20
