"""Material: what a pass is rendered from, prepared for the engine; and the preparer that caches the slow parts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sidecar.document import Document
from sidecar.fields import Clock
from sidecar.frames import ENGINE_RATE, FRAME_RATE, FRAME_SAMPLES
from sidecar.loras import Loras, Slots
from sidecar.region import TEXT_REGION, Region
from sidecar.source import SourceAudio, over_region
from sidecar.windows import resample

if TYPE_CHECKING:
    from engine import Conditioning, Session, Source

KEPT: Final = 64
"""Prepared prompts and sources kept: some twenty instances with two prompts and a source of at most 1 MB each."""


@dataclass(frozen=True, eq=False)
class Prompts:
    """Prompt A, B where it differs from A, and what else may change under a running pass: seed and LoRAs."""

    a: Conditioning
    b: Conditioning | None
    seed: int
    loras: Slots


@dataclass(frozen=True, eq=False)
class Material:
    """What a pass is rendered from. `source` None is text to music, with denoise 1 throughout."""

    region: Region
    source: Source | None
    prompts: Prompts
    clock: Clock

    def equals(self, other: Material) -> bool:
        """Whether both render the same. What was prepared twice, because it was no longer kept, counts as different."""
        return (
            (self.region, self.clock, self.prompts.seed) == (other.region, other.clock, other.prompts.seed)
            and self.prompts.loras == other.prompts.loras
            and self.source is other.source
            and self.prompts.a is other.prompts.a
            and self.prompts.b is other.prompts.b
        )


class Preparer:
    """Prepares material with one engine session. What was prepared before is reused, for all instances."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.loras = Loras(session.loras)
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def material(self, document: Document, audio: SourceAudio | None, region: Region | None) -> Material:
        """Everything a pass needs; both None is source mode None.

        Raises:
            LoraMissingError: a LoRA is not there.
            engine.EngineError: the engine refuses a prompt, the source or a LoRA.
        """
        region = region or TEXT_REGION
        source = None if audio is None else self.source(audio, region)
        return Material(region, source, self.prompts(document, region, cover=source is not None), document.fields.clock)

    def prompts(self, document: Document, region: Region, *, cover: bool) -> Prompts:
        """The document's prompts, encoded for a region, and its LoRAs. An empty prompt B means the same as A.

        Raises:
            LoraMissingError: a LoRA is not there.
            engine.EngineError: the engine refuses a prompt or a LoRA.
        """
        texts = document.fields.prompts
        a = self._prompt(texts.a, region.frames, cover)
        b = self._prompt(texts.b, region.frames, cover) if texts.b and texts.b != texts.a else None
        loras = self.loras.slots(document.fields.loras)
        self.session.loras.checked({name: 1.0 for name in loras if name is not None})  # read now, not at a tick
        return Prompts(a, b, document.fields.seed, loras)

    def source(self, audio: SourceAudio, region: Region) -> Source:
        """Canonical source audio, placed in its region and encoded."""
        key = ("source", audio.hash, audio.first, audio.rate, audio.scale, region)
        return self._cached(key, lambda: self._encode(audio, region))

    def _encode(self, audio: SourceAudio, region: Region) -> Source:
        placed = over_region(audio, region)
        samples = region.frames * FRAME_SAMPLES
        return self.session.prepare_source(resample(placed, audio.rate, ENGINE_RATE, samples), frames=region.frames)

    def _prompt(self, text: str, frames: int, cover: bool) -> Conditioning:
        task = "cover" if cover else "text2music"
        return self._cached(
            ("prompt", text, frames, task),
            lambda: self.session.encode_text(text, task=task, duration=frames / FRAME_RATE),
        )

    def _cached(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key not in self._kept:
            self._kept[key] = make()
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]
