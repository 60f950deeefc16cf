"""Loudness match, bit for bit what the shim does (docs/architecture.md, "The output stage").

Brings the rendered signal to the loudness of the track, both weighed as ITU-R BS.1770-4 does, frame by frame.
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]
Line = NDArray[np.float32]
Filter = Callable[..., tuple[NDArray[np.float64], NDArray[np.float64]]]

SILENCE: Final = 1.172_465_304_582_296_4e-7
"""Mean square, both channels together, at -70 LUFS: below it a frame is silence (BS.1770, absolute gate)."""

GATE: Final = 0.1
"""A frame 10 LU below the track's own average does not count (BS.1770, relative gate)."""

LEAK: Final = 0.98
"""What is left of the averages after a frame that does not count: the gate opens to quieter music in the end."""

FIRST: Final = 10
"""Frames that are heard before anything is changed: 0.4 s, a block of BS.1770."""

HELD: Final = 75
"""Frames that the averages hold: 3 s, the short-term loudness of EBU Tech 3341."""

BOUNDS: Final = (0.25, 4.0)  # 12 dB each way
PACE: Final = 0.25
"""The share of the way to the matching gain that is made in one frame."""

TINY: Final = 1e-30  # a filter's state below this is silence


def weighting(rate: int) -> NDArray[np.float64]:
    """The K weighting as two second-order sections [2, 6], of the analogue filters behind BS.1770-4's at 48 kHz."""
    q, high, band = 0.707_175_236_955_419_6, 1.584_864_701_130_855_6, 1.258_720_930_232_561_7
    k = math.tan(math.pi * 1_681.974_450_955_533 / float(rate))
    norm = 1.0 + k / q + k * k
    first = [high + band * k / q + k * k, 2.0 * (k * k - high), high - band * k / q + k * k]
    shelf = [b / norm for b in first] + [1.0, 2.0 * (k * k - 1.0) / norm, (1.0 - k / q + k * k) / norm]
    q = 0.500_327_037_323_877_3
    k = math.tan(math.pi * 38.135_470_876_024_44 / float(rate))
    norm = 1.0 + k / q + k * k
    return np.array([shelf, [1.0, -2.0, 1.0, 1.0, 2.0 * (k * k - 1.0) / norm, (1.0 - k / q + k * k) / norm]])


class Loudness:
    """The gain that matches, from the first frame on that it is switched on in.

    Args:
        rate: samples per second.
    """

    def __init__(self, rate: int) -> None:
        from scipy import signal  # takes seconds to import, and few bounces want it

        self._filter: Filter = signal.sosfilt  # pyright: ignore[reportUnknownMemberType]
        self._sections = weighting(rate)
        self._state = np.zeros((2, 4, 2))
        self._means = (0.0, 0.0)
        self._frames = 0
        self._exact = 1.0
        self._gain = np.float32(1.0)

    def frame(self, dry: Audio, wet: Audio, length: int) -> Line:
        """The gains of one frame's samples, and what they teach about the next one's.

        Args:
            dry, wet: [2, n] float32, n <= length.
            length: samples of the whole frame.
        """
        start, self._gain = self._gain, np.float32(self._exact)
        along = np.arange(1, dry.shape[1] + 1, dtype=np.float32) / np.float32(length)
        line = start + (self._gain - start) * along
        heard = np.concatenate([dry, wet]).astype(np.float64)
        heard[~np.isfinite(heard)] = 0.0
        weighed, self._state = self._filter(self._sections, heard, axis=1, zi=self._state)
        self._state[np.abs(self._state) < TINY] = 0.0
        # accumulate adds one after the other, as the shim does; sum does not
        energies = np.add.accumulate(weighed * weighed, axis=1)[:, -1].tolist()
        count = float(dry.shape[1])
        self._learn((energies[0] + energies[1]) / count, (energies[2] + energies[3]) / count)
        return line

    def _learn(self, dry: float, wet: float) -> None:
        if dry > SILENCE and wet > SILENCE and dry > self._means[0] * GATE:
            self._frames = min(self._frames + 1, HELD)
            share = 1.0 / float(self._frames)
            self._means = (
                self._means[0] + (dry - self._means[0]) * share,
                self._means[1] + (wet - self._means[1]) * share,
            )
        else:
            self._means = (self._means[0] * LEAK, self._means[1] * LEAK)
        if self._frames >= FIRST and self._means[1] > 0.0:
            target = min(max(math.sqrt(self._means[0] / self._means[1]), BOUNDS[0]), BOUNDS[1])
            self._exact += (target - self._exact) * PACE
