"""The score of a look-ahead pass: its source may be what the pass hears while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sidecar.frames import ENGINE_RATE, FRAME_SAMPLES
from sidecar.score import Score
from sidecar.windows import resample

if TYPE_CHECKING:
    from engine import Encoding
    from sidecar.captured import Captured
    from sidecar.material import Material


@dataclass(frozen=True, eq=False)
class AheadScore(Score):
    """A score whose source is what the pass hears.

    Attributes:
        captured: the input; None: the source is known beforehand, or there is none.
        rate: of it.
    """

    captured: Captured | None = None
    rate: int = ENGINE_RATE
    _encodings: dict[int, Encoding] = field(default_factory=dict[int, "Encoding"])

    @property
    def covers(self) -> bool:
        """There is a source."""
        return self.captured is not None or self.audio is not None

    def prepare(self, index: int) -> bool:
        """See `Score.prepare`; all of the region's input was heard."""
        if self.captured is not None and self._encoding(self.captured, index).source is None:
            self._encoding(self.captured, index).advance()
            return True
        return super().prepare(index)

    def material(self, index: int) -> Material:
        """See `Score.material`."""
        material = super().material(index)
        if self.captured is None:
            return material
        source = self._encoding(self.captured, index).finish()
        return replace(material, source=source)

    def leave(self, index: int) -> None:
        """No span up to this one is needed any more."""
        for known in [known for known in self._encodings if known <= index]:
            del self._encodings[known]

    def _encoding(self, captured: Captured, index: int) -> Encoding:
        if index not in self._encodings:
            region = self.course.region(index)
            heard = captured.over(*region.samples(self.rate))
            audio = resample(heard, self.rate, ENGINE_RATE, region.frames * FRAME_SAMPLES)
            self._encodings[index] = self.preparer.session.begin_source(audio, frames=region.frames)
        return self._encodings[index]
