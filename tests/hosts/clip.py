"""Music for the host tests: pieces of the loop that ships for the demo, which the small checkpoint can vary."""

from functools import cache

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from parameter_table import ROOT

LOOP = ROOT / "demo" / "loop.flac"


@cache
def _loop(rate: int) -> NDArray[np.float32]:
    audio, found = soundfile.read(LOOP, dtype="float32", always_2d=True)
    return (audio if rate == found else soxr.resample(audio, found, rate)).T


def music(seconds: float, rate: int = 48000, start: float = 0.0) -> NDArray[np.float32]:
    """`[2, seconds * rate]` float32 at `rate`, from `start` seconds of the loop on."""
    first = round(start * rate)
    return np.ascontiguousarray(_loop(rate)[:, first : first + round(seconds * rate)])
