"""The output stage's twin: what a sample-by-sample reading of the document gives, it gives at once."""

import math

import numpy as np
import pytest
from conftest import RATE, music

from sidecar.frames import first_sample, frame_of
from sidecar.lane import Lane
from sidecar.limiter import CEILING, FILTER
from sidecar.output import render_output

F = np.float32


def stage(points: dict[str, list[tuple[int, float]]]) -> dict[str, Lane]:
    lanes = {
        key: Lane(0, float(key == "mix")) for key in ("bypass", "mix", "output_gain", "true_peak", "loudness_match")
    }
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


def true_peak(audio: np.ndarray) -> float:
    """By the filter of ITU-R BS.1770-4 annex 2, over both channels."""
    return max(float(np.abs(np.convolve(side.astype(np.float64), phase)).max()) for side in audio for phase in FILTER)


def loud(samples: int, *, seed: int = 3) -> np.ndarray:
    """Noise, then a tone whose peaks lie between its samples, loud and quiet by turns."""
    noise = np.random.default_rng(seed).uniform(-1, 1, samples)
    tone = np.sin(np.arange(samples) * np.pi / 2 + np.pi / 4)
    level = np.where(np.arange(samples) // 7_000 % 2, 0.3, 1.9)
    return np.stack([np.where(np.arange(samples) < samples // 2, noise, tone) * level] * 2).astype(F)


@pytest.mark.parametrize("rate", [48_000, 44_100, 16_000])
def test_what_is_rendered_stays_under_the_true_peak_ceiling(rate: int) -> None:
    wet = loud(40_000)
    dry = np.zeros((2, 39_000), F)
    free = render_output(dry, wet, (0, 40_000), rate, stage({}))
    live = render_output(dry, wet, (0, 40_000), rate, stage({"true_peak": [(0, 1.0)]}))
    held = render_output(dry, wet, (0, 40_000), rate, stage({"true_peak": [(0, 2.0)]}))
    assert true_peak(free) > 1.5
    assert live.tobytes() == free.tobytes()
    assert true_peak(held) <= 10 ** (-1 / 20)
    assert np.abs(held[:, 12_000:13_500]).max() > 0.8 * np.abs(free[:, 12_000:13_500]).max()


def test_a_track_under_the_ceiling_is_left_alone() -> None:
    wet = loud(20_000) * F(0.3)
    dry = music(0.4)[:, :19_000] * F(0.5)
    on = stage({"true_peak": [(0, 2.0)]})
    assert (
        render_output(dry, wet, (0, 20_000), RATE, on).tobytes()
        == render_output(dry, wet, (0, 20_000), RATE, stage({})).tobytes()
    )


@pytest.mark.parametrize(("level", "gain"), [(0.25, 4.0), (0.5, 2.0), (2.0, 0.5), (0.01, 4.0)])
def test_loudness_match_finds_the_tracks_loudness_within_12_db(level: float, gain: float) -> None:
    dry = np.random.default_rng(2).uniform(-0.5, 0.5, (2, 96_000)).astype(F)
    wet = dry * F(level)
    out = render_output(dry, wet, (0, 96_000), RATE, stage({"loudness_match": [(0, 1.0), (90_000, 0.0)]}))
    assert np.allclose(out[:, :19_200], wet[:, :19_200], atol=1e-6)
    assert np.allclose(out[:, 80_000:90_000], wet[:, 80_000:90_000] * F(gain), rtol=0.02, atol=1e-5)
    assert np.allclose(out[:, 93_000:], wet[:, 93_000:], atol=1e-6)


def one_by_one(wet: np.ndarray, rate: int) -> np.ndarray:
    """The limiter as docs/architecture.md says it, one sample after the other, over silence."""
    padded = np.concatenate([np.zeros((2, 20)), wet, np.zeros((2, 200))], axis=1).astype(np.float64)
    peak = np.zeros(padded.shape[1])
    for at in range(11, padded.shape[1]):
        window = padded[:, at - 11 : at + 1][:, ::-1]
        heights = [abs(sum(h * x for h, x in zip(p, side, strict=True))) for p in FILTER for side in window]
        peak[at - 6] = max([*heights, *np.abs(window[:, 6])])
    gains, now, out = [1.0] * 63, 1.0, np.empty_like(wet)
    for n in range(wet.shape[1]):
        highest = max(peak[20 + n - 6 : 20 + n + 70].max(), np.abs(wet[:, n]).max())
        most = CEILING / highest if highest > CEILING else 1.0
        now = min(most, now + (1 - now) * (1 - math.exp(-1 / (0.1 * rate))))
        now = 1.0 if 1 - now < 1e-6 else now
        gains.append(now)
        out[:, n] = wet[:, n] * min(most, sum(gains[-64:]) / 64)
    return out


def test_the_limiter_is_what_the_document_says() -> None:
    wet = loud(3_000)
    fast = render_output(np.zeros_like(wet), wet, (0, 3_000), RATE, stage({"true_peak": [(0, 2.0)]}))
    assert np.allclose(fast, one_by_one(wet, RATE), atol=1e-6)
