"""The messages of the bridge protocol, version 2 (plugin_bridge/PROTOCOL.md section 2).

Knows bytes and structs; knows neither sockets nor what a message does. What comes in is read by `decoding`.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from sidecar.records import MAX_RECORDS

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
    values: list[Word] = []  # keys of parameters that somebody else set


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
    tick_frames: U32 = 0
    ticks: float = 0.0
    sustained: float = 0.0
    lag: U32 = 0


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
