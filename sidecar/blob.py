"""The state blob a host saves: a document and its source audio in one checked run of bytes (PROTOCOL section 6)."""

import struct
import zlib
from collections.abc import Mapping
from typing import Final

from sidecar.errors import StateError
from sidecar.protocol import MAX_ATTACHMENT, MAX_DOCUMENT, MAX_FRAMES

MAGIC: Final = b"DEMONST1"
VERSION: Final = 1
MAX_ATTACHMENTS: Final = MAX_FRAMES - 2
"""As many as one `state` message can carry beside its head and its document."""

_U32: Final = struct.Struct("<I")
_ENTRY: Final = struct.Struct("<32sQ")
_FIX: Final = "Load another state; the one in force is kept."


def encode_blob(document: bytes, attachments: Mapping[str, bytes]) -> bytes:
    """A blob.

    Args:
        document: JSON, UTF-8.
        attachments: FLAC bytes by content hash ("sha256:<64 hex>").
    """
    parts = [MAGIC, _U32.pack(VERSION), _U32.pack(len(document)), document, _U32.pack(len(attachments))]
    for name, data in attachments.items():
        parts += [_ENTRY.pack(bytes.fromhex(name.removeprefix("sha256:")), len(data)), data]
    body = b"".join(parts)
    return body + _U32.pack(zlib.crc32(body))


def decode_blob(blob: bytes) -> tuple[bytes, dict[str, bytes]]:
    """The document and the attachments of a blob.

    Raises:
        StateError: short, long, of an unknown kind or version, over a bound, or damaged. Nothing of it is used then.
    """
    if len(blob) < len(MAGIC) + 4 * _U32.size or not blob.startswith(MAGIC):
        raise StateError("The state does not begin as a DEMON state does.", _FIX)
    if zlib.crc32(blob[:-4]) != _U32.unpack(blob[-4:])[0]:
        raise StateError("The state is damaged: its checksum does not match.", _FIX)
    reader = _Reader(blob[:-4], len(MAGIC))
    version = reader.number()
    if version != VERSION:
        raise StateError(f"The state has version {version}, this DEMON reads {VERSION}.", "Update DEMON.")
    document = reader.take(reader.number(), MAX_DOCUMENT)
    attachments: dict[str, bytes] = {}
    count = reader.number()
    if count > MAX_ATTACHMENTS:
        raise StateError(f"The state has {count} attachments.", f"Keep it within {MAX_ATTACHMENTS}.")
    for _ in range(count):
        digest, size = _ENTRY.unpack(reader.take(_ENTRY.size, _ENTRY.size))
        attachments["sha256:" + digest.hex()] = reader.take(size, MAX_ATTACHMENT)
    if reader.left:
        raise StateError(f"The state has {reader.left} bytes too many.", _FIX)
    return document, attachments


class _Reader:
    def __init__(self, data: bytes, offset: int) -> None:
        self._data = data
        self._offset = offset

    @property
    def left(self) -> int:
        return len(self._data) - self._offset

    def take(self, size: int, bound: int) -> bytes:
        if size > bound or size > self.left:
            raise StateError(f"The state ends early or is too long: {size} bytes wanted, {self.left} there.", _FIX)
        part = self._data[self._offset : self._offset + size]
        self._offset += size
        return part

    def number(self) -> int:
        return _U32.unpack(self.take(_U32.size, _U32.size))[0]
