"""The two containers in which a host carries DEMON's state: the blob of PROTOCOL.md section 6 and a VST3 preset file.

Written from the documents alone, so that a shim that writes and reads its own mistake is found out.
"""

import hashlib
import io
import json
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import soundfile
from numpy.typing import NDArray

MAGIC = b"DEMONST1"


@dataclass(frozen=True)
class Source:
    """Canonical source audio: its document entry and the FLAC that a blob embeds."""

    entry: dict[str, object]
    digest: bytes
    flac: bytes


def canonical_source(audio: NDArray[np.float32], rate: int, name: str = "clip", start_frame: int = 0) -> Source:
    """Source audio as docs/architecture.md ("The state document") defines it.

    `audio` is `[2, samples]`; `start_frame` the song frame of its first sample.
    """
    peak = float(np.abs(audio).max())
    scale = 2.0 ** np.ceil(np.log2(peak)) if peak > 0 else 1.0
    whole = np.clip(np.rint(audio.astype(np.float64) / scale * 2**23), -(2**23), 2**23 - 1).astype("<i4")
    interleaved = np.ascontiguousarray(whole.T)
    head = struct.pack("<IQ", rate, whole.shape[1])
    digest = hashlib.sha256(head + interleaved.tobytes()).digest()
    file = io.BytesIO()
    soundfile.write(file, interleaved << 8, rate, format="FLAC", subtype="PCM_24")
    entry = {
        "hash": f"sha256:{digest.hex()}",
        "name": name,
        "start_frame": start_frame,
        "rate": rate,
        "samples": whole.shape[1],
        "scale": scale,
    }
    return Source(entry, digest, file.getvalue())


def blob(document: dict[str, object], sources: tuple[Source, ...] = ()) -> bytes:
    """The state blob that holds the document and the sources it names."""
    text = json.dumps({"format": "demon-state", "version": 2, **document}).encode()
    out = MAGIC + struct.pack("<II", 1, len(text)) + text + struct.pack("<I", len(sources))
    for source in sources:
        out += source.digest + struct.pack("<Q", len(source.flac)) + source.flac
    return out + struct.pack("<I", zlib.crc32(out))


def document_of(data: bytes) -> dict[str, object]:
    """The document inside a blob. Raises ValueError when the blob is not whole."""
    if data[:8] != MAGIC or zlib.crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        raise ValueError("state blob: wrong magic or checksum; save it again from the plugin")
    (size,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[16 : 16 + size])


def vstpreset(component: bytes, class_id: str) -> bytes:
    """A `.vstpreset` file (Steinberg's preset format 1) with one component chunk; `class_id` is 32 hex digits."""
    head = 48
    table = b"List" + struct.pack("<I", 1) + b"Comp" + struct.pack("<qq", head, len(component))
    return (
        b"VST3"
        + struct.pack("<I", 1)
        + class_id.encode()
        + struct.pack("<q", head + len(component))
        + component
        + table
    )


def component_of(preset: bytes) -> bytes:
    """The component chunk of a `.vstpreset` file. Raises ValueError when it has none."""
    (at,) = struct.unpack_from("<q", preset, 40)
    (count,) = struct.unpack_from("<I", preset, at + 4)
    for k in range(count):
        name, start, size = struct.unpack_from("<4sqq", preset, at + 8 + 20 * k)
        if name == b"Comp":
            return preset[start : start + size]
    raise ValueError("vstpreset: no component chunk; save the preset again")


def class_id(module_info: dict[str, object]) -> str:
    """The audio class of a bundle's `moduleinfo.json`, 32 hex digits."""
    for entry in module_info["Classes"]:
        if entry["Category"] == "Audio Module Class":
            return entry["CID"]
    raise ValueError("moduleinfo.json: no class of category 'Audio Module Class'")
