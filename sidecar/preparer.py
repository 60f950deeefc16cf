"""The preparer: encodes prompts, sources and references with one engine session, and keeps what it made."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sidecar.frames import ENGINE_RATE, FRAME_RATE, FRAME_SAMPLES, frame_of
from sidecar.loras import Loras
from sidecar.material import Structure
from sidecar.prompts import Asked, Pair, Prompt, Prompts, Texts, facts_of
from sidecar.source import SourceAudio, over_region
from sidecar.windows import resample

if TYPE_CHECKING:
    from engine import Conditioning, Encoding, Session, Source
    from engine.text.embedding import TextEmbedding
    from sidecar.document import Document
    from sidecar.region import Region

KEPT: Final = 256
"""Prepared texts, prompts, sources and references kept: some twenty instances with two prompts, or six with eight
prompt snapshots; 0.1 MB a prompt with the shipped checkpoint and 0.8 MB a source of 60 s."""


class Preparer:
    """Prepares with one engine session. What was prepared before is reused, for all instances.

    Attributes:
        sharers: how many instances share the engine.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.loras = Loras(session.loras)
        self.sharers = 1
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def prompts(
        self,
        document: Document,
        frames: int,
        *,
        cover: bool,
        timbre: SourceAudio | None = None,
        bpm: float | None = None,
        beats: int | None = None,
    ) -> Prompts:
        """The document's prompts and prompt snapshots, encoded for regions of T = `frames`, and its LoRAs.

        An empty prompt B means the same as A, a snapshot without text the same as none.

        Args:
            cover: there is a source.
            timbre: whose timbre to take.
            bpm, beats: the host's tempo and beats per bar where the pass begins, None where it does not say.

        Raises:
            LoraMissingError: a LoRA is not there.
            engine.EngineError: the engine refuses a prompt or a LoRA.
        """
        fields, task = document.fields, "cover" if cover else "text2music"
        facts = facts_of(fields.song, bpm, beats)

        def pair(texts: Texts) -> Pair:
            a = self._prompt(Asked(texts.a, task, frames, facts), timbre)
            different = bool(texts.b) and texts.b != texts.a
            b = self._prompt(Asked(texts.b, task, frames, facts), timbre) if different else None
            return Pair(a, b, self._negative(a))

        snapshots = tuple(pair(each) if each and (each.a or each.b) else None for each in fields.snapshots)
        loras = self.loras.slots(fields.loras)
        self.session.loras.checked({name: 1.0 for name in loras if name is not None})  # read now, not at a tick
        return Prompts(pair(fields.prompts), snapshots, fields.seed, loras)

    def source(self, audio: SourceAudio, region: Region) -> Source:
        """Canonical source audio, placed in its region and encoded.

        Raises:
            engine.EngineError: the engine refuses the audio.
        """
        return self._cached(_source_key(audio, region), lambda: self._begin(audio, region).finish())

    def structure(self, audio: SourceAudio, region: Region) -> Structure:
        """A structure reference over a region.

        Raises:
            engine.EngineError: the engine refuses the audio.
        """
        key = ("structure", audio.hash, audio.first, region)
        return self._cached(key, lambda: self._structured(audio, region))

    def encode_part(self, audio: SourceAudio, region: Region) -> bool:
        """Encode the next 4 s of what `source` returns for these arguments; False when it is all there.

        Raises:
            engine.EngineError: the engine refuses the audio.
        """
        return self._encode(_source_key(audio, region), lambda: self._begin(audio, region))

    def encode_timbre(self, audio: SourceAudio) -> bool:
        """Encode the next 4 s of a timbre reference; False when it is all there.

        Raises:
            engine.EngineError: the engine refuses the audio.
        """
        return self._encode(("timbre", audio.hash), lambda: self._begin_timbre(audio))

    def _encode(self, key: Hashable, begin: Callable[[], Encoding]) -> bool:
        if key in self._kept:
            self._kept.move_to_end(key)
            return False
        encoding: Encoding = self._cached(("encoding", key), begin)
        source = encoding.advance()
        if source is not None:
            del self._kept["encoding", key]
            self._cached(key, lambda: source)
        return True

    def _begin(self, audio: SourceAudio, region: Region) -> Encoding:
        placed = over_region(audio, region)
        samples = region.frames * FRAME_SAMPLES
        return self.session.begin_source(resample(placed, audio.rate, ENGINE_RATE, samples), frames=region.frames)

    def _prompt(self, asked: Asked, timbre: SourceAudio | None) -> Prompt:
        if timbre is None:
            return self._cached(("prompt", asked), lambda: Prompt(self._conditioning(asked)))
        heard = self._timbre(timbre)
        return self._cached(
            ("prompt", asked, timbre.hash), lambda: Prompt(self._conditioning(asked), self._conditioning(asked, heard))
        )

    def _conditioning(self, asked: Asked, timbre: Source | None = None) -> Conditioning:
        embedding = self._cached(("text", asked), lambda: self._embedding(asked))
        return self.session.condition_text(embedding, timbre=timbre)

    def _embedding(self, asked: Asked) -> TextEmbedding:
        facts = asked.facts
        return self.session.embed_text(
            asked.text,
            task=asked.task,
            duration=asked.frames / FRAME_RATE,
            bpm=facts.bpm,
            key=facts.key,
            time_signature=facts.metre,
        )

    def _negative(self, prompt: Prompt) -> Conditioning:
        rows = prompt.plain.states.shape[0]
        return self._cached(("negative", rows), lambda: self.session.null_conditioning(prompt.plain))

    def _timbre(self, audio: SourceAudio) -> Source:
        return self._cached(("timbre", audio.hash), lambda: self._begin_timbre(audio).finish())

    def _begin_timbre(self, audio: SourceAudio) -> Encoding:
        samples = -(-audio.samples * ENGINE_RATE // audio.rate)
        return self.session.begin_source(resample(audio.audio, audio.rate, ENGINE_RATE, samples))

    def _structured(self, audio: SourceAudio, region: Region) -> Structure:
        frames = np.arange(region.start, region.end)
        first, end = frame_of(audio.first, audio.rate), frame_of(audio.first + audio.samples - 1, audio.rate) + 1
        there = ((frames >= first) & (frames < end)).astype(np.float32)
        silence = self.session.empty_latent(region.frames)
        return Structure(self.source(audio, region).hints, there, silence)

    def _cached(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key not in self._kept:
            self._kept[key] = make()
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def _source_key(audio: SourceAudio, region: Region) -> Hashable:
    return ("source", audio.hash, audio.first, audio.rate, audio.scale, region)
