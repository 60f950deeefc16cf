"""The messages of the bridge protocol, version 2 (plugin_bridge/PROTOCOL.md section 2).

Knows bytes and structs; knows neither sockets nor what a message does. Frames come from strangers until a `hello` was
checked, so every length is bounded before anything is decoded: msgpack bounds the shape, msgspec checks the types.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, cast

import msgpack
import msgspec
from msgspec import Meta, Struct

from sidecar.errors import MessageError
from sidecar.records import MAX_RECORDS, RECORD

PROTOCOL: Final = 2
HEARTBEAT_MS: Final = 250
PEER_TIMEOUT_S: Final = 5.0

MAX_FRAMES: Final = 16
MAX_HEAD: Final = 64 * 1024
MAX_DOCUMENT: Final = 8 * 1024 * 1024
MAX_ATTACHMENT: Final = 64 * 1024 * 1024
MAX_SCENE_FRAMES: Final = 15_000
MAX_SCENE_LANES: Final = 16
MAX_MISSING: Final = 64

U16 = Annotated[int, Meta(ge=0, le=2**16 - 1)]
U32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
U64 = Annotated[int, Meta(ge=0)]  # MessagePack itself ends at 2**64 - 1
I64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=MAX_RECORDS)]
Word = Annotated[str, Meta(max_length=256)]
InstanceId = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Hash = Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$")]
Hashes = Annotated[list[Hash], Meta(max_length=MAX_FRAMES - 2)]
Names = Annotated[list[Word], Meta(max_length=MAX_FRAMES - 2)]


class Message(Struct, tag_field="t", frozen=True):
    """Base of all messages: keys in the order of the fields, the name `t` first."""


class Hello(Message, tag="hello", frozen=True):
    id: U64
    protocol: U16
    token: Word
    role: Word
    instance: Word
    pid: U32
    version: Word
    host: Word


class TimelineFile(Message, tag="timeline", frozen=True):
    id: U64
    epoch: U32
    fd: U32
    bytes: U64
    rate: U32


class Automation(Message, tag="automation", frozen=True):
    first: U64
    count: Count


class State(Message, tag="state", frozen=True):
    id: U64
    instance: InstanceId
    attachments: Hashes


class Watch(Message, tag="watch", frozen=True):
    id: U64
    instance: InstanceId
    on: bool


class Act(Message, tag="act", frozen=True):
    id: U64
    instance: InstanceId
    verb: Word
    attachments: Names


class Free(Message, tag="free", frozen=True):
    count: Count


class Ping(Message, tag="ping", frozen=True):
    time: U64


class Instances(Message, tag="instances", frozen=True):
    id: U64


class Bye(Message, tag="bye", frozen=True):
    pass


class Welcome(Message, tag="welcome", frozen=True):
    id: U64
    protocol: U16
    version: Word
    pid: U32
    checkpoint: Word
    heartbeat_ms: U32


class Accepted(Message, tag="accepted", frozen=True):
    id: U64


class Applied(Message, tag="applied", frozen=True):
    id: U64
    version: U64
    text: str = ""  # what came of an act, for people


class Failed(Message, tag="failed", frozen=True):
    id: U64
    code: Word
    text: str
    fix: str


class PassOpened(Message, tag="pass", frozen=True):
    pass_: U32 = msgspec.field(name="pass")
    epoch: U32
    start: I64
    end: I64
    wet: bool
    code: Word


class Publish(Message, tag="publish", frozen=True):
    epoch: U32
    pass_: U32 = msgspec.field(name="pass")
    version: U64
    count: Count


class Captured(Message, tag="captured", frozen=True):
    count: U64


class DocumentChanged(Message, tag="document", frozen=True):
    version: U64
    attachments: Hashes


class Health(Message, tag="health", frozen=True):
    state: Word
    code: Word
    text: str
    fix: str
    late_frames: U32


class Missing(Struct, frozen=True):
    """What a document names and this machine lacks: a "source", "reference", "take", "lora" or "checkpoint"."""

    kind: Word
    name: str
    fix: str


class TakeInfo(Struct, frozen=True):
    """A take of a document: its slot, and the canonical audio that it names."""

    slot: Word
    hash: Hash
    name: str
    start_frame: I64
    rate: U32
    samples: U64
    scale: float


class InstanceEntry(Struct, frozen=True):
    instance: InstanceId
    host: Word
    rate: U32
    state: Word
    prompt_a: str
    prompt_b: str
    text: str = ""  # of its health
    missing: list[Missing] = []
    takes: list[TakeInfo] = []


class InstanceList(Message, tag="list", frozen=True):
    id: U64
    instances: list[InstanceEntry]


class Scene(Message, tag="scene", frozen=True):
    """What an instance does now. Its frames: coverage u8, lanes f32 [K, frames], source and output peaks i8 pairs."""

    region_start: I64
    frames: Annotated[int, Meta(ge=0, le=MAX_SCENE_FRAMES)]
    playhead: I64
    tick_frames: U32
    ticks: float
    sustained: float
    lag: U32
    late: U32
    generation: U32
    device: Word
    backend: Word
    checkpoint: Word
    missing: Annotated[list[Missing], Meta(max_length=MAX_MISSING)]
    lanes: Annotated[list[Word], Meta(max_length=MAX_SCENE_LANES)]
    learning: U32 = 0


class Pong(Message, tag="pong", frozen=True):
    time: U64


class _Command(Struct):
    id: U64


FromPeer = Hello | TimelineFile | Automation | State | Watch | Act | Free | Ping | Instances | Bye
FromSidecar = (
    Welcome
    | Accepted
    | Applied
    | Failed
    | PassOpened
    | Publish
    | Captured
    | DocumentChanged
    | Health
    | InstanceList
    | Scene
    | Pong
)


def encode(message: Message, *frames: bytes) -> list[bytes]:
    """The multipart frames of a message: the MessagePack map, then the raw frames."""
    return [msgspec.msgpack.encode(message), *frames]


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
