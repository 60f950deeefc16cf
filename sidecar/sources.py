"""The audio of one instance: what its document names, and what its passes capture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from sidecar import learning
from sidecar.content import ContentStore
from sidecar.document import Document
from sidecar.errors import ContentError
from sidecar.fields import SourceEntry
from sidecar.frames import frame_of
from sidecar.passage import Audio, Passage
from sidecar.source import SourceAudio, decode_flac
from sidecar.steps import Steps

MAX_EMBEDDED: Final = 48 * 1024 * 1024
"""Bytes of FLAC that a project embeds; more is found in the content store by hash."""

LEARN, FILE, NONE = 0, 1, 2  # choices of `source_mode` in parameters.toml

_KEYS: Final = {LEARN: "learned", FILE: "file"}


@dataclass(frozen=True)
class Found:
    """The audio that a document names, under the keys of `Fields.audio`, as far as it was found.

    Attributes:
        loaded: what was found.
        missing: why the rest was not.
        flac: of what was found, by content hash, where it is known.
    """

    loaded: Mapping[str, SourceAudio] = field(default_factory=dict[str, SourceAudio])
    missing: Mapping[str, ContentError] = field(default_factory=dict[str, ContentError])
    flac: Mapping[str, bytes] = field(default_factory=dict[str, bytes])


class Sources:
    """All audio of one instance's document: sources, references and takes.

    Args:
        store: the content store, for audio that no message carries.
    """

    def __init__(self, store: ContentStore) -> None:
        self._store = store
        self._found = Found()
        self._passage: Passage | None = None
        self._encoding: tuple[str, Steps[bytes]] | None = None
        self._lossy = False

    def find(self, document: Document, attachments: Mapping[str, bytes]) -> Found:
        """The audio that a document names: held already, attached, or in the content store. Nothing is changed.

        Raises:
            ContentError: an attachment is not the audio that the document names.
        """
        loaded: dict[str, SourceAudio] = {}
        missing: dict[str, ContentError] = {}
        for key, entry in document.fields.audio():
            try:
                loaded[key] = self._find(entry, attachments)
            except ContentError as error:
                if entry.hash in attachments:
                    raise
                missing[key] = error
        names = {source.hash for source in loaded.values()}
        flac = {name: data for name, data in {**self._found.flac, **attachments}.items() if name in names}
        return Found(loaded, missing, flac)

    def hold(self, found: Found) -> None:
        """Take over what `find` found."""
        self._found = found

    def look_again(self, document: Document) -> None:
        """Look for what is missing. Costs a glance at the file system each."""
        if any(self._store.has(entry) for key, entry in document.fields.audio() if key in self._found.missing):
            self._found = self.find(document, {})

    @property
    def missing(self) -> Mapping[str, ContentError]:
        """Why audio is not there, under the keys of `Fields.audio`."""
        return self._found.missing

    def current(self, mode: int) -> SourceAudio | None:
        """The source of a mode; None where there is none (mode None never has one).

        Raises:
            ContentError: the document names one whose audio is missing.
        """
        key = _KEYS.get(mode, "")
        if key in self._found.missing:
            raise self._found.missing[key]
        return self._found.loaded.get(key)

    def get(self, key: str) -> SourceAudio | None:
        """Audio under a key of `Fields.audio`; None where the document names none or it is missing."""
        return self._found.loaded.get(key)

    def shelve_takes(self) -> None:
        """Put takes into the content store too, where `demon takes export` finds them."""
        for key, source in self._found.loaded.items():
            if not key.startswith("takes.") or self._store.has(source.entry):
                continue
            try:
                self._store.put(source, self._found.flac.get(source.hash))
            except ContentError as error:  # the project embeds it all the same
                structlog.get_logger().warning("take not stored", text=error.text)

    def begin(self, rate: int) -> None:
        """A pass begins: what it captures is a passage of its own."""
        self._passage = Passage(rate)
        self._lossy = False

    def capture(self, song: int, audio: Audio | None) -> None:
        """Audio of the track in this pass; None where the plugin overwrote it before it was copied."""
        if audio is None:
            self._lossy = True
        elif self._passage is not None:
            self._passage.write(song, audio)

    @property
    def heard_frames(self) -> int:
        """Frames that the passage of this pass is long so far."""
        return 0 if self._passage is None else frame_of(self._passage.audio.shape[1], self._passage.rate)

    def drop(self) -> None:
        """The pass is over and taught nothing."""
        self._passage = None

    def learn(self) -> Steps[SourceEntry | None]:
        """The pass is over: make its passage part of the learned source; the new entry where that changed it.

        A passage with holes teaches only where there is nothing yet.
        """
        passage, self._passage = self._passage, None
        return self._study(passage, lossy=self._lossy)

    def _study(self, passage: Passage | None, *, lossy: bool) -> Steps[SourceEntry | None]:
        before = self._found.loaded.get("learned")
        if passage is None or (lossy and before is not None):
            return None
        source = yield from learning.learned(before, passage, "learned")
        if source is None:
            return None
        self.put("learned", source)
        return source.entry

    def put(self, key: str, source: SourceAudio) -> None:
        """Hold audio under a key of `Fields.audio` from now on."""
        missing = {other: error for other, error in self._found.missing.items() if other != key}
        self._found = Found({**self._found.loaded, key: source}, missing, self._found.flac)

    def encode(self) -> bool:
        """Encode the next block of what `attachments` returns; False when it is all there."""
        for source in self._found.loaded.values():
            if source.hash in self._found.flac:
                continue
            if self._encoding is None or self._encoding[0] != source.hash:
                self._encoding = source.hash, source.flac_steps()
            try:
                next(self._encoding[1])
            except StopIteration as done:
                self._encoding = None
                self._keep_flac(source, done.value)
            except Exception:
                self._encoding = None
                raise
            return True
        return False

    def attachments(self) -> dict[str, bytes]:
        """FLAC by hash of what a project embeds; what is too long for that goes to the content store.

        Encodes what `encode` left.

        Raises:
            ContentError: the content store cannot be written.
        """
        while self.encode():
            pass
        embedded: dict[str, bytes] = {}
        flac = {source.hash: self._found.flac[source.hash] for source in self._found.loaded.values()}
        for source in self._found.loaded.values():
            if sum(map(len, embedded.values())) + len(flac[source.hash]) <= MAX_EMBEDDED:
                embedded[source.hash] = flac[source.hash]
            else:
                self._store.put(source, flac[source.hash])
        self._found = Found(self._found.loaded, self._found.missing, flac)
        return embedded

    def _keep_flac(self, source: SourceAudio, flac: bytes) -> None:
        found = self._found
        self._found = Found(found.loaded, found.missing, {**found.flac, source.hash: flac})

    def _find(self, entry: SourceEntry, attachments: Mapping[str, bytes]) -> SourceAudio:
        known = next((source for source in self._found.loaded.values() if source.hash == entry.hash), None)
        if known is not None:
            return known.as_in(entry)
        data = attachments.get(entry.hash)
        return self._store.get(entry) if data is None else decode_flac(data, entry)
