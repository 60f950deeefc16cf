"""Schedules, noise, curves: pure functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import RequestError
from engine.request.curves import sample
from engine.step.noise import Purpose, normal, step_normal
from engine.step.schedule import times

# 8 steps, from ACE-Step's tables
TABLES = {
    1.0: [1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0],
    2.0: [1, 0.93333, 0.85714, 0.76923, 0.66667, 0.54545, 0.4, 0.22222, 0],
    3.0: [1, 0.954545, 0.9, 0.833333, 0.75, 0.642857, 0.5, 0.3, 0],
    5.0: [1, 0.97222, 0.9375, 0.89286, 0.83333, 0.75, 0.625, 0.41667, 0],
}


@pytest.mark.parametrize("shift", TABLES)
def test_eight_step_times_are_the_published_tables(shift: float):
    np.testing.assert_allclose(times(8, shift, 1.0), TABLES[shift], atol=5e-6)


@given(st.integers(1, 64), st.floats(1e-6, 100.0), st.floats(0.0, 1.0))
def test_times_fall_from_the_shifted_denoise_to_exactly_zero(steps: int, shift: float, denoise: float):
    t = times(steps, shift, denoise)
    assert t.dtype == np.float32
    assert t.shape == (steps + 1,)
    assert t[-1] == 0.0
    assert np.all(np.diff(t) <= 0.0)
    assert t[0] == np.float32(shift * denoise / (shift * denoise + 1.0 - denoise))


def test_full_denoise_starts_at_exactly_one_for_every_shift():
    assert all(times(8, shift, 1.0)[0] == 1.0 for shift in (1e-6, 0.1, 0.3, 1.7, 3.0, 1e6))


def test_denoise_is_continuous_not_a_staircase():
    starts = [float(times(8, 3.0, d)[0]) for d in (0.88, 0.89, 0.90, 0.95, 0.99)]
    assert len(set(starts)) == len(starts)


def test_noise_values_are_pinned():
    # numpy's Philox with key [seed, purpose]: a change here changes every render
    first = normal(42, Purpose.INITIAL, 2)
    assert first[0, :3].tolist() == [0.18170474469661713, -1.2426393032073975, -0.5515530109405518]
    assert first[1, :2].tolist() == [0.7071769833564758, 0.3245622515678406]
    assert normal(2**64 - 1, Purpose.INITIAL, 1)[0, :2].tolist() == [-1.744478702545166, -0.48715826869010925]


@given(st.integers(0, 2**64 - 1), st.integers(1, 80), st.integers(1, 80))
def test_shorter_noise_is_the_start_of_longer_noise(seed: int, a: int, b: int):
    short, long = sorted((a, b))
    np.testing.assert_array_equal(normal(seed, 0, long)[:short], normal(seed, 0, short))


def test_noise_differs_by_seed_and_by_purpose():
    draws = [normal(1, 0, 30), normal(2, 0, 30), normal(1, 1, 30)]
    assert not any(np.array_equal(draws[i], draws[j]) for i, j in ((0, 1), (0, 2), (1, 2)))


@given(st.integers(0, 2**64 - 1), st.integers(0, 3000), st.integers(1, 60), st.integers(0, 40))
def test_regions_of_a_song_share_the_noise_of_the_frames_that_they_share(seed: int, start: int, frames: int, step: int):
    whole = normal(seed, 0, start + frames)
    np.testing.assert_array_equal(normal(seed, 0, frames, start), whole[start:])
    assert step_normal(seed, step, frames, start).tobytes() == normal(seed, 1 + step, start + frames)[start:].tobytes()


def test_noise_goes_on_across_the_blocks_that_it_is_drawn_in():
    across = normal(9, 0, 40, 15_000 - 30)
    assert across.shape == (40, 64)
    np.testing.assert_array_equal(across[:30], normal(9, 0, 15_000)[-30:])
    np.testing.assert_array_equal(across[30:], normal(9, 0, 10, 15_000))
    assert not np.array_equal(normal(9, 0, 30), normal(9, 0, 30, 15_000))
    assert normal(9, 0, 30, 2**64 - 30).shape == (30, 64)


def test_a_curve_of_the_right_length_is_copied_as_it_is():
    values = np.linspace(0, 1, 60, dtype=np.float32) ** 2
    taken = sample(values, 60, "c")
    np.testing.assert_array_equal(taken, values)
    values[:] = 9.0
    assert taken.max() <= 1.0


@given(st.lists(st.floats(-4, 4, width=32), min_size=2, max_size=50), st.integers(30, 200))
def test_other_lengths_keep_both_end_points_and_the_range(values: list[float], frames: int):
    taken = sample(values, frames, "c")
    assert taken.shape == (frames,)
    assert taken[0] == np.float32(values[0])
    assert taken[-1] == np.float32(values[-1])
    assert taken.min() >= min(values) - 1e-6
    assert taken.max() <= max(values) + 1e-6


def test_resampling_is_linear_with_aligned_ends():
    np.testing.assert_allclose(sample([0.0, 1.0], 5, "c"), [0, 0.25, 0.5, 0.75, 1], atol=1e-7)
    np.testing.assert_allclose(sample([0.0, 1.0, 0.0], 5, "c"), [0, 0.5, 1, 0.5, 0], atol=1e-7)
    assert np.all(sample(0.3, 4, "c") == np.float32(0.3))
    assert np.all(sample([0.3], 4, "c") == np.float32(0.3))


@pytest.mark.parametrize("bad", [[], [[1.0, 2.0]], "loud", [0.0, float("nan")], float("inf"), [1e39], None])
def test_a_bad_curve_is_refused_by_name(bad: object):
    with pytest.raises(RequestError) as caught:
        sample(bad, 30, "velocity_scale")  # type: ignore[arg-type]
    assert caught.value.field.startswith("velocity_scale")
    assert caught.value.fix
