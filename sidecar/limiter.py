"""The true-peak limiter, bit for bit what the shim does (docs/architecture.md, "The output stage").

-1 dBTP without delay: the peaks of the rendered signal are read ahead of the song, so a reduction is drawn in before
its peak; of the track nothing is known ahead, and its samples are held under the ceiling as they come.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]
Series = NDArray[np.float64]

CEILING: Final = 0.881_048_873_008_014
"""-1.1 dB: under -1 dBTP by what a gain that moves within the measuring filter adds (0.06 dB with full-scale noise)."""

FILTER: Final = np.array(
    [
        [14, 90, -161, 272, -487, 1125, 7964, -838, 390, -218, 122, -68],
        [-239, 240, -424, 730, -1364, 3810, 6388, -1641, 832, -477, 271, -155],
        [-155, 271, -477, 832, -1641, 6388, 3810, -1364, 730, -424, 240, -239],
        [-68, 122, -218, 390, -838, 7964, 1125, -487, 272, -161, 90, 14],
    ]
) / np.float64(8192)
"""The interpolating filter of ITU-R BS.1770-4, annex 2: four phases of 12 taps."""

TAPS: Final = FILTER.shape[1]
HALF: Final = TAPS // 2
ATTACK: Final = 64
"""Samples over which a reduction is drawn in, a power of two: 1.3 ms at 48 kHz, too short to hear as a fade."""

SPAN: Final = HALF + ATTACK + HALF
"""Peaks that one sample's gain looks at: from those it is still part of to those that the attack prepares for."""

BEHIND: Final = TAPS - 1
"""Samples of the rendered signal that are read before the first."""

AHEAD: Final = SPAN - 1
"""Samples of the rendered signal that are read ahead of the song."""

RELEASE_SECONDS: Final = 0.1
NONE: Final = 1e-6
"""A reduction below this (0.00001 dB) is none."""

_BLOCK: Final = 2**16  # samples; the work of one block stays in a core's cache


def gains(out: Audio, wet: Audio, scale: Series, rate: int) -> Series:
    """The limiter's gain from its first sample on.

    Args:
        out: [2, n] float32, what is to be limited.
        wet: [2, TAPS - 1 + n + AHEAD] float32, the rendered signal from 11 samples before `out` on; 0 where none is.
        scale: [n], what the rendered signal was multiplied by on its way to `out`.
        rate: samples per second.

    Returns:
        [n] float64, at most 1.
    """
    rendered = _highest(_peaks(wet), SPAN) * scale
    sample = np.abs(out).max(axis=0).astype(np.float64)
    peak = np.where(np.isfinite(sample), np.maximum(rendered, sample), rendered)
    most = np.ones_like(peak)
    np.divide(CEILING, peak, out=most, where=peak > CEILING)
    return np.minimum(_average(_released(most, rate)), most)


def _peaks(wet: Audio) -> Series:
    # of the neighbourhood of each sample from 6 before the first gain's on, both channels
    count = wet.shape[1] - TAPS + 1
    peaks = np.zeros(count)
    for start in range(0, count, _BLOCK):
        part = wet[:, start : start + _BLOCK + TAPS - 1].astype(np.float64)
        part[~np.isfinite(part)] = 0.0
        size = part.shape[1] - TAPS + 1
        peak = peaks[start : start + size]
        np.maximum(peak, np.abs(part[:, TAPS - 1 - HALF :][:, :size]).max(axis=0), out=peak)
        for phase in FILTER.tolist():
            value = np.zeros((2, size))
            for tap, weight in enumerate(phase):
                value += weight * part[:, TAPS - 1 - tap :][:, :size]
            np.maximum(peak, np.abs(value).max(axis=0), out=peak)
    return peaks


def _highest(peaks: Series, span: int) -> Series:
    width = 1
    while 2 * width <= span:
        peaks = np.maximum(peaks[:-width], peaks[width:])
        width *= 2
    rest = span - width
    return np.maximum(peaks[:-rest], peaks[rest:]) if rest else peaks


def _released(most: Series, rate: int) -> Series:
    # down at once, up by a share of what is left; a loop, but only where something is reduced
    share = 1.0 - math.exp(-1.0 / (RELEASE_SECONDS * float(rate)))
    out = np.ones_like(most)
    at, size = 0, most.size
    for start in np.flatnonzero(most < 1.0).tolist():
        if start < at:
            continue
        gain, at, run = 1.0, start, list[float]()
        for limit in _values(most, start):
            released = gain + (1.0 - gain) * share
            released = 1.0 if 1.0 - released < NONE else released
            gain = min(limit, released)
            at += 1
            if gain == 1.0:
                break
            run.append(gain)
        out[start : start + len(run)] = run
        if at >= size:
            break
    return out


def _values(most: Series, start: int) -> Iterator[float]:
    for block in range(start, most.size, _BLOCK):
        yield from most[block : block + _BLOCK].tolist()


def _average(gain: Series) -> Series:
    # the mean of the last 64, always added in the same order
    for level in range(int(math.log2(ATTACK))):
        before = np.concatenate([np.ones(2**level), gain])[: gain.size]
        gain = (gain + before) * 0.5
    return gain
