"""Bytes from strangers: bounded, checked, and never an exception of another kind."""

import contextlib

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar import decoding, protocol
from sidecar.errors import MessageError
from sidecar.golden import messages
from sidecar.records import RECORD, Kind, decode_records, record

VALID = list(messages().values())


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_random_frames_are_refused_or_understood(frames: list[bytes]) -> None:
    for decode in (decoding.decode_peer, decoding.decode_sidecar):
        with contextlib.suppress(MessageError):
            decode(frames)
    assert decoding.command_id(frames) >= 0


@given(st.sampled_from(VALID), st.data())
def test_a_damaged_message_is_refused_or_understood(frames: list[bytes], data: st.DataObject) -> None:
    head = bytearray(frames[0])
    cut = data.draw(st.integers(0, len(head)))
    place = data.draw(st.integers(0, len(head) - 1))
    head[place] ^= data.draw(st.integers(0, 255))
    for damaged in ([bytes(head[:cut]), *frames[1:]], [bytes(head), *frames[1:]], frames[:-1], [*frames, b""]):
        with contextlib.suppress(MessageError):
            decoding.decode_peer(damaged)


@pytest.mark.parametrize(
    "head",
    [
        {"t": "ping"},
        {"t": "ping", "time": -1},
        {"t": "ping", "time": "x"},
        {"t": "ping", "time": 1.0},
        {"t": "ping", "time": True},
        {"t": "welcome", "id": 1},
        {"time": 1},
        {1: 2},
        [1],
        None,
    ],
)
def test_a_wrong_map_is_refused(head: object) -> None:
    with pytest.raises(MessageError):
        decoding.decode_peer([msgpack.packb(head)])


def test_unknown_keys_are_ignored() -> None:
    message, _ = decoding.decode_peer([msgpack.packb({"newer": [1], "time": 5, "t": "ping"})])
    assert message == protocol.Ping(time=5)


def test_the_id_of_a_broken_command_is_found_for_the_answer() -> None:
    assert decoding.command_id([msgpack.packb({"t": "state", "id": 7})]) == 7
    assert decoding.command_id([msgpack.packb({"t": "state", "id": -7})]) == 0
    assert decoding.command_id([]) == 0


def test_bounds_hold() -> None:
    ping = msgpack.packb({"t": "ping", "time": 1})
    with pytest.raises(MessageError, match="frame"):
        decoding.decode_peer([ping] + [b""] * 16)
    with pytest.raises(MessageError, match="frame 0"):
        decoding.decode_peer([msgpack.packb({"t": "ping", "time": 1, "x": "y" * 70_000})])
    with pytest.raises(MessageError, match="count"):
        decoding.decode_peer([msgpack.packb({"t": "automation", "first": 0, "count": 65_537}), b""])
    state = msgpack.packb({"t": "state", "id": 1, "instance": "0" * 32, "attachments": []})
    with pytest.raises(MessageError, match="frame 1"):
        decoding.decode_peer([state, bytes(protocol.MAX_DOCUMENT + 1)])
    with pytest.raises(MessageError, match="x" * 5 + "|too deep|frame 0"):
        decoding.decode_peer([b"\x91" * 60_000])


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": 0},
        {"kind": 11},
        {"value": np.nan},
        {"value": -np.inf},
        {"song": 2**60},
        {"kind": Kind.BLOCK, "aux": 2**25},
    ],
)
def test_a_wrong_record_is_refused_with_its_number(wrong: dict) -> None:
    rows = np.concatenate([record(Kind.POINT), record(Kind.POINT)])
    for field, value in wrong.items():
        rows[1][field] = value
    with pytest.raises(MessageError, match="record 1"):
        decode_records(rows.tobytes(), 2)


@given(st.binary(max_size=200), st.integers(0, 6))
def test_random_records_are_refused_or_in_range(data: bytes, count: int) -> None:
    try:
        rows = decode_records(data, count)
    except MessageError:
        return
    assert rows.dtype == RECORD
    assert len(rows) == count
    assert np.isfinite(rows["value"]).all()
