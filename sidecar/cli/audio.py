"""A person's audio files: reading with errors that a person can use, writing all or nothing."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from sidecar import wav, whole
from sidecar.cli.output import CommandError


def read_stereo(path: Path) -> tuple[NDArray[np.float32], int]:
    """The file as [2, N] float32 and its rate; mono becomes two equal channels.

    Raises:
        CommandError: it cannot be read, is empty, or has more than two channels.
    """
    if not path.is_file():
        raise CommandError(f"{path}: no such file", "name an audio file that libsndfile reads: WAV, FLAC, OGG, AIFF", 2)
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise CommandError(f"{path} cannot be read: {error}", "convert it to WAV or FLAC", 2) from error
    count, channels = samples.shape
    if count == 0 or channels > 2:
        raise CommandError(f"{path} has {channels} channels and {count} samples", "use mono or stereo audio", 2)
    audio = np.ascontiguousarray(samples.T, np.float32)
    return (audio if channels == 2 else np.repeat(audio, 2, axis=0)), rate


def write_wav(path: Path, audio: NDArray[np.float32], rate: int) -> None:
    """Write [2, N] float32 as a WAV file, all of it or nothing.

    Raises:
        CommandError: it cannot be written.
    """
    try:
        whole.write(path, wav.encode(audio, rate))
    except OSError as error:
        raise CommandError(
            f"{path} cannot be written: {error.strerror}", "choose a folder that you can write to"
        ) from error
