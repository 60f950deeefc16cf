"""The frame rule: song samples at the host's rate, latent frames, chunks of the timeline (PROTOCOL section 3).

Integer arithmetic throughout: `int(seconds * 25)` is wrong for about one frame in a hundred.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FRAME_RATE: Final = 25
ENGINE_RATE: Final = 48_000
FRAME_SAMPLES: Final = 1_920
"""Samples of a frame at the engine's rate."""

CHUNK: Final = 2_048
"""Host samples of a chunk (PROTOCOL section 4)."""

WINDOW: Final = 10
"""Frames of a window, and the grid of regions and windows in the song."""


def first_sample(frame: int, rate: int) -> int:
    """S(f): the first host sample of a frame."""
    return -(-frame * rate // FRAME_RATE)


def first_samples(frames: NDArray[np.int64], rate: int) -> NDArray[np.int64]:
    """S(f) of many frames."""
    return -(-frames * rate // FRAME_RATE)


def centre(frame: int, rate: int) -> int:
    """The host sample at which a lane's value for this frame is taken."""
    start = first_sample(frame, rate)
    return start + (first_sample(frame + 1, rate) - start) // 2


def centres(frames: NDArray[np.int64], rate: int) -> NDArray[np.int64]:
    """Centres of many frames."""
    start = first_samples(frames, rate)
    return start + (first_samples(frames + 1, rate) - start) // 2


def frame_of(sample: int, rate: int) -> int:
    """The frame that a host sample lies in: the last f with S(f) <= sample."""
    return sample * FRAME_RATE // rate


def down_to_window(frame: int) -> int:
    """The last multiple of the window grid at or below a frame."""
    return frame // WINDOW * WINDOW


def up_to_window(frame: int) -> int:
    """The first multiple of the window grid at or above a frame."""
    return -(-frame // WINDOW) * WINDOW


def chunk_of(sample: int) -> int:
    """The chunk that a host sample lies in."""
    return sample // CHUNK


def chunks_between(start: int, end: int) -> range:
    """The chunks that hold a sample of [start, end)."""
    return range(chunk_of(start), chunk_of(end - 1) + 1) if end > start else range(0)
