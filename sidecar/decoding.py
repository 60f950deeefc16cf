"""Messages of the bridge protocol out of bytes (plugin_bridge/PROTOCOL.md section 2).

Frames come from strangers until a `hello` was checked, so every length is bounded before anything is decoded: msgpack
bounds the shape, msgspec checks the types.
"""

from collections.abc import Sequence
from typing import Any, cast

import msgpack
import msgspec
from msgspec import Struct

from sidecar.errors import MessageError
from sidecar.protocol import (
    MAX_ATTACHMENT,
    MAX_DOCUMENT,
    MAX_FRAMES,
    MAX_HEAD,
    U64,
    Act,
    Automation,
    DocumentChanged,
    Free,
    FromPeer,
    FromSidecar,
    Message,
    Publish,
    Scene,
    State,
)
from sidecar.records import MAX_RECORDS, RECORD


class _Command(Struct):
    id: U64


def decode_peer(frames: Sequence[bytes]) -> tuple[FromPeer, list[bytes]]:
    """A message from a plugin or a control client, with its further frames.

    Raises:
        MessageError: over a bound, not MessagePack, an unknown name, a missing key, a wrong type or a missing frame.
    """
    message = _decode(frames, FromPeer)
    rest = list(frames[1:])
    _check_frames(message, rest)
    return message, rest


def decode_sidecar(frames: Sequence[bytes]) -> tuple[FromSidecar, list[bytes]]:
    """A message from the sidecar, for clients written in Python.

    Raises:
        MessageError: as `decode_peer`.
    """
    message = _decode(frames, FromSidecar)
    rest = list(frames[1:])
    _check_frames(message, rest)
    return message, rest


def command_id(frames: Sequence[bytes]) -> int:
    """The `id` of a message that did not decode, so that its sender learns which command failed; 0: none."""
    try:
        head = _unpack(frames[0]) if frames and len(frames[0]) <= MAX_HEAD else None
        return msgspec.convert(head, _Command).id
    except (MessageError, msgspec.ValidationError):
        return 0


def _unpack(head: bytes) -> Any:
    try:
        return cast("Any", msgpack).unpackb(  # it ships no types
            head,
            raw=False,
            strict_map_key=True,
            max_str_len=MAX_HEAD,
            max_bin_len=MAX_HEAD,
            max_array_len=MAX_HEAD,
            max_map_len=1024,
            max_ext_len=0,
        )
    except (ValueError, TypeError, RecursionError) as error:  # msgpack's own exceptions derive from ValueError
        raise MessageError(
            f"frame 0 is not a bounded MessagePack map: {str(error) or type(error).__name__}.",
            "Send a map with string keys; the first one is `t`.",
        ) from error


def _decode(frames: Sequence[bytes], kinds: Any) -> Any:
    if not frames or len(frames) > MAX_FRAMES:
        raise MessageError(f"the message has {len(frames)} frames.", f"Send 1 to {MAX_FRAMES} frames.")
    if len(frames[0]) > MAX_HEAD:
        raise MessageError(f"frame 0 is {len(frames[0])} bytes.", f"Keep frame 0 within {MAX_HEAD} bytes.")
    head = _unpack(frames[0])
    try:
        return msgspec.convert(head, kinds)
    except msgspec.ValidationError as error:
        raise MessageError(
            f"frame 0: {error}.", "Send the keys that PROTOCOL section 2 lists for this message."
        ) from error


def _check_frames(message: Message, rest: list[bytes]) -> None:
    wanted = _frame_bounds(message)
    if len(rest) != len(wanted):
        name = message.__struct_config__.tag
        raise MessageError(
            f"{name}: {len(rest)} further frames instead of {len(wanted)}.", "Send the frames it announces."
        )
    for number, (frame, bound) in enumerate(zip(rest, wanted, strict=True), start=1):
        if len(frame) > bound:
            raise MessageError(f"frame {number} is {len(frame)} bytes.", f"Keep it within {bound} bytes.")


def _frame_bounds(message: Message) -> list[int]:
    match message:
        case State(attachments=hashes) | DocumentChanged(attachments=hashes):
            return [MAX_DOCUMENT, *[MAX_ATTACHMENT] * len(hashes)]
        case Act(attachments=names):
            return [MAX_HEAD, *[MAX_ATTACHMENT] * len(names)]
        case Scene(frames=frames, lanes=lanes):
            return [frames, 4 * frames * len(lanes), 2 * frames, 2 * frames]
        case Automation() | Free() | Publish():
            return [MAX_RECORDS * RECORD.itemsize]
        case _:
            return []
