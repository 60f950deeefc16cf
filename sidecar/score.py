"""The score: what a whole pass is rendered from, region by region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sidecar.course import Course, course_of, text_course
from sidecar.frames import ENGINE_RATE
from sidecar.material import Material
from sidecar.references import NO_REFERENCES, References
from sidecar.takes import NO_TAKES, Takes
from sidecar.tempo import UNKNOWN, Tempo

if TYPE_CHECKING:
    from sidecar.document import Document
    from sidecar.fields import Clock
    from sidecar.preparer import Preparer
    from sidecar.prompts import Prompts
    from sidecar.source import SourceAudio


@dataclass(frozen=True, eq=False)
class Score:
    """What a pass is rendered from.

    Attributes:
        course: the regions it goes through.
        audio: what is re-generated; None is text to music, with denoise 1 throughout.
        structure: a structure reference.
        prompts: those of its beginning.
        clock: of the document.
        tempo: of the host where the pass begins.
        preparer: prepares the regions.
        takes: what the parameter `take` chooses from.
    """

    course: Course
    audio: SourceAudio | None
    structure: SourceAudio | None
    prompts: Prompts
    clock: Clock
    tempo: Tempo
    preparer: Preparer
    takes: Takes = NO_TAKES

    @property
    def covers(self) -> bool:
        """There is a source."""
        return self.audio is not None

    def prepare(self, index: int) -> bool:
        """Encode the next 4 s that the material of a region needs; False when there is nothing left to encode.

        Raises:
            engine.EngineError: the engine refuses the audio.
        """
        region = self.course.region(index)
        heard = [audio for audio in (self.audio, self.structure) if audio is not None]
        return any(self.preparer.encode_part(audio, region) for audio in heard)

    def material(self, index: int) -> Material:
        """What a region is rendered from; encodes what `prepare` left.

        Raises:
            engine.EngineError: the engine refuses the source or the structure reference.
        """
        region, noise_start = self.course.region(index), self.course.noise_start(index)
        source = None if self.audio is None else self.preparer.source(self.audio, region)
        structure = None if self.structure is None else self.preparer.structure(self.structure, region)
        return Material(region, source, self.prompts, self.clock, structure, noise_start)

    def equals(self, other: Score) -> bool:
        """Whether both render the same. What was prepared twice, because it was no longer kept, counts as different."""
        return (
            (self.course, self.clock, self.prompts) == (other.course, other.clock, other.prompts)
            and _is_same(self.audio, other.audio)
            and _is_same(self.structure, other.structure)
            and self.takes.equals(other.takes)
        )


def score_of(
    preparer: Preparer,
    document: Document,
    audio: SourceAudio | None,
    references: References = NO_REFERENCES,
    *,
    tempo: Tempo = UNKNOWN,
    rate: int = ENGINE_RATE,
) -> Score:
    """What a pass of a document is rendered from.

    Args:
        audio: what is re-generated; None is source mode None.
        tempo: of the host where the pass starts.
        rate: of song positions in it.

    Raises:
        LoraMissingError: a LoRA is not there.
        engine.EngineError: the engine refuses a prompt, the timbre reference or a LoRA.
    """
    course = text_course(tempo, rate) if audio is None else course_of(audio.region, tempo, rate)
    prompts = preparer.prompts(
        document,
        course.frames,
        cover=audio is not None,
        timbre=references.timbre,
        bpm=tempo.bpm,
        beats=tempo.beats,
    )
    return Score(course, audio, references.structure, prompts, document.fields.clock, tempo, preparer)


def _is_same(one: SourceAudio | None, other: SourceAudio | None) -> bool:
    return one is other or (one is not None and other is not None and one.entry == other.entry)
