"""A person's audio files: reading with errors that a person can use, writing bytes that depend on the audio alone."""

import struct
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

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

    Written here because libsndfile puts the time of day into every float WAV (its PEAK chunk), and a bounce that is
    repeated has to be the same file.

    Raises:
        CommandError: it cannot be written.
    """
    data = np.ascontiguousarray(audio.T, "<f4").tobytes()
    channels, width = audio.shape[0], 4
    layout = struct.pack("<HHIIHHH", 3, channels, rate, rate * channels * width, channels * width, 8 * width, 0)
    chunks = [(b"fmt ", layout), (b"fact", struct.pack("<I", audio.shape[1])), (b"data", data)]
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(part)) + part for name, part in chunks)
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
        temporary.replace(path)
    except OSError as error:
        raise CommandError(
            f"{path} cannot be written: {error.strerror}", "choose a folder that you can write to"
        ) from error
