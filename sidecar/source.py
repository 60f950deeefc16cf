"""Source audio: what the host played, by song position; its canonical form, hash and FLAC."""

import hashlib
import io
import math
import struct
from collections.abc import Callable, Iterator
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
from sidecar.steps import Steps, finish

FULL_SCALE: Final = 2**23
"""24 bits: what FLAC carries losslessly everywhere, and 30 dB below the noise of a good converter."""

BLOCK: Final = 2**19
"""Samples that are worked on at a time: 10 minutes in float64 would take half a gigabyte, and a block of FLAC takes
some 15 ms, less than a tick, so that learning does not hold up other instances."""

Audio = NDArray[np.float32]
Whole = NDArray[np.int32]
Part = Callable[[int, int], Audio]
"""Samples [first, last) of some audio, [2, last - first] float32."""


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
        return finish(self._digest())

    def hashing(self) -> Steps[None]:
        """Work out `hash`, which costs nothing from then on."""
        if "hash" not in vars(self):
            vars(self)["hash"] = yield from self._digest()  # where the cached property looks

    def _digest(self) -> Steps[str]:
        digest = hashlib.sha256(struct.pack("<IQ", self.rate, self.samples))
        for part in blocks(self.samples):
            digest.update(np.ascontiguousarray(self.whole[:, part].T, "<i4").data)
            yield
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
        return finish(self.flac_steps())

    def flac_steps(self) -> Steps[bytes]:
        """As `flac`."""
        file = io.BytesIO()
        with soundfile.SoundFile(file, "w", self.rate, 2, format="FLAC", subtype="PCM_24") as flac:
            for part in blocks(self.samples):
                # libsndfile takes the upper 24 bits of an int32
                flac.write(np.ascontiguousarray(self.whole[:, part].T) << 8)
                yield
        return file.getvalue()


def canonical(audio: Audio, first: int, rate: int, name: str = "") -> SourceAudio | None:
    """The canonical form of audio at song sample `first`; None for silence, which is no source.

    Not finite samples count as silence. The result begins at the first sample of a frame, with silence before `first`.
    """
    return finish(canonical_steps(lambda low, high: audio[:, low:high], audio.shape[1], first, rate, name))


def canonical_steps(part: Part, samples: int, first: int, rate: int, name: str = "") -> Steps[SourceAudio | None]:
    """As `canonical`, for audio of a length that is given part by part."""
    peak = 0.0
    for block in blocks(samples):
        peak = max(peak, float(np.abs(_clean(part(block.start, block.stop))).max()))
        yield
    if peak == 0.0:
        return None
    mantissa, exponent = math.frexp(peak)
    scale = max(math.ldexp(1.0, exponent if mantissa > 0.5 else exponent - 1), 2.0**-126)
    start = first_sample(region_of(first, samples, rate).start, rate)
    lead = first - start
    whole = np.zeros((2, min(samples + lead, room(rate))), np.int32)
    for block in blocks(whole.shape[1] - lead):
        whole[:, block.start + lead : block.stop + lead] = quantised(part(block.start, block.stop), scale)
        yield
    return SourceAudio(whole, start, rate, scale, name)


def quantised(audio: Audio, scale: float) -> Whole:
    """Samples as 24-bit numbers of steps of a scale."""
    steps = np.rint(_clean(audio) / scale * FULL_SCALE)
    return np.clip(steps, -FULL_SCALE, FULL_SCALE - 1).astype(np.int32)


def blocks(samples: int) -> Iterator[slice]:
    """Slices of at most BLOCK samples."""
    for start in range(0, samples, BLOCK):
        yield slice(start, min(start + BLOCK, samples))


def _clean(audio: Audio) -> NDArray[np.float64]:
    return np.nan_to_num(audio, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float64)


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
