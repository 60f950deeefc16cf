"""The sources of one instance: what its document names, and what its passes capture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from sidecar.content import ContentStore
from sidecar.document import Document
from sidecar.errors import ContentError
from sidecar.fields import SourceEntry
from sidecar.frames import first_sample
from sidecar.passage import Audio, Passage, merge
from sidecar.source import SourceAudio, canonical, decode_flac
from sidecar.windows import resample

MAX_EMBEDDED: Final = 48 * 1024 * 1024
"""Bytes of FLAC that a project embeds; more is found in the content store by hash."""

LEARN, FILE, NONE = 0, 1, 2  # choices of `source_mode` in parameters.toml

_KEYS: Final = {LEARN: "learned", FILE: "file"}


class Sources:
    """Learned and file source of one instance.

    Args:
        store: the content store, for audio that no message carries.
    """

    def __init__(self, store: ContentStore) -> None:
        self._store = store
        self._loaded: dict[str, SourceAudio] = {}
        self._missing: dict[str, ContentError] = {}
        self._flac: dict[str, bytes] = {}
        self._passage: Passage | None = None
        self._lossy = False

    def load(self, document: Document, attachments: Mapping[str, bytes]) -> bool:
        """Take over the sources that a document names; whether one of them is another than before.

        Audio that is nowhere to be found is remembered as missing; the document stays as it is.

        Raises:
            ContentError: an attachment is not the audio that the document names. Nothing is changed then.
        """
        loaded: dict[str, SourceAudio] = {}
        missing: dict[str, ContentError] = {}
        for key in _KEYS.values():
            entry: SourceEntry | None = getattr(document.fields, key)
            if entry is None:
                continue
            try:
                loaded[key] = self._find(key, entry, attachments)
            except ContentError as error:
                if entry.hash in attachments:
                    raise
                missing[key] = error
        changed = {k: s.entry for k, s in loaded.items()} != {k: s.entry for k, s in self._loaded.items()}
        self._loaded, self._missing = loaded, missing
        names = {source.hash for source in loaded.values()}
        self._flac = {name: flac for name, flac in {**self._flac, **attachments}.items() if name in names}
        return changed

    def current(self, mode: int) -> SourceAudio | None:
        """The source of a mode; None where there is none (mode None never has one).

        Raises:
            ContentError: the document names one whose audio is missing.
        """
        key = _KEYS.get(mode, "")
        if key in self._missing:
            raise self._missing[key]
        return self._loaded.get(key)

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

    def drop(self) -> None:
        """The pass is over and taught nothing."""
        self._passage = None

    def learn(self, rate: int) -> SourceEntry | None:
        """The pass is over: make its passage part of the learned source; the new entry where that changed it.

        A silent passage teaches nothing, and one with holes only where there is nothing yet.
        """
        passage, self._passage = self._passage, None
        before = self._loaded.get("learned")
        if passage is None or passage.first is None or passage.silent or (self._lossy and before is not None):
            return None
        first, audio = merge(_at_rate(before, rate), (passage.first, passage.audio), rate)
        source = canonical(audio, first, rate, "learned")
        if source is None or (
            before is not None and msgspec.structs.replace(before.entry, name="learned") == source.entry
        ):
            return None
        self._loaded["learned"] = source
        self._missing.pop("learned", None)
        return source.entry

    def attachments(self) -> dict[str, bytes]:
        """FLAC by hash of what a project embeds; what is too long for that goes to the content store.

        Raises:
            ContentError: the content store cannot be written.
        """
        embedded: dict[str, bytes] = {}
        for source in self._loaded.values():
            flac = self._flac.get(source.hash)
            if flac is None:
                flac = self._flac[source.hash] = source.flac()
            if sum(map(len, embedded.values())) + len(flac) <= MAX_EMBEDDED:
                embedded[source.hash] = flac
            else:
                self._store.put(source, flac)
        names = {source.hash for source in self._loaded.values()}
        self._flac = {name: flac for name, flac in self._flac.items() if name in names}
        return embedded

    def _find(self, key: str, entry: SourceEntry, attachments: Mapping[str, bytes]) -> SourceAudio:
        known = self._loaded.get(key)
        if known is not None and known.entry == entry:
            return known
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
