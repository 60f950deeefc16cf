"""Endings: passes that are over where the track comes in, and still to be heard where it goes out."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sidecar.rendering import Rendering


PASSES: Final = 128
"""Passes that a plugin tells apart (PROTOCOL section 4)."""


class Endings:
    """The look-ahead passes of one instance whose end is still to be rendered, in the order in which they are heard."""

    def __init__(self) -> None:
        self._renderings: deque[Rendering] = deque()

    @property
    def first(self) -> Rendering | None:
        """The one that is heard first; None where there is none. What it renders is due before any other pass's."""
        return self._renderings[0] if self._renderings else None

    @property
    def numbers(self) -> list[int]:
        """Their passes."""
        return [rendering.number for rendering in self._renderings]

    def take(self, rendering: Rendering) -> bool:
        """The transport left a pass: keep it, unless nothing more of it is to be heard."""
        kept = rendering.run.end()
        if kept:
            self._renderings.append(rendering)
        return kept

    def elapse(self, samples: int) -> None:
        """So much came in, of a later pass."""
        for rendering in self._renderings:
            rendering.run.elapse(samples)

    def leave(self) -> None:
        """The first one is rendered to its end, or not heard any more."""
        self._renderings.popleft().run.close()

    def forget(self) -> None:
        """Nothing of them is heard any more."""
        while self._renderings:
            self.leave()

    def keep(self, number: int, latency: int) -> None:
        """A pass of this number and latency begins: those of another latency, or long ago, are not heard any more."""
        while self._renderings and not self._is_heard(self._renderings[0], number, latency):
            self.leave()

    def _is_heard(self, rendering: Rendering, number: int, latency: int) -> bool:
        return rendering.run.latency == latency and rendering.number > number - PASSES
