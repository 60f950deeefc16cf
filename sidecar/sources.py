"""The audio of one instance: what its document names, and what its passes capture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from sidecar.content import ContentStore
from sidecar.document import Document
from sidecar.errors import ContentError
from sidecar.fields import SourceEntry
from sidecar.frames import first_sample, frame_of
from sidecar.passage import Audio, Passage, merge
from sidecar.source import SourceAudio, canonical, decode_flac
from sidecar.windows import resample

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

    def learn(self, rate: int) -> SourceEntry | None:
        """The pass is over: make its passage part of the learned source; the new entry where that changed it.

        A silent passage teaches nothing, and one with holes only where there is nothing yet.
        """
        passage, self._passage = self._passage, None
        before = self._found.loaded.get("learned")
        if passage is None or passage.first is None or passage.silent or (self._lossy and before is not None):
            return None
        first, audio = merge(_at_rate(before, rate), (passage.first, passage.audio), rate)
        source = canonical(audio, first, rate, "learned")
        if source is None or (
            before is not None and msgspec.structs.replace(before.entry, name="learned") == source.entry
        ):
            return None
        self.put("learned", source)
        return source.entry

    def put(self, key: str, source: SourceAudio) -> None:
        """Hold audio under a key of `Fields.audio` from now on."""
        missing = {other: error for other, error in self._found.missing.items() if other != key}
        self._found = Found({**self._found.loaded, key: source}, missing, self._found.flac)

    def attachments(self) -> dict[str, bytes]:
        """FLAC by hash of what a project embeds; what is too long for that goes to the content store.

        Raises:
            ContentError: the content store cannot be written.
        """
        embedded: dict[str, bytes] = {}
        kept: dict[str, bytes] = {}
        for source in self._found.loaded.values():
            flac = kept[source.hash] = self._found.flac.get(source.hash) or source.flac()
            if sum(map(len, embedded.values())) + len(flac) <= MAX_EMBEDDED:
                embedded[source.hash] = flac
            else:
                self._store.put(source, flac)
        self._found = Found(self._found.loaded, self._found.missing, kept)
        return embedded

    def _find(self, entry: SourceEntry, attachments: Mapping[str, bytes]) -> SourceAudio:
        known = next((source for source in self._found.loaded.values() if source.hash == entry.hash), None)
        if known is not None:
            return known.as_in(entry)
        data = attachments.get(entry.hash)
        return self._store.get(entry) if data is None else decode_flac(data, entry)


def _at_rate(source: SourceAudio | None, rate: int) -> tuple[int, Audio] | None:
    if source is None:
        return None
    if source.rate == rate:
        return source.first, source.audio
    start = source.entry.start_frame
    samples = source.samples * rate // source.rate
    return first_sample(start, rate), resample(source.audio, source.rate, rate, samples)
