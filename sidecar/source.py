"""Source audio: what the host played, by song position; its canonical form, hash and FLAC."""

import hashlib
import io
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from sidecar.errors import ContentError
from sidecar.fields import SourceEntry
from sidecar.frames import first_sample, frame_of
from sidecar.passage import room
from sidecar.region import Region, region_of

FULL_SCALE: Final = 2**23
"""24 bits: what FLAC carries losslessly everywhere, and 30 dB below the noise of a good converter."""

BLOCK: Final = 2**20
"""Samples that are worked on at a time: 10 minutes in float64 would take half a gigabyte."""

Audio = NDArray[np.float32]
Whole = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class SourceAudio:
    """Canonical source audio.

    Attributes:
        whole: [2, samples] int32, 24-bit values.
        first: song sample of its first one, always S(start_frame).
        rate: samples per second.
        scale: a power of two; sample = whole / 2**23 * scale.
        name: for people.
    """

    whole: Whole
    first: int
    rate: int
    scale: float
    name: str = ""

    @property
    def samples(self) -> int:
        """Samples per channel."""
        return self.whole.shape[1]

    @property
    def audio(self) -> Audio:
        """[2, samples] float32; exact, because 24 bits fit into a float32."""
        return self.part(0, self.samples)

    def part(self, first: int, last: int) -> Audio:
        """Samples [first, last) of it, [2, last - first] float32."""
        return self.whole[:, first:last].astype(np.float32) * np.float32(self.scale / FULL_SCALE)

    @property
    def region(self) -> Region:
        """The frames that it covers."""
        return region_of(self.first, self.samples, self.rate)

    @cached_property
    def hash(self) -> str:
        """SHA-256 over rate, sample count and the samples, interleaved little-endian int32."""
        digest = hashlib.sha256(struct.pack("<IQ", self.rate, self.samples))
        for part in _blocks(self.samples):
            digest.update(np.ascontiguousarray(self.whole[:, part].T, "<i4").data)
        return f"sha256:{digest.hexdigest()}"

    @property
    def entry(self) -> SourceEntry:
        """What a document says about it."""
        return SourceEntry(
            hash=self.hash,
            name=self.name,
            start_frame=frame_of(self.first, self.rate),
            rate=self.rate,
            samples=self.samples,
            scale=self.scale,
        )

    def as_in(self, entry: SourceEntry) -> "SourceAudio":
        """The same audio with the place, scale and name of an entry that has its hash."""
        if self.entry == entry:
            return self
        return replace(self, first=first_sample(entry.start_frame, self.rate), scale=entry.scale, name=entry.name)

    def flac(self) -> bytes:
        """24-bit FLAC, lossless."""
        file = io.BytesIO()
        with soundfile.SoundFile(file, "w", self.rate, 2, format="FLAC", subtype="PCM_24") as flac:
            for part in _blocks(self.samples):
                # libsndfile takes the upper 24 bits of an int32
                flac.write(np.ascontiguousarray(self.whole[:, part].T) << 8)
        return file.getvalue()


def canonical(audio: Audio, first: int, rate: int, name: str = "") -> SourceAudio | None:
    """The canonical form of audio at song sample `first`; None for silence, which is no source.

    Not finite samples count as silence. The result begins at the first sample of a frame, with silence before `first`.
    """
    peak = max((float(np.abs(_clean(audio[:, part])).max()) for part in _blocks(audio.shape[1])), default=0.0)
    if peak == 0.0:
        return None
    mantissa, exponent = math.frexp(peak)
    scale = max(math.ldexp(1.0, exponent if mantissa > 0.5 else exponent - 1), 2.0**-126)
    start = first_sample(region_of(first, audio.shape[1], rate).start, rate)
    lead = first - start
    whole = np.zeros((2, min(audio.shape[1] + lead, room(rate))), np.int32)
    for part in _blocks(whole.shape[1] - lead):
        steps = np.rint(_clean(audio[:, part]) / scale * FULL_SCALE)
        whole[:, part.start + lead : part.stop + lead] = np.clip(steps, -FULL_SCALE, FULL_SCALE - 1)
    return SourceAudio(whole, start, rate, scale, name)


def _clean(audio: Audio) -> NDArray[np.float64]:
    return np.nan_to_num(audio, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float64)


def _blocks(samples: int) -> Iterator[slice]:
    for start in range(0, samples, BLOCK):
        yield slice(start, min(start + BLOCK, samples))


def decode_flac(data: bytes, entry: SourceEntry) -> SourceAudio:
    """The audio of a FLAC attachment or file, verified against the document's entry.

    Raises:
        ContentError: it is not FLAC, or not the audio that the entry names.
    """
    fix = "Load the project on the machine that made it, or choose the source again."
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            found = (file.format, file.channels, file.samplerate, file.frames)
            if found != ("FLAC", 2, entry.rate, entry.samples):
                raise ContentError(f"Source {entry.hash} is {found} instead of the document's audio.", fix)
            interleaved: NDArray[np.int32] = np.asarray(file.read(dtype="int32", always_2d=True), np.int32)
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        raise ContentError(f"Source {entry.hash} cannot be read: {error}.", fix) from error
    first = first_sample(entry.start_frame, entry.rate)
    source = SourceAudio(np.ascontiguousarray(interleaved.T >> 8), first, entry.rate, entry.scale, entry.name)
    if source.hash != entry.hash:
        raise ContentError(f"Source {entry.hash} is damaged: its audio has {source.hash}.", fix)
    return source


def over_region(source: SourceAudio, region: Region) -> Audio:
    """The source's audio over a region at its own rate, [2, n] float32, silence where it has none."""
    start, end = region.samples(source.rate)
    placed = np.zeros((2, end - start), np.float32)
    low, high = max(start, source.first), min(end, source.first + source.samples)
    if low < high:
        placed[:, low - start : high - start] = source.part(low - source.first, high - source.first)
    return placed
