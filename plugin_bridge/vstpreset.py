"""The `.vstpreset` container: a plugin's state in a file that VST3 hosts list, load and save (VST 3 preset format)."""

import json
import struct
from dataclasses import dataclass
from typing import Final

from plugin_bridge.build import MODULE_INFO
from plugin_bridge.errors import BridgeError

MAGIC: Final = b"VST3"
VERSION: Final = 1
COMPONENT: Final = b"Comp"  # the processor's state; ours is all there is, the controller keeps none
MAX_CHUNKS: Final = 128  # as many as the SDK's own reader takes

_HEAD: Final = struct.Struct("<4sI32sq")  # magic, version, class id as hex digits, where the list is
_LIST: Final = struct.Struct("<4sI")
_ENTRY: Final = struct.Struct("<4sqq")  # chunk, offset, size
_FIX: Final = "load a .vstpreset that a host saved for DEMON"


@dataclass(frozen=True)
class Identity:
    """What the VST3 plugin is called: `class_id` is 32 hex digits."""

    class_id: str
    name: str
    vendor: str


def identity() -> Identity:
    """The plugin's, from the description that is built into its bundle.

    Raises:
        BridgeError: the description is not there.
    """
    try:
        found = json.loads(MODULE_INFO.read_bytes())["Classes"][0]
        return Identity(found["CID"], found["Name"], found["Vendor"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BridgeError(f"{MODULE_INFO} cannot be read: {error}", "restore it from the repository") from error


def encode(component: bytes, class_id: str) -> bytes:
    """The file that holds one state; `class_id` is 32 hex digits."""
    head = _HEAD.pack(MAGIC, VERSION, class_id.encode(), _HEAD.size + len(component))
    table = _LIST.pack(b"List", 1) + _ENTRY.pack(COMPONENT, _HEAD.size, len(component))
    return head + component + table


def decode(data: bytes, class_id: str) -> bytes:
    """The state in a file.

    Raises:
        BridgeError: no `.vstpreset`, one of another plugin, or a damaged one.
    """
    if len(data) < _HEAD.size or not data.startswith(MAGIC):
        raise BridgeError("it is no .vstpreset file", _FIX)
    _, version, made_for, offset = _HEAD.unpack_from(data)
    if version != VERSION:
        raise BridgeError(f"its version is {version}, {VERSION} is read", _FIX)
    if made_for.decode("latin-1").casefold() != class_id.casefold():
        raise BridgeError("it was saved for another plugin", _FIX)
    for name, start, size in _chunks(data, offset):
        if name == COMPONENT:
            if start < 0 or size < 0 or start + size > len(data):
                raise BridgeError("it is cut short", _FIX)
            return data[start : start + size]
    raise BridgeError("it holds no state", _FIX)


def _chunks(data: bytes, offset: int) -> list[tuple[bytes, int, int]]:
    if not 0 <= offset <= len(data) - _LIST.size:
        raise BridgeError("it is cut short", _FIX)
    name, count = _LIST.unpack_from(data, offset)
    end = offset + _LIST.size + count * _ENTRY.size
    if name != b"List" or count > MAX_CHUNKS or end > len(data):
        raise BridgeError("its list of contents is damaged", _FIX)
    return list(_ENTRY.iter_unpack(data[offset + _LIST.size : end]))
