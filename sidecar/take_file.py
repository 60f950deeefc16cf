"""A take as an audio file: at the level that was heard, which is not the level that canonical audio is kept at."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import platformdirs

from sidecar import wav, whole
from sidecar.errors import StateError
from sidecar.library import MAX_STEM, UNSAFE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sidecar.source import SourceAudio

Format = Literal["wav", "flac"]

FORMATS: Final = ("wav", "flac")
NAMES: Final = 10_000
"""Files of one name that are told apart by a number; nobody looks through more."""

_ONE_AT_A_TIME: Final = threading.Lock()


def folder() -> Path:
    """Where takes go that nobody named a file for: $DEMON_EXPORT_DIR, else DEMON in the user's music folder."""
    chosen = os.environ.get("DEMON_EXPORT_DIR")
    return Path(chosen) if chosen else platformdirs.user_music_path() / "DEMON"


def export(audio: SourceAudio, kind: Format) -> Path:
    """Write a take under its name into `folder`, beside what is there already; returns the file.

    Raises:
        StateError: as `write`.
    """
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refused(place, error) from error
    short = audio.name.strip().translate(UNSAFE).encode()[:MAX_STEM].decode(errors="ignore")
    stem = short.lstrip(".").rstrip(". ") or "Take"
    with _ONE_AT_A_TIME:  # two of one name must not choose one file
        return _write_beside(place, stem, kind, audio)


def _write_beside(place: Path, stem: str, kind: Format, audio: SourceAudio) -> Path:
    names = (f"{stem}{'' if number == 1 else f' {number}'}.{kind}" for number in range(1, NAMES))
    path = next((place / name for name in names if not (place / name).exists()), None)
    if path is None:
        raise StateError(f"{place} is full of takes called {stem}.", "Give the take another name.")
    write(path, audio)
    return path


def write(path: Path, audio: SourceAudio) -> None:
    """Write a take: 32-bit float where the file ends in .wav, 24-bit where it ends in .flac; all of it or nothing.

    Raises:
        StateError: the file cannot be written, or FLAC has no room for the level.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise StateError(f"{path} is neither .wav nor .flac.", "Name a file that ends in .wav or .flac.")
    if kind == "flac" and audio.scale > 1.0:
        raise StateError("The take is louder than full scale.", "Export it as .wav, which has room for that.")
    try:
        whole.write(path, wav.encode(audio.audio, audio.rate) if kind == "wav" else _flac(audio))
    except OSError as error:
        raise _refused(path, error) from error


def _flac(audio: SourceAudio) -> bytes:
    at_level: NDArray[np.int32] = np.rint(audio.whole * audio.scale).astype(np.int32)
    return replace(audio, whole=at_level, scale=1.0).flac()


def _refused(path: Path, error: OSError) -> StateError:
    return StateError(f"{path} cannot be written: {error.strerror}.", "Choose a folder that you can write to.")
