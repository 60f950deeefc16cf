"""The score of a look-ahead pass: its source may be what the pass hears while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sidecar.frames import ENGINE_RATE, FRAME_SAMPLES
from sidecar.references import NO_REFERENCES, References
from sidecar.score import Score
from sidecar.tempo import UNKNOWN, Tempo
from sidecar.windows import resample

if TYPE_CHECKING:
    from engine import Encoding
    from sidecar.captured import Captured
    from sidecar.course import Course
    from sidecar.document import Document
    from sidecar.material import Material
    from sidecar.preparer import Preparer
    from sidecar.source import SourceAudio


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


def ahead_score_of(
    preparer: Preparer,
    document: Document,
    course: Course,
    audio: SourceAudio | None,
    captured: Captured | None,
    references: References = NO_REFERENCES,
    *,
    tempo: Tempo = UNKNOWN,
    rate: int = ENGINE_RATE,
) -> AheadScore:
    """What a look-ahead pass is rendered from; otherwise as `score_of`.

    Args:
        course: its spans.
        audio: a source that is known beforehand.
        captured: the input, where that is the source.
    """
    prompts = preparer.prompts(
        document,
        course.frames,
        cover=audio is not None or captured is not None,
        timbre=references.timbre,
        bpm=tempo.bpm,
        beats=tempo.beats,
    )
    clock, structure = document.fields.clock, references.structure
    return AheadScore(course, audio, structure, prompts, clock, tempo, preparer, captured=captured, rate=rate)
