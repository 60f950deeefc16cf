"""The LoRAs that documents name, found among the shipped ones and in the user's folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
import structlog

from sidecar.errors import LoraMissingError

if TYPE_CHECKING:
    from engine import LoraLibrary
    from sidecar.fields import LoraEntry


def default_folder() -> Path:
    """Where a user's LoRAs lie: $DEMON_LORA_DIR, or a folder of the user's data."""
    chosen = os.environ.get("DEMON_LORA_DIR")
    return Path(chosen) if chosen else platformdirs.user_data_path("demon-bridge") / "loras"


Slots = tuple[str | None, ...]
"""Names in the catalogue by LoRA slot; the n-th acts with the parameter `lora_n`."""


class Loras:
    """Finds LoRAs by content, or by name where a document gives no hash.

    Args:
        library: the session's catalogue.
        folder: of the user's LoRAs, read when something is missing and the folder has changed. Default:
            `default_folder`.
    """

    def __init__(self, library: LoraLibrary, folder: Path | None = None) -> None:
        self._library = library
        self._folder = folder or default_folder()
        self._seen: frozenset[tuple[str, int]] = frozenset()

    def slots(self, entries: Iterable[LoraEntry | None]) -> Slots:
        """Names in the catalogue, by slot.

        Raises:
            LoraMissingError: names the first that is not there.
        """
        entries = tuple(entries)
        for error in self.missing(entries):
            raise error
        return tuple(None if entry is None else self._known(entry) for entry in entries)

    def missing(self, entries: Iterable[LoraEntry | None]) -> list[LoraMissingError]:
        """Why LoRAs are not there."""
        fix = f"Put its file into {self._folder}, or take it out of the state."
        return [LoraMissingError(e.name, fix) for e in entries if e is not None and self._find(e) is None]

    def _find(self, entry: LoraEntry) -> str | None:
        return self._known(entry) or (self._known(entry) if self._scan() else None)

    def _known(self, entry: LoraEntry) -> str | None:
        for info in self._library.list():
            if info.hash == entry.hash if entry.hash else info.name == entry.name:
                return info.name
        return None

    def _scan(self) -> bool:
        """Register what is new in the folder; False where nothing is."""
        log = structlog.get_logger()
        try:
            files = [path for path in self._folder.rglob("*.safetensors") if path.is_file()]
            seen = frozenset((str(path), path.stat().st_mtime_ns) for path in files)
        except OSError as error:
            log.warning("loras unreadable", folder=str(self._folder), error=str(error))
            return False
        if seen == self._seen:
            return False
        self._seen = seen
        self._library.register(
            self._folder, on_refused=lambda error: log.warning("lora refused", text=error.text, fix=error.fix)
        )
        return True
