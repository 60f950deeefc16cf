"""The output stage's twin: what a sample-by-sample reading of the document gives, it gives at once."""

import math

import numpy as np
import pytest
from conftest import RATE, music

from sidecar.frames import first_sample, frame_of
from sidecar.lanes import Lane
from sidecar.output import render_output

F = np.float32


def stage(points: dict[str, list[tuple[int, float]]]) -> dict[str, Lane]:
    lanes = {"bypass": Lane(0, 0.0), "mix": Lane(0, 1.0), "output_gain": Lane(0, 0.0)}
    for key, rows in points.items():
        for position, value in rows:
            lanes[key].add(position, value)
    return lanes


def slowly(dry: np.ndarray, wet: np.ndarray, span: tuple[int, int], rate: int, lanes: dict[str, Lane]) -> np.ndarray:
    """docs/architecture.md, "The output stage", one sample after the other; without bypass."""
    ramp, out = rate // 100, np.empty_like(dry)
    before = now = (F(lanes["mix"].at(0)), F(math.pow(10.0, lanes["output_gain"].at(0) / 20.0)))
    offset, since_appeared, since_vanished = np.zeros(2, F), ramp, ramp
    for n in range(dry.shape[1]):
        start = first_sample(frame_of(n, rate), rate)
        if n == start:
            before = now
            now = (F(lanes["mix"].at(n)), F(math.pow(10.0, lanes["output_gain"].at(n) / 20.0)))
        weight = F(n - start + 1) / F(ramp)
        mix, gain = (
            a + (b - a) * weight if n - start < ramp and a != b else b for a, b in zip(before, now, strict=True)
        )
        inside = span[0] <= n < span[1]
        if inside and n == span[0] > 0:
            since_appeared = 0
        if n == span[1]:
            since_vanished = 0
        heard = wet[:, n] if inside else dry[:, n]
        if inside and since_appeared < ramp:
            heard = dry[:, n] + (heard - dry[:, n]) * (F(since_appeared + 1) / F(ramp))
            since_appeared += 1
        if not inside and since_vanished < ramp:
            heard = dry[:, n] + offset * (F(1) - F(since_vanished + 1) / F(ramp))
            since_vanished += 1
        if inside:
            offset = heard - dry[:, n]
        out[:, n] = (dry[:, n] + (heard - dry[:, n]) * mix) * gain
    return out


@pytest.mark.parametrize("rate", [48_000, 44_100])
@pytest.mark.parametrize("span", [(0, 9_000), (2_500, 6_000), (0, 0), (-500, 20_000)])
def test_the_twin_equals_the_document_sample_by_sample(rate: int, span: tuple[int, int]) -> None:
    dry = music(0.2, rate)[:, :9_000]
    wet = dry[:, ::-1].copy()
    lanes = stage({"mix": [(100, 0.25), (3_840, 0.75), (3_900, 1.0)], "output_gain": [(2_000, -6.0), (5_760, 16.0)]})
    assert render_output(dry, wet, span, rate, lanes).tobytes() == slowly(dry, wet, span, rate, lanes).tobytes()


def test_a_step_of_mix_lands_on_the_next_frame() -> None:
    dry, wet = np.zeros((2, 9_600), F), np.ones((2, 9_600), F)
    out = render_output(dry, wet, (0, 9_600), RATE, stage({"mix": [(0, 0.0), (1_921, 1.0)]}))
    assert not out[:, :3_840].any()
    assert out[0, 3_840] == F(1) / F(480)
    assert (out[:, 3_840 + 480 :] == 1.0).all()


def test_bypass_is_the_track_itself() -> None:
    dry = music(0.2)
    lanes = stage({"bypass": [(0, 1.0)], "mix": [(0, 0.5)], "output_gain": [(0, 12.0)]})
    assert render_output(dry, dry * 0.5, (0, 9_600), RATE, lanes).tobytes() == dry.tobytes()


def test_output_that_is_not_finite_is_replaced_by_the_track() -> None:
    dry = music(0.1)
    wet = dry.copy()
    wet[:, 100] = np.nan
    wet[:, 200] = np.inf
    out = render_output(dry, wet, (0, dry.shape[1]), RATE, stage({}))
    assert np.isfinite(out).all()
    assert out[:, 100].tolist() == dry[:, 100].tolist()
