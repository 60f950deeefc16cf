"""What one instance's project holds: document, sources and parameter values, and the score they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import msgspec

from engine import __version__ as engine_version
from sidecar import sidechain
from sidecar.ahead import ahead_score_of
from sidecar.captured import Captured
from sidecar.document import Document, changed_parameters, parse_json
from sidecar.errors import ContentError, SidecarError, StateError
from sidecar.frames import frame_of
from sidecar.lessons import Lessons
from sidecar.parameters import TABLE
from sidecar.prompts import said
from sidecar.protocol import MAX_DOCUMENT, Missing, TakeInfo
from sidecar.references import References
from sidecar.score import score_of
from sidecar.sidechain import SideChain
from sidecar.sources import LEARN, NONE, Found, Sources
from sidecar.spans import span_course
from sidecar.takes import Takes, takes_of

if TYPE_CHECKING:
    from sidecar.ahead import AheadScore
    from sidecar.content import ContentStore
    from sidecar.fields import SourceEntry
    from sidecar.passage import Audio
    from sidecar.preparer import Preparer
    from sidecar.prompts import Prompts
    from sidecar.score import Score
    from sidecar.source import SourceAudio
    from sidecar.steps import Steps
    from sidecar.tempo import Tempo


_KINDS: Final = {"timbre": "reference", "structure": "reference", "takes": "take"}


@dataclass(frozen=True)
class Proposal:
    """What a project would be after a change.

    Attributes:
        document: the document.
        found: the audio that it names, as far as it is here.
        values: of the parameters that the change names.
        notes: what could not be kept as it was, in sentences.
        names: the keys of the change.
    """

    document: Document
    found: Found
    values: Mapping[str, float]
    notes: tuple[str, ...]
    names: frozenset[str]


class Project:
    """The state of one instance; changed as a whole or not at all.

    Args:
        preparer: the engine, shared by all instances.
        store: the content store.

    Attributes:
        document: the document in force.
        values: plain value in force of every parameter.
    """

    def __init__(self, preparer: Preparer, store: ContentStore) -> None:
        self.document = Document()
        self.values = {row.key: self.document.parameter(row.key) for row in TABLE}
        self._preparer = preparer
        self._untold: set[str] = set()
        self._sources = Sources(store)
        self._side = SideChain()
        self._lessons = Lessons()

    @property
    def mode(self) -> int:
        """The source mode in force."""
        return round(self.values["source_mode"])

    @property
    def source(self) -> SourceAudio | None:
        """What is re-generated; None where there is nothing, or where it is missing."""
        try:
            return self._sources.current(self.mode)
        except ContentError:
            return None

    @property
    def in_force(self) -> Document:
        """The document with the values in force."""
        return self.document.patch({"parameters": {key: self.values[key] for key in TABLE.keys_saved}})

    @property
    def is_wet(self) -> bool:
        """There is something to render from.

        Raises:
            ContentError: the document names a source whose audio is missing.
            LoraMissingError: it names a LoRA that is not there.
            SidecarError: the project was made with another checkpoint.
        """
        self._check_checkpoint()
        self._preparer.loras.slots(self.document.fields.loras)
        return self.mode == NONE or self._sources.current(self.mode) is not None

    def propose(self, changes: bytes, attachments: Mapping[str, bytes]) -> Proposal:
        """What changes would make of the project; nothing is changed yet.

        Raises:
            StateError: the document would not be valid.
            ContentError: an attachment is not the audio that the document names.
        """
        patch = parse_json(changes)
        patched = self.document.patch(patch)
        document = self._stamped(patched)
        if len(document.to_json()) > MAX_DOCUMENT:
            raise StateError(f"The document grows beyond {MAX_DOCUMENT} bytes.", "Leave out keys that DEMON ignores.")
        keys = [key for key in changed_parameters(patch) if key in self.values]
        values = {key: document.parameter(key) for key in keys}
        return Proposal(document, self._sources.find(document, attachments), values, patched.notes, frozenset(patch))

    def accept(self, proposal: Proposal, *, from_plugin: bool) -> None:
        """Take over what `propose` made; whose parameters the plugin has, if it proposed them.

        What it names takes the place of what is being learned.
        """
        self._lessons.forget(proposal.names)
        self._sources.hold(proposal.found)
        self.document = proposal.document
        self.values.update(proposal.values)
        keys = proposal.values.keys()
        self._untold = self._untold - keys if from_plugin else self._untold | keys
        self._sources.shelve_takes()

    def move(self, key: str, plain: float) -> None:
        """The plugin moved a parameter; what anybody else set it to before is over."""
        self.values[key] = plain
        self._untold.discard(key)

    def tell(self) -> list[str]:
        """The parameters that somebody else than the plugin set since the last time this was asked."""
        told, self._untold = sorted(self._untold & set(TABLE.keys_saved)), set()
        return told

    @property
    def missing(self) -> list[Missing]:
        """All that the document names and this machine lacks."""
        fields = self.document.fields
        audio = [
            Missing(_KINDS.get(key.partition(".")[0], "source"), entry.name or key, self._sources.missing[key].fix)
            for key, entry in fields.audio()
            if key in self._sources.missing
        ]
        loras = [Missing("lora", error.name, error.fix) for error in self._preparer.loras.missing(fields.loras)]
        checkpoint = self._other_checkpoint()
        return [*checkpoint, *loras, *audio]

    @property
    def takes(self) -> Takes:
        """The takes that are here."""
        return takes_of(self._sources.get)

    @property
    def take_infos(self) -> list[TakeInfo]:
        """What the list of instances says about the document's takes."""
        return [msgspec.convert(msgspec.to_builtins(take), TakeInfo) for take in self.document.fields.takes]

    @property
    def heard_frames(self) -> int:
        """Frames of the track that the pass in progress has captured, in mode Learn."""
        return self._sources.heard_frames if self.mode == LEARN else 0

    def look_again(self) -> None:
        """Look for audio that is missing; `missing` itself looks for LoRAs."""
        self._sources.look_again(self.document)

    def begin_pass(self, rate: int) -> None:
        """A pass begins; what it captures is its own."""
        self._sources.begin(rate)
        self._side.begin(rate)

    def capture(self, song: int, audio: Audio | None, *, side: bool = False) -> None:
        """Audio of the track in this pass, or of its side-chain; None where it was lost."""
        (self._side if side else self._sources).capture(song, audio)

    def keep_tick(self, frames: int) -> None:
        """A live pass chose its frames per tick."""
        self.document = self._stamped(self.document.patch({"clock": {"tick_frames": frames}}))

    def end_pass(self) -> None:
        """The pass is over; `learn` works out what it taught."""
        if self.mode == LEARN:
            self._lessons.add("learned", self._sources.learn())
        else:
            self._sources.drop()
        side, key = self._side.end(), sidechain.KEYS.get(round(self.values["sidechain"]))
        if key is not None:
            self._lessons.add(key, self._refer(key, side))

    @property
    def learns(self) -> bool:
        """What passes taught is not worked out yet."""
        return self._lessons.waiting

    @property
    def refers(self) -> bool:
        """What of it becomes a reference."""
        return self._lessons.teaches_other_than("learned")

    def learn(self) -> dict[str, SourceEntry]:
        """Do one unit of work on what passes taught; what it changed, under keys of the document."""
        taught = self._lessons.work()
        return {} if taught is None else self._taught(*taught)

    def _taught(self, key: str, entry: SourceEntry) -> dict[str, SourceEntry]:
        self.document = self._stamped(self.document.patch({key: msgspec.to_builtins(entry)}))
        return {key: entry}

    def _refer(self, key: str, side: Steps[SourceAudio | None]) -> Steps[SourceEntry | None]:
        source, before = (yield from side), self._sources.get(key)
        if source is None or (before is not None and before.entry == source.entry):
            return None
        while key == "timbre" and self._preparer.encode_timbre(source):
            yield
        self._sources.put(key, source)
        return source.entry

    def score(self, tempo: Tempo, rate: int) -> Score | None:
        """What a pass that begins now is rendered from; None where there is no source.

        Args:
            tempo: of the host where it begins.
            rate: host samples per second.

        Raises:
            ContentError: the source's audio is missing.
            LoraMissingError: a LoRA is not there.
            SidecarError: the project was made with another checkpoint.
            engine.EngineError: the engine refuses a prompt.
        """
        if not self.is_wet:
            return None
        audio = self._sources.current(self.mode)
        references = References(self._sources.get("timbre"), self._sources.get("structure"))
        score = score_of(self._preparer, self.document, audio, references, tempo=tempo, rate=rate)
        return replace(score, takes=self.takes)

    def ahead(self, tempo: Tempo, rate: int, start: int, latency: int) -> AheadScore | None:
        """What a look-ahead pass that begins at song sample `start` is rendered from; otherwise as `score`.

        Raises:
            StateError: so short a latency leaves nothing to render from.
        """
        if self.mode != LEARN and not self.is_wet:
            return None
        audio = None if self.mode == LEARN else self._sources.current(self.mode)
        references = References(self._sources.get("timbre"), self._sources.get("structure"))
        extent = None if audio is None else audio.region
        course = span_course(frame_of(start, rate), latency, rate, extent)
        captured = Captured(start) if self.mode == LEARN else None
        score = ahead_score_of(
            self._preparer, self.document, course, audio, captured, references, tempo=tempo, rate=rate
        )
        return replace(score, takes=self.takes)

    def new_prompts(self, proposal: Proposal, score: Score) -> Prompts | None:
        """Prompts, timbre, seed and LoRAs of a proposal for a pass that is under way; None where nothing changes.

        Raises:
            LoraMissingError: a LoRA is not there.
            engine.EngineError: the engine refuses a prompt or a LoRA.
        """
        timbre = proposal.found.loaded.get("timbre")
        same = said(self.document.fields) == said(proposal.document.fields)
        if same and timbre == self._sources.get("timbre"):
            return None
        return self._preparer.prompts(
            proposal.document,
            score.course.frames,
            cover=score.covers,
            timbre=timbre,
            bpm=score.tempo.bpm,
            beats=score.tempo.beats,
        )

    def encode(self) -> bool:
        """Encode the next block of what `to_save` returns; False when it is all there."""
        return self._sources.encode()

    def to_save(self) -> tuple[bytes, dict[str, bytes]]:
        """The document with the values in force, and the audio that a project embeds; encodes what `encode` left.

        Raises:
            ContentError: what is too long to embed cannot be stored.
        """
        return self.in_force.to_json(), self._sources.attachments()

    def _stamped(self, document: Document) -> Document:
        if document.fields.checkpoint:
            return document
        return document.patch({"checkpoint": self._preparer.session.checkpoint.id, "engine": engine_version})

    def _other_checkpoint(self) -> list[Missing]:
        saved, loaded = self.document.fields.checkpoint, self._preparer.session.checkpoint.id
        if not saved or saved in {loaded, loaded.partition("@")[0]}:
            return []
        return [Missing("checkpoint", saved, f"Start the sidecar with --checkpoint {saved}.")]

    def _check_checkpoint(self) -> None:
        for other in self._other_checkpoint():
            loaded = self._preparer.session.checkpoint.id
            error = SidecarError(
                f"The project was made with checkpoint {other.name}, the sidecar runs {loaded}.", other.fix
            )
            error.code = "missing_checkpoint"
            raise error
