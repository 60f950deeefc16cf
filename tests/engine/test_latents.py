"""Latents that are mixed, against float64."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import engine
from engine.request.curves import sample

FRAMES = 30
LATENTS = hnp.arrays(np.float32, (FRAMES, 64), elements=st.floats(-4, 4, width=32), fill=st.just(-0.0))


@given(LATENTS, LATENTS, hnp.arrays(np.float32, st.integers(1, 40), elements=st.floats(0, 1, width=32)))
def test_a_blend_is_the_weighted_mean_of_every_frame(a: np.ndarray, b: np.ndarray, alpha: np.ndarray):
    blended = engine.blend_latents(a, b, alpha)
    weight = sample(alpha, FRAMES, "alpha").astype(np.float64)[:, None]
    np.testing.assert_allclose(blended, (1 - weight) * a.astype(np.float64) + weight * b, atol=1e-6)
    assert blended[weight[:, 0] == 0].tobytes() == a[weight[:, 0] == 0].tobytes()
    assert blended[weight[:, 0] == 1].tobytes() == b[weight[:, 0] == 1].tobytes()


def test_a_blend_that_cannot_be_made_is_refused_by_name():
    a = np.zeros((FRAMES, 64), np.float32)
    for field, arguments in {"a": (a[:, :3], a, 0.5), "b": (a, a[:4], 0.5), "alpha": (a, a, 1.5)}.items():
        with pytest.raises(engine.RequestError) as caught:
            engine.blend_latents(*arguments)
        assert caught.value.field == field
