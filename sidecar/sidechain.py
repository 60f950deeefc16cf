"""The side-chain of one instance: what a pass captured of the second input becomes a reference of the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sidecar.passage import Audio, Passage
from sidecar.source import canonical_steps

if TYPE_CHECKING:
    from sidecar.source import SourceAudio
    from sidecar.steps import Steps

NAME: Final = "side-chain"
KEYS: Final = {1: "timbre", 2: "structure"}
"""What the choices of `sidechain` in parameters.toml make of it: keys of the document. 0 is Off."""

SECONDS: Final = 2
"""A reference shorter than this says little about a timbre, and nothing about a structure."""


class SideChain:
    """What the pass that runs captured of the second input."""

    def __init__(self) -> None:
        self._passage: Passage | None = None
        self._lossy = False

    def begin(self, rate: int) -> None:
        """A pass begins."""
        self._passage, self._lossy = Passage(rate), False

    def capture(self, song: int, audio: Audio | None) -> None:
        """Audio of the side-chain in this pass; None where the plugin overwrote it before it was copied."""
        if audio is None:
            self._lossy = True
        elif self._passage is not None:
            self._passage.write(song, audio)

    def end(self) -> Steps[SourceAudio | None]:
        """The pass is over: its passage, where it is whole, long enough and not silent."""
        passage, self._passage = self._passage, None
        return self._reference(passage, lossy=self._lossy)

    def _reference(self, passage: Passage | None, *, lossy: bool) -> Steps[SourceAudio | None]:
        layer = None if passage is None or lossy else passage.layer
        if passage is None or layer is None or layer.samples < SECONDS * passage.rate:
            return None
        source = yield from canonical_steps(layer.part, layer.samples, layer.first, passage.rate, NAME)
        if source is not None:
            yield from source.hashing()
        return source
