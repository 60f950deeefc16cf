"""Automation, publish and free records: fixed-size little-endian structures (PROTOCOL sections 2 and 3)."""

from enum import IntEnum, IntFlag
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import MessageError

MAX_RECORDS: Final = 65_536

RECORD: Final = np.dtype(
    [
        ("kind", "<u2"),
        ("parameter", "<u2"),
        ("pass", "<u4"),
        ("song", "<i8"),
        ("value", "<f8"),
        ("aux", "<u4"),
        ("flags", "<u4"),
    ]
)
PUBLISH: Final = np.dtype([("chunk", "<i8"), ("slot", "<u4"), ("generation", "<u4")])
FREE: Final = np.dtype("<u4")

MAX_SONG: Final = 2**53
"""Largest song position, in samples: above it float64 no longer tells two samples apart."""

MAX_BLOCK: Final = 2**24
"""Largest block, in samples: 87 s at 192 kHz, far above what a host asks for."""

Records = NDArray[Any]


class Kind(IntEnum):
    """What a record says."""

    PASS = 1
    POINT = 2
    RAMP = 3
    BLOCK = 4
    CAPTURE = 5
    STOP = 6
    TEMPO = 7
    LOST = 8
    PLACE = 9
    METRE = 10


class Begin(IntEnum):
    """Why a pass begins (`aux` of PASS)."""

    PLAY = 0
    LOCATE = 1
    LOOP = 2
    RESYNC = 3


class End(IntEnum):
    """What becomes of the rest of a pass (`aux` of STOP)."""

    HEARD = 0
    FORGOTTEN = 1


class Flag(IntFlag):
    """Flags of PASS and BLOCK, and of CAPTURE."""

    OFFLINE = 1
    FREE_RUN = 2
    SIDE_CHAIN = 4


def decode_records(data: bytes, count: int) -> Records:
    """The records of one automation frame, checked.

    Args:
        data: `count` x 32 bytes.
        count: 0 .. 65 536.

    Returns:
        A read-only array of dtype `RECORD`, in the order sent.

    Raises:
        MessageError: wrong length, unknown kind, a value that is not finite, or a position or length out of range.
    """
    if len(data) != count * RECORD.itemsize:
        raise MessageError(
            f"automation: {len(data)} bytes for {count} records of {RECORD.itemsize}.",
            "Send count x 32 bytes in frame 1.",
        )
    records = np.frombuffer(data, RECORD)
    _refuse(
        records, (records["kind"] < Kind.PASS) | (records["kind"] > Kind.METRE), "kind", "Send a kind from 1 to 10."
    )
    _refuse(records, ~np.isfinite(records["value"]), "value", "Send finite values.")
    _refuse(records, np.abs(records["song"]) > MAX_SONG, "song", "Keep song positions within +-2**53 samples.")
    blocks = records["kind"] == Kind.BLOCK
    _refuse(records, blocks & (records["aux"] > MAX_BLOCK), "aux", "Keep blocks at or below 2**24 samples.")
    return records


def _refuse(records: Records, wrong: NDArray[np.bool_], field: str, fix: str) -> None:
    if wrong.any():
        index = int(np.argmax(wrong))
        raise MessageError(f"automation: record {index} has {field} = {records[index][field]}.", fix)


def record(
    kind: Kind,
    *,
    parameter: int = 0,
    pass_: int = 0,
    song: int = 0,
    value: float = 0.0,
    aux: int = 0,
    flags: int = 0,
) -> Records:
    """One record, as an array of one element; fields as in PROTOCOL section 3."""
    return np.array([(int(kind), parameter, pass_, song, value, aux, int(flags))], RECORD)


def decode_free(data: bytes, count: int) -> NDArray[np.uint32]:
    """The slot numbers of a `free` message.

    Raises:
        MessageError: the frame's length does not match `count`.
    """
    if len(data) != count * FREE.itemsize:
        raise MessageError(f"free: {len(data)} bytes for {count} slots.", "Send count x 4 bytes in frame 1.")
    return np.frombuffer(data, FREE)
