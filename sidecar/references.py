"""References: audio that a project refers to besides what is re-generated, read from files that people hand over.

The bytes come from a peer and may be anything: what they say of themselves is checked before a sample is read.
"""

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from sidecar.errors import AudioError
from sidecar.fields import MAX_SECONDS
from sidecar.source import SourceAudio, canonical

MIN_RATE: Final = 8_000
KEPT_RATE: Final = 16_000
"""Lowest rate of canonical audio; what is slower is brought to 48 kHz."""

MAX_RATE: Final = 192_000
FALLBACK_RATE: Final = 48_000
MAX_CHANNELS: Final = 2

Audio = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class References:
    """The references of a project.

    Attributes:
        timbre: whose timbre to take.
        structure: whose structure.
    """

    timbre: SourceAudio | None = None
    structure: SourceAudio | None = None


NO_REFERENCES: Final = References()


def read(data: bytes, name: str) -> SourceAudio:
    """The bytes of an audio file as canonical audio from song position 0 on.

    Args:
        data: what libsndfile reads: WAV, FLAC, OGG, AIFF, MP3.
        name: for people.

    Raises:
        AudioError: it is no audio, silent, or over a bound; the text says which.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            _check(file, name)
            interleaved: Audio = np.asarray(file.read(dtype="float32", always_2d=True), np.float32)
            rate = file.samplerate
    except (soundfile.LibsndfileError, RuntimeError, ValueError, TypeError) as error:
        raise AudioError(f"{name} cannot be read: {error}", "Convert it to WAV or FLAC.") from error
    if rate < KEPT_RATE:
        interleaved, rate = soxr.resample(interleaved, rate, FALLBACK_RATE, quality="VHQ"), FALLBACK_RATE
    stereo = interleaved.T if interleaved.shape[1] == MAX_CHANNELS else np.repeat(interleaved.T, 2, axis=0)
    source = canonical(np.ascontiguousarray(stereo, np.float32), 0, rate, name)
    if source is None:
        raise AudioError(f"{name} is silent.", "Choose a file with sound in it.")
    return source


def _check(file: soundfile.SoundFile, name: str) -> None:
    if not 1 <= file.channels <= MAX_CHANNELS:
        raise AudioError(f"{name} has {file.channels} channels.", "Use mono or stereo audio.")
    if not MIN_RATE <= file.samplerate <= MAX_RATE:
        raise AudioError(f"{name} is at {file.samplerate} Hz.", f"Use a rate from {MIN_RATE} to {MAX_RATE} Hz.")
    if file.frames < 1:
        raise AudioError(f"{name} is empty.", "Choose a file with sound in it.")
    seconds = file.frames / file.samplerate
    if seconds > MAX_SECONDS:
        raise AudioError(f"{name} is {seconds:.0f} s long.", f"Use at most {MAX_SECONDS} s of it.")
