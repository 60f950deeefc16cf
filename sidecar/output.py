"""The output stage in numpy, bit for bit what the shim does (docs/architecture.md, "The output stage").

Only for headless bounces: in a host the shim's own stage runs. Everything is float32 in the order that the document
gives, so that a bounce from the command line equals a bounce through the plugin.
"""

import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from sidecar.frames import first_sample, first_samples, frame_of
from sidecar.lanes import Lane

Audio = NDArray[np.float32]
Line = NDArray[np.float32]


def render_output(dry: Audio, wet: Audio, span: tuple[int, int], rate: int, lanes: Mapping[str, Lane]) -> Audio:
    """One uninterrupted offline pass from song sample 0 through the output stage.

    Args:
        dry: [2, n] float32, the track.
        wet: [2, n] float32, what the pass rendered; only read inside the span.
        span: the samples [start, end) at which the timeline has audio; the rest is dry.
        rate: samples per second.
        lanes: polylines of `bypass`, `mix` and `output_gain`, in plain values.

    Returns:
        [2, n] float32.
    """
    ramp, samples = rate // 100, dry.shape[1]
    bypass, mixes, gains = _targets(lanes, samples, rate)
    mix, gain = _ramped(mixes, samples, rate, ramp), _ramped(gains, samples, rate, ramp)
    heard = dry.copy()
    with np.errstate(invalid="ignore", over="ignore"):
        for start, end in _looked_up(bypass, samples, rate):
            part = slice(start, end)
            heard[:, part] = _crossed(dry[:, part], wet[:, part], (span[0] - start, span[1] - start), ramp)
        out = (dry + (heard - dry) * mix) * gain
    return np.where(np.isfinite(out), out, dry)


def _targets(lanes: Mapping[str, Lane], samples: int, rate: int) -> tuple[NDArray[np.bool_], Line, Line]:
    positions = first_samples(np.arange(frame_of(max(samples - 1, 0), rate) + 1), rate)
    bypass = lanes["bypass"].sample(positions) >= 0.5
    gains = [math.pow(10.0, decibel / 20.0) for decibel in lanes["output_gain"].sample(positions).tolist()]
    mix = np.where(bypass, 0.0, lanes["mix"].sample(positions)).astype(np.float32)
    return bypass, mix, np.where(bypass, 1.0, np.array(gains)).astype(np.float32)


def _looked_up(bypass: NDArray[np.bool_], samples: int, rate: int) -> Iterator[tuple[int, int]]:
    # offline, frames that are bypassed throughout are not looked up; after them the wet signal is there at once
    skipped = bypass & np.concatenate([bypass[:1], bypass[:-1]])
    edges = np.flatnonzero(np.diff(np.concatenate([[True], skipped, [True]])))
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield first_sample(first, rate), min(first_sample(last, rate), samples)


def _ramped(targets: Line, samples: int, rate: int, ramp: int) -> Line:
    out = np.empty(samples, np.float32)
    weight = _weights(ramp)
    before = targets[0]
    for frame, target in enumerate(targets):
        start, end = first_sample(frame, rate), min(first_sample(frame + 1, rate), samples)
        out[start:end] = target
        if target != before:
            moving = min(ramp, end - start)
            out[start : start + moving] = before + (target - before) * weight[:moving]
        before = target
    return out


def _crossed(dry: Audio, wet: Audio, span: tuple[int, int], ramp: int) -> Audio:
    # in a pass's first sample wet is there at once; later it fades in, and its last offset to dry fades out
    start, end = max(span[0], 0), min(span[1], dry.shape[1])
    if start >= end:
        return dry
    heard = dry.copy()
    heard[:, start:end] = wet[:, start:end]
    weight = _weights(ramp)
    if start > 0:
        n = min(ramp, end - start)
        head = slice(start, start + n)
        heard[:, head] = dry[:, head] + (wet[:, head] - dry[:, head]) * weight[:n]
    n = min(ramp, dry.shape[1] - end)
    if n > 0:
        offset = heard[:, end - 1 : end] - dry[:, end - 1 : end]
        offset = np.where(np.isfinite(offset), offset, np.float32(0.0))
        heard[:, end : end + n] = dry[:, end : end + n] + offset * (np.float32(1.0) - weight[:n])
    return heard


def _weights(ramp: int) -> Line:
    return np.arange(1, ramp + 1, dtype=np.float32) / np.float32(ramp)
