"""Gains of channels, against their definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.request.channels import GROUPS

RUNS = st.tuples(st.integers(0, 63), st.integers(0, 63)).map(lambda pair: (min(pair), max(pair)))
CURVES = st.one_of(st.floats(0, 4), st.lists(st.floats(0, 4), min_size=1, max_size=12).map(np.array))


@given(st.dictionaries(st.one_of(st.sampled_from(sorted(GROUPS)), RUNS), CURVES, max_size=6))
def test_gains_that_meet_in_a_channel_multiply_frame_by_frame(gains: dict[object, object]):
    expected = np.ones((12, 64))
    for channels, curve in gains.items():
        first, last = channels if isinstance(channels, tuple) else (GROUPS[channels].start, GROUPS[channels].stop - 1)  # type: ignore[index]
        points = np.atleast_1d(curve)  # type: ignore[arg-type]
        for frame in range(12):
            value = np.interp(frame * (len(points) - 1) / 11, np.arange(len(points)), points)
            expected[frame, first : last + 1] *= value
    np.testing.assert_allclose(engine.channel_gain(gains, 12), expected, rtol=1e-5, atol=1e-6)  # type: ignore[arg-type]


def test_gains_of_one_are_bit_exactly_absent(session: engine.Session, prompt: engine.Conditioning):
    plain = engine.Request(conditioning=prompt, frames=30, steps=2)
    gain = engine.channel_gain({"g3": 1.0, (0, 63): np.ones(7)}, 30)  # type: ignore[dict-item]
    gained = engine.Request(conditioning=prompt, frames=30, steps=2, channel_gain=gain)
    assert session.generate(gained).tobytes() == session.generate(plain).tobytes()


@pytest.mark.parametrize("channels", ["g8", "ch0", "", (5, 4), (0, 64), (-1, 3), (1,), (0.5, 2), 3])
def test_channels_that_are_none_are_refused(channels: object):
    with pytest.raises(engine.RequestError, match="channel_gain"):
        engine.channel_gain({channels: 1.0}, 12)  # type: ignore[dict-item]


@pytest.mark.parametrize("curve", [np.inf, [], "loud", [[1.0]]])
def test_a_bad_gain_is_refused_with_the_channels_it_is_for(curve: object):
    with pytest.raises(engine.RequestError, match="g2"):
        engine.channel_gain({"g2": curve}, 12)  # type: ignore[dict-item]
