"""Takes: audio that was heard, kept, and played in place of the live rendering (docs/recall.md).

A take lies on the window grid. It plays in the windows that it covers whole; where playing passes from one thing to
another the two cross linearly, as windows do, and in between a take is heard sample for sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidecar.frames import WINDOW, first_sample, frame_of
from sidecar.source import SourceAudio
from sidecar.windows import cross, resample

LIVE: Final = 0
CHOICES: Final = {"A": 1, "B": 2, "C": 3}  # choices of `take` in parameters.toml

Audio = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Takes:
    """The takes of a document.

    Attributes:
        audio: canonical audio by choice of the parameter `take`.
    """

    audio: Mapping[int, SourceAudio] = field(default_factory=dict[int, SourceAudio])

    def equals(self, other: Takes) -> bool:
        """Whether both play the same."""
        mine = {choice: source.entry for choice, source in self.audio.items()}
        return mine == {choice: source.entry for choice, source in other.audio.items()}


NO_TAKES: Final = Takes()


def takes_of(get: Callable[[str], SourceAudio | None]) -> Takes:
    """The takes that are here; `get` finds audio under a key of `Fields.audio`."""
    found = ((choice, get(f"takes.{slot}")) for slot, choice in CHOICES.items())
    return Takes({choice: source for choice, source in found if source is not None})


class Deck:
    """Plays takes in one pass, window by window in ascending order.

    Args:
        takes: what there is.
        end: the frame at which the pass ends.
        rate: host samples per second.
    """

    def __init__(self, takes: Takes, end: int, rate: int) -> None:
        self._takes = takes
        self._end = end
        self._rate = rate
        self._resampled: dict[int, Audio] = {}
        self._seam = rate // 100  # 10 ms, as the seam of two windows
        self._after: int | None = None  # frame after the last window
        self._last = LIVE

    def use(self, takes: Takes) -> None:
        """Play other takes from the next window on."""
        if not takes.equals(self._takes):
            self._resampled.clear()
        self._takes = takes

    def covers(self, choice: int, start: int, end: int) -> bool:
        """Whether a take covers the frames [start, end) of the pass; nothing covers what is live."""
        first, samples = self._place(choice)
        low, high = first_sample(start, self._rate), first_sample(min(end, self._end), self._rate)
        return samples > 0 and first <= low and high <= first + samples

    def needs_live(self, choice: int, window: int) -> bool:
        """Whether the window at a frame is rendered live, in whole or to cross from or to."""
        playing = self._playing(choice, window)
        if playing == LIVE or self._ends(playing, window):
            return True
        if self._after != window or self._last == playing:
            return False
        return not self.covers(self._last, window, window + WINDOW)

    def render(self, choice: int, window: int, live: Audio | None) -> Audio:
        """The window at a frame as it is heard, [2, S(frame + 10) - S(frame)] float32.

        Args:
            choice: of the parameter `take`.
            live: the window as it was rendered; None only where `needs_live` says no.
        """
        playing = self._playing(choice, window)
        heard = self._window(playing, window, live).copy()
        if self._after == window and self._last != playing:
            before = self._last if self.covers(self._last, window, window + WINDOW) else LIVE
            leaving = self._window(before, window, live)
            heard[:, : self._seam] = cross(leaving[:, : self._seam], heard[:, : self._seam])
        if self._ends(playing, window):
            coming = self._window(LIVE, window, live)
            heard[:, -self._seam :] = cross(heard[:, -self._seam :], coming[:, -self._seam :])
        self._after, self._last = window + WINDOW, playing
        return heard

    def _playing(self, choice: int, window: int) -> int:
        return choice if self.covers(choice, window, window + WINDOW) else LIVE

    def _ends(self, playing: int, window: int) -> bool:
        """The take ends with this window, and the pass goes on."""
        after = window + WINDOW
        return playing != LIVE and after < self._end and not self.covers(playing, after, after + WINDOW)

    def _place(self, choice: int) -> tuple[int, int]:
        """First song sample and samples of a take at the host's rate."""
        source = self._takes.audio.get(choice)
        if source is None:
            return 0, 0
        if source.rate == self._rate:
            return source.first, source.samples
        start = frame_of(source.first, source.rate)
        end = frame_of(source.first + source.samples, source.rate)
        first = first_sample(start, self._rate)
        return first, first_sample(end, self._rate) - first

    def _window(self, choice: int, window: int, live: Audio | None) -> Audio:
        if choice == LIVE:
            assert live is not None  # noqa: S101 - `needs_live` was asked
            return live
        first, samples = self._place(choice)
        low = first_sample(window, self._rate) - first
        high = first_sample(window + WINDOW, self._rate) - first
        source = self._takes.audio[choice]
        if source.rate == self._rate:
            return source.part(low, high)
        if choice not in self._resampled:
            self._resampled[choice] = resample(source.audio, source.rate, self._rate, samples)
        return self._resampled[choice][:, low:high]
