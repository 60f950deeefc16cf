"""The side-chain of one instance: what a pass captured of the second input becomes a reference of the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sidecar.passage import Audio, Passage
from sidecar.source import canonical

if TYPE_CHECKING:
    from sidecar.source import SourceAudio

NAME: Final = "side-chain"
KEYS: Final = {1: "timbre", 2: "structure"}
"""What the choices of `sidechain` in parameters.toml make of it: keys of the document. 0 is Off."""

SECONDS: Final = 2
"""A reference shorter than this says little about a timbre, and nothing about a structure."""


class SideChain:
    """What the pass that runs captured of the second input."""

    def __init__(self) -> None:
        self._passage: Passage | None = None
        self._rate = 0
        self._lossy = False

    def begin(self, rate: int) -> None:
        """A pass begins."""
        self._passage, self._rate, self._lossy = Passage(rate), rate, False

    def capture(self, song: int, audio: Audio | None) -> None:
        """Audio of the side-chain in this pass; None where the plugin overwrote it before it was copied."""
        if audio is None:
            self._lossy = True
        elif self._passage is not None:
            self._passage.write(song, audio)

    def end(self) -> SourceAudio | None:
        """The pass is over: its passage, where it is whole, long enough and not silent."""
        passage, self._passage = self._passage, None
        if passage is None or passage.first is None or self._lossy:
            return None
        if passage.audio.shape[1] < SECONDS * self._rate:
            return None
        return canonical(passage.audio, passage.first, self._rate, NAME)
