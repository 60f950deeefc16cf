"""The golden vectors are what this code encodes and decodes, and an independent decoder agrees about the bytes."""

import json

import msgpack
import numpy as np
import pytest

from sidecar import golden, protocol
from sidecar.blob import decode_blob
from sidecar.records import RECORD

MESSAGES = json.loads((golden.FOLDER / "messages.json").read_text())
NAMES = [vector["name"] for vector in MESSAGES]


@pytest.mark.parametrize("name", ["messages.json", "records.json", "state.json"])
def test_the_golden_files_are_current(name: str) -> None:
    assert json.loads((golden.FOLDER / name).read_text()) == golden.vectors()[name]


@pytest.mark.parametrize("vector", MESSAGES, ids=NAMES)
def test_a_plain_messagepack_decoder_reads_the_same_keys_in_the_same_order(vector: dict) -> None:
    head = msgpack.unpackb(bytes.fromhex(vector["frames"][0]))
    assert head == vector["message"]
    assert list(head) == list(vector["message"])
    assert next(iter(head)) == "t"


def test_every_message_of_the_protocol_has_a_vector() -> None:
    kinds = {kind.__struct_config__.tag for kind in protocol.FromPeer.__args__ + protocol.FromSidecar.__args__}
    assert {vector["message"]["t"] for vector in MESSAGES} == kinds


def test_records_decode_field_by_field() -> None:
    for vector in json.loads((golden.FOLDER / "records.json").read_text()):
        row = np.frombuffer(bytes.fromhex(vector["hex"]), RECORD)[0]
        assert dict(zip(RECORD.names, row.item(), strict=True)) == vector["record"]


def test_the_state_blob_decodes_to_its_document_and_attachments() -> None:
    vector = json.loads((golden.FOLDER / "state.json").read_text())
    document, attachments = decode_blob(bytes.fromhex(vector["hex"]))
    assert json.loads(document) == vector["document"]
    assert {name: data.hex() for name, data in attachments.items()} == {
        entry["hash"]: entry["hex"] for entry in vector["attachments"]
    }
