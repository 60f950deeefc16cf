"""The content store: source audio by hash, in the user's data folder, for what is too long to embed in a project."""

import os
from pathlib import Path
from typing import Final

import platformdirs

from sidecar import whole
from sidecar.errors import ContentError
from sidecar.fields import SourceEntry
from sidecar.source import SourceAudio, decode_flac

MAX_STORE: Final = 4 * 1024**3
"""Bytes the store may hold; files unused for longest go first. 4 GiB are some five hundred minutes of 24-bit FLAC."""


class ContentStore:
    """FLAC files named by the hash of the audio in them.

    Args:
        folder: where; made when the first file is written. Default: the user's data folder, or $DEMON_CONTENT_DIR.
        limit: bytes it may hold.
    """

    def __init__(self, folder: Path | None = None, limit: int = MAX_STORE) -> None:
        self.folder = folder or default_folder()
        self._limit = limit

    def put(self, source: SourceAudio, flac: bytes | None = None) -> Path:
        """Keep a source.

        Raises:
            ContentError: the folder cannot be written.
        """
        path = self._path(source.hash)
        try:
            if path.exists():
                os.utime(path)
                return path
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            whole.write(path, source.flac() if flac is None else flac)
        except OSError as error:
            raise ContentError(
                f"{self.folder} cannot be written: {error.strerror}.", "Free space there, or set DEMON_CONTENT_DIR."
            ) from error
        self._trim()
        return path

    def get(self, entry: SourceEntry) -> SourceAudio:
        """The audio of a document's source, verified.

        Raises:
            ContentError: it is not here, or it is damaged.
        """
        path = self._path(entry.hash)
        try:
            data = path.read_bytes()
        except OSError as error:
            name = entry.name or "source"
            raise ContentError(
                f"The audio of {name!r} ({entry.hash}) is not on this machine.",
                f"Copy {path.name} into {self.folder}, or choose the source again.",
            ) from error
        source = decode_flac(data, entry)
        os.utime(path)
        return source

    def has(self, entry: SourceEntry) -> bool:
        """Whether a file of that name is here; `get` says whether it is the audio."""
        return self._path(entry.hash).is_file()

    def size(self) -> tuple[int, int]:
        """Files and bytes that it holds.

        Raises:
            OSError: the folder cannot be read.
        """
        sizes = [path.stat().st_size for path in self.folder.glob("*.flac")]
        return len(sizes), sum(sizes)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name.removeprefix('sha256:')}.flac"

    def _trim(self) -> None:
        files = [(path, path.stat()) for path in self.folder.glob("*.flac")]
        total = sum(stat.st_size for _, stat in files)
        for path, stat in sorted(files, key=lambda pair: pair[1].st_mtime)[:-1]:
            if total <= self._limit:
                return
            path.unlink(missing_ok=True)
            total -= stat.st_size


def default_folder() -> Path:
    """$DEMON_CONTENT_DIR, else the user's data folder."""
    chosen = os.environ.get("DEMON_CONTENT_DIR")
    return Path(chosen) if chosen else platformdirs.user_data_path("demon-bridge") / "content"
