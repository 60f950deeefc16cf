"""The output stage in numpy, bit for bit what the shim does (docs/architecture.md, "The output stage").

Only for headless bounces: in a host the shim's own stage runs. Everything is float32 in the order that the document
gives, so that a bounce from the command line equals a bounce through the plugin.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sidecar.frames import first_sample, first_samples, frame_of
from sidecar.lane import Lane
from sidecar.limiter import AHEAD, TAPS, gains
from sidecar.loudness import Loudness

Audio = NDArray[np.float32]
Line = NDArray[np.float32]
Series = NDArray[np.float64]
Switches = NDArray[np.bool_]

ALWAYS: Final = 2  # a choice of `true_peak` in parameters.toml; Live leaves a bounce as it is


def render_output(dry: Audio, wet: Audio, span: tuple[int, int], rate: int, lanes: Mapping[str, Lane]) -> Audio:
    """One uninterrupted offline pass from song sample 0 through the output stage.

    Args:
        dry: [2, n] float32, the track.
        wet: [2, m] float32, m >= n, what the pass rendered; only read inside the span. What there is after the track
            is not heard, but the limiter looks `limiter.AHEAD` samples ahead.
        span: the samples [start, end) at which the timeline has audio; the rest is dry.
        rate: samples per second.
        lanes: polylines of every parameter of the output stage, in plain values.

    Returns:
        [2, n] float32.
    """
    ramp, samples = rate // 100, dry.shape[1]
    frames = _Frames.of(lanes, samples, rate)
    mix, gain = _ramped(frames.mix, samples, rate, ramp), _ramped(frames.gain, samples, rate, ramp)
    heard = dry.copy()
    with np.errstate(invalid="ignore", over="ignore"):
        for first, last in _looked_up(frames.bypass, samples, rate):
            part = slice(first, last)
            heard[:, part] = _crossed(dry[:, part], wet[:, part], (span[0] - first, span[1] - first), ramp)
        level = _level(frames.matched, dry, heard, rate, ramp)
        heard = heard * level if frames.matched.any() else heard
        out = (dry + (heard - dry) * mix) * gain
    out = np.where(np.isfinite(out), out, dry)
    if not frames.limited.any():
        return out
    scale = mix.astype(np.float64) * gain.astype(np.float64) * level.astype(np.float64)
    return _limited(frames.limited, out, _rendered(wet, span, samples), scale, rate, ramp)


@dataclass(frozen=True)
class _Frames:
    """The parameters in force in each frame, [frames]."""

    bypass: Switches
    mix: Line
    gain: Line
    limited: Switches
    matched: Switches

    @classmethod
    def of(cls, lanes: Mapping[str, Lane], samples: int, rate: int) -> "_Frames":
        positions = first_samples(np.arange(frame_of(max(samples - 1, 0), rate) + 1), rate)
        bypass = lanes["bypass"].sample(positions) >= 0.5
        gains = [math.pow(10.0, decibel / 20.0) for decibel in lanes["output_gain"].sample(positions).tolist()]
        mix = np.where(bypass, 0.0, lanes["mix"].sample(positions)).astype(np.float32)
        limited = (lanes["true_peak"].sample(positions) >= ALWAYS - 0.5) & ~bypass
        matched = (lanes["loudness_match"].sample(positions) >= 0.5) & ~bypass
        return cls(bypass, mix, np.where(bypass, 1.0, np.array(gains)).astype(np.float32), limited, matched)


def _runs(switch: Switches) -> list[tuple[int, int]]:
    # the frames [first, last) of each stretch that is on
    edges = np.flatnonzero(np.diff(np.concatenate([[False], switch, [False]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _fading(values: NDArray[Any], since: int, ramp: int) -> NDArray[Any]:
    # what is switched off goes in one ramp: from `since` on the values are on their way to 1
    weight = (np.float32(1.0) - _weights(ramp)[: values.size - since]).astype(values.dtype)
    values[since:] = 1.0 + (values[since:] - 1.0) * weight
    return values


def _level(matched: Switches, dry: Audio, heard: Audio, rate: int, ramp: int) -> Line:
    samples = dry.shape[1]
    level = np.ones(samples, np.float32)
    for first, last in _runs(matched):
        loudness = Loudness(rate)
        for frame in range(first, last + 1):
            start, end = first_sample(frame, rate), first_sample(frame + 1, rate)
            part = slice(start, min(end if frame < last else start + ramp, samples))
            if part.start < part.stop:
                line = loudness.frame(dry[:, part], heard[:, part], end - start)
                level[part] = line if frame < last else _fading(line, 0, ramp)
    return level


def _rendered(wet: Audio, span: tuple[int, int], samples: int) -> Audio:
    # the rendered signal as the limiter reads it, from before the track to after it
    before = TAPS - 1
    rendered = np.zeros((2, before + samples + AHEAD), np.float32)
    low, high = max(span[0], 0), min(span[1], wet.shape[1], samples + AHEAD)
    if low < high:
        rendered[:, before + low : before + high] = wet[:, low:high]
    return rendered


def _limited(limited: Switches, out: Audio, rendered: Audio, scale: Series, rate: int, ramp: int) -> Audio:
    samples = out.shape[1]
    for first, last in _runs(limited):
        start, off = first_sample(first, rate), min(first_sample(last, rate), samples)
        part = slice(start, min(off + ramp, samples))
        ahead = rendered[:, start : part.stop + TAPS - 1 + AHEAD]
        gain = _fading(gains(out[:, part], ahead, scale[part], rate), off - start, ramp)
        out[:, part] = (out[:, part].astype(np.float64) * gain).astype(np.float32)
    return out


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
