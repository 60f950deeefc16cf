"""WAV: bytes that depend on the audio alone.

Made here because libsndfile puts the time of day into every float WAV (its PEAK chunk), and a bounce that is repeated
has to be the same file.
"""

import struct

import numpy as np
from numpy.typing import NDArray

FLOAT = 3  # WAVE_FORMAT_IEEE_FLOAT


def encode(audio: NDArray[np.float32], rate: int) -> bytes:
    """A WAV file of 32-bit floats.

    Args:
        audio: [channels, samples], full scale is 1.
        rate: samples per second.
    """
    channels, width = audio.shape[0], 4
    data = np.ascontiguousarray(audio.T, "<f4").tobytes()
    layout = struct.pack("<HHIIHHH", FLOAT, channels, rate, rate * channels * width, channels * width, 8 * width, 0)
    chunks = [(b"fmt ", layout), (b"fact", struct.pack("<I", audio.shape[1])), (b"data", data)]
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(part)) + part for name, part in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body
