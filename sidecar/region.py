"""The region: the frames of song that a generation covers."""

from dataclasses import dataclass
from typing import Final

from sidecar.frames import down_to_window, first_sample, frame_of, up_to_window

MIN_FRAMES: Final = 50
"""Shortest region: 2 s, so that every window can be decoded with its full margins wherever it lies."""

MAX_FRAMES: Final = 1_500
"""Longest region: 60 s, what one generation on a CPU sustains (and the cost of attention grows with its square)."""

SONG_FRAMES: Final = 15_000
"""Longest source: 10 minutes, as far as the model itself goes."""

TEXT_FRAMES: Final = 400
"""Regions of source mode None: 16 s, eight bars of 4/4 at 120 beats a minute."""


@dataclass(frozen=True)
class Region:
    """`frames` frames of song from frame `start`; both are multiples of the window grid."""

    start: int
    frames: int

    @property
    def end(self) -> int:
        """The first frame after the region."""
        return self.start + self.frames

    def samples(self, rate: int) -> tuple[int, int]:
        """The region in host samples, half open."""
        return first_sample(self.start, rate), first_sample(self.end, rate)

    def clamp(self, frame: int) -> int:
        """The frame of the region that is nearest to a frame."""
        return min(max(frame, self.start), self.end - 1)


def region_of(first: int, samples: int, rate: int) -> Region:
    """The frames of audio that lies at song samples [first, first + samples).

    At least 50 and at most 15000 of them; what does not fit is outside and stays dry.
    """
    start = down_to_window(frame_of(first, rate))
    wanted = up_to_window(frame_of(first + samples - 1, rate) + 1) - start
    return Region(start, min(max(wanted, MIN_FRAMES), SONG_FRAMES))
