"""A lane's values frame by frame: those of this pass, and what is remembered of a loop's earlier rounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidecar.region import Region

KEPT_FRAMES: Final = 15_000
"""Frame values that a pass keeps: 10 minutes, the longest source. A pass without one may run for days."""

FIRST_ROOM: Final = 512  # frames; 20 s, so that a song grows its arrays a few times only


class Track:
    """A lane's values frame by frame, from song frame `start` on: at least the last `KEPT_FRAMES` of them."""

    def __init__(self, start: int) -> None:
        self.start = start
        self._room = np.empty(FIRST_ROOM, np.float32)
        self._count = 0

    @property
    def values(self) -> NDArray[np.float32]:
        """[n] float32 of frames `start`, `start` + 1, ...; a view."""
        return self._room[: self._count]

    def append(self, values: NDArray[np.float64]) -> None:
        """The values of the next frames."""
        count = self._count + len(values)
        if count > len(self._room):
            kept = self.values[-KEPT_FRAMES:]
            self.start += self._count - len(kept)
            count = len(kept) + len(values)
            self._room = np.concatenate([kept, np.empty(max(FIRST_ROOM, len(kept)) + len(values), np.float32)])
        self._room[count - len(values) : count] = values
        self._count = count


@dataclass(frozen=True)
class Memory:
    """Frame values of earlier rounds of a loop, by absolute frame: NaN where a frame was not reached."""

    start: int = 0
    values: Mapping[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])

    def over(self, key: str, region: Region) -> NDArray[np.float32]:
        """The remembered values over a region, [T] float32, NaN where unknown."""
        out = np.full(region.frames, np.nan, np.float32)
        kept = self.values.get(key)
        if kept is not None:
            low, high = max(region.start, self.start), min(region.end, self.start + len(kept))
            if low < high:
                out[low - region.start : high - region.start] = kept[low - self.start : high - self.start]
        return out

    def is_all(self, key: str, value: float) -> bool:
        """Whether every remembered value is this one."""
        kept = self.values.get(key)
        return kept is None or bool((np.isnan(kept) | (kept == np.float32(value))).all())
