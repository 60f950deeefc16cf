"""What one instance's project holds: document, sources and parameter values, and the material they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from engine import __version__ as engine_version
from sidecar.document import Document, changed_parameters, parse_json
from sidecar.errors import SidecarError, StateError
from sidecar.parameters import TABLE
from sidecar.prompts import said
from sidecar.protocol import MAX_DOCUMENT
from sidecar.sources import LEARN, NONE, Sources

if TYPE_CHECKING:
    from sidecar.content import ContentStore
    from sidecar.fields import SourceEntry
    from sidecar.material import Material, Preparer
    from sidecar.passage import Audio
    from sidecar.prompts import Prompts


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
        self._sources = Sources(store)

    @property
    def mode(self) -> int:
        """The source mode in force."""
        return round(self.values["source_mode"])

    @property
    def is_wet(self) -> bool:
        """There is something to render from.

        Raises:
            ContentError: the document names a source whose audio is missing.
            LoraMissingError: it names a LoRA that is not there.
        """
        self._preparer.loras.slots(self.document.fields.loras)
        return self.mode == NONE or self._sources.current(self.mode) is not None

    def merged(self, changes: bytes) -> Document:
        """The document that changes would make; nothing is changed yet.

        Raises:
            StateError: it is not valid.
        """
        merged = self._stamped(self.document.patch(parse_json(changes)))
        if len(merged.to_json()) > MAX_DOCUMENT:
            raise StateError(f"The document grows beyond {MAX_DOCUMENT} bytes.", "Leave out keys that DEMON ignores.")
        return merged

    def accept(self, document: Document, changes: bytes, attachments: Mapping[str, bytes]) -> None:
        """Take over a document that `merged` made.

        Raises:
            ContentError: an attachment is not the audio that the document names. Nothing is changed then.
        """
        self._sources.load(document, attachments)
        self.document = document
        for key in changed_parameters(parse_json(changes)):
            if key in self.values:
                self.values[key] = document.parameter(key)

    def begin_pass(self, rate: int) -> None:
        """A pass begins; what it captures is its own."""
        self._sources.begin(rate)

    def capture(self, song: int, audio: Audio | None) -> None:
        """Audio of the track in this pass, None where it was lost."""
        self._sources.capture(song, audio)

    def end_pass(self, rate: int) -> SourceEntry | None:
        """The pass is over; the new learned source if it taught one."""
        if self.mode != LEARN:
            self._sources.drop()
            return None
        entry = self._sources.learn(rate)
        if entry is not None:
            self.document = self._stamped(self.document.patch({"learned": msgspec.to_builtins(entry)}))
        return entry

    def material(self) -> Material | None:
        """What a pass that begins now is rendered from; None where there is no source.

        Raises:
            ContentError: the source's audio is missing.
            LoraMissingError: a LoRA is not there.
            SidecarError: the project was made with another checkpoint.
            engine.EngineError: the engine refuses a prompt or the source.
        """
        self._check_checkpoint()
        if not self.is_wet:
            return None
        audio = self._sources.current(self.mode)
        return self._preparer.material(self.document, audio, None if audio is None else audio.region)

    def new_prompts(self, document: Document, material: Material) -> Prompts | None:
        """Prompts, seed and LoRAs of a document for a pass that is under way; None where they are those in force.

        Raises:
            LoraMissingError: a LoRA is not there.
            engine.EngineError: the engine refuses a prompt or a LoRA.
        """
        before, after = self.document.fields, document.fields
        if said(before) == said(after):
            return None
        return self._preparer.prompts(document, material.region, cover=material.source is not None)

    def to_save(self) -> tuple[bytes, dict[str, bytes]]:
        """The document with the values in force, and the audio that a project embeds.

        Raises:
            ContentError: what is too long to embed cannot be stored.
        """
        values = {key: self.values[key] for key in TABLE.keys_saved}
        return self.document.patch({"parameters": values}).to_json(), self._sources.attachments()

    def _stamped(self, document: Document) -> Document:
        if document.fields.checkpoint:
            return document
        return document.patch({"checkpoint": self._preparer.session.checkpoint.id, "engine": engine_version})

    def _check_checkpoint(self) -> None:
        saved, loaded = self.document.fields.checkpoint, self._preparer.session.checkpoint.id
        if saved and saved not in {loaded, loaded.partition("@")[0]}:
            error = SidecarError(
                f"The project was made with checkpoint {saved}, the sidecar runs {loaded}.",
                f"Start the sidecar with --checkpoint {saved}.",
            )
            error.code = "missing_checkpoint"
            raise error
