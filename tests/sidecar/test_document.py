"""The state document and the blob that carries it: checked as a whole, never half applied."""

import json
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.blob import decode_blob, encode_blob
from sidecar.document import Document, parse_json
from sidecar.errors import StateError
from sidecar.golden import ATTACHMENT, HASH, document

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(JSON, st.text(min_size=1, max_size=12).map(lambda key: "x_" + key))
def test_keys_of_a_newer_version_survive(value: object, key: str) -> None:
    made = Document({key: value, "prompts": {"a": "pads", key: value}, "parameters": {"newer": 3.5}})
    again = json.loads(Document(parse_json(made.to_json())).to_json())
    assert again[key] == value
    assert again["prompts"] == {"a": "pads", "b": "", key: value}
    assert again["parameters"]["newer"] == 3.5


def test_equal_documents_are_equal_bytes() -> None:
    assert Document(parse_json(document().to_json())).to_json() == document().to_json()
    assert (
        Document({"seed": 1, "prompts": {"a": "x"}}).to_json() == Document({"prompts": {"a": "x"}, "seed": 1}).to_json()
    )


def test_a_patch_changes_what_it_names_and_null_clears() -> None:
    before = Document({"prompts": {"a": "pads", "b": "drums"}, "parameters": {"mix": 0.5, "denoise": 0.25}, "seed": 7})
    after = before.patch({"prompts": {"b": "bells"}, "parameters": {"mix": None}, "seed": None})
    assert (after.fields.prompts.a, after.fields.prompts.b) == ("pads", "bells")
    assert (after.parameter("mix"), after.parameter("denoise")) == (1.0, 0.25)
    assert after.fields.seed == 0
    assert after.patch({"song": {"tempo": None, "key": "C major"}}).fields.song.tempo is None
    assert after.patch({"song": {"tempo": 96}}).patch({"song": None}).fields.song.tempo == "follow"
    assert before.fields.seed == 7


def test_loras_survive_with_the_keys_of_a_newer_version() -> None:
    sent = [{"name": "night", "hash": HASH, "steps": [0, 4]}, None, {"name": "rain"}]
    made = Document({"loras": sent})
    again = json.loads(Document(parse_json(made.to_json())).to_json())["loras"]
    assert again == [sent[0], None, {"name": "rain", "hash": None}]
    assert made.patch({"seed": 4}).fields.loras == made.fields.loras
    assert made.patch({"loras": None}).fields.loras == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"clock": {"tick_frames": 0}}, "tick_frames"),
        ({"clock": {"steps": 65}}, "steps"),
        ({"clock": {"lead_frames": 3}}, "lead_frames"),
        ({"clock": {"shift": 3.0}}, "parameters.shift"),
        ({"song": {"tempo": 20}}, "tempo"),
        ({"song": {"tempo": "fast"}}, "tempo"),
        ({"song": {"metre": "5"}}, "metre"),
        ({"snapshots": [None] * 9}, "snapshots"),
        ({"look_ahead": -1}, "look_ahead"),
        ({"takes": [{"slot": "D", "hash": HASH, "rate": 48000, "samples": 10, "scale": 0.5}]}, "slot"),
        ({"takes": [{"slot": "A", "hash": HASH, "rate": 48000, "samples": 10, "scale": 0.5}] * 2}, "'A' twice"),
        ({"takes": [{"slot": "A", "hash": HASH, "rate": 48000, "samples": 10, "scale": 0.3}]}, "takes.A.scale"),
        ({"timbre": {"hash": HASH, "rate": 48000, "samples": 10**9, "scale": 1.0}}, "timbre.samples"),
        ({"parameters": {"denoise": 1.5}}, "denoise is 1.5"),
        ({"parameters": {"denoise": "x"}}, "parameters"),
        ({"parameters": [1]}, "parameters"),
        ({"prompts": {"a": 3}}, "prompts.a"),
        ({"prompts": {"a": "x" * 5000}}, "prompts.a"),
        ({"format": "other"}, "format"),
        ({"version": 3}, "version is 3"),
        ({"version": "1"}, "version"),
        ({"learned": {"hash": "sha256:0", "rate": 48000, "samples": 1, "scale": 1.0}}, "hash"),
        ({"file": {"hash": HASH, "rate": 48000, "samples": 10**9, "scale": 1.0}}, "file.samples"),
        ({"file": {"hash": HASH, "rate": 48000, "samples": 10, "scale": 0.3}}, "file.scale"),
        ({"file": {"hash": HASH, "rate": 48000, "scale": 0.5}}, "samples"),
        ({"loras": {"a": 1.0}}, "loras"),
        ({"loras": [{"hash": HASH}]}, "name"),
        ({"loras": [{"name": ""}]}, "name"),
        ({"loras": [{"name": "a", "hash": "sha256:0"}]}, "hash"),
        ({"loras": [{"name": "a", "strength": 1}]}, "parameters.lora_1"),
        ({"loras": [{"name": "a"}, {"name": "a"}]}, "'a' twice"),
        ({"loras": [{"name": str(n)} for n in range(9)]}, "loras"),
    ],
)
def test_a_wrong_field_is_refused_by_name(wrong: dict, named: str) -> None:
    with pytest.raises(StateError, match=named) as caught:
        Document().patch(wrong)
    assert caught.value.fix.endswith(".")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"\xff", b'{"a":NaN}', b"[" * 100_000, b"{}" + b" " * 2**23]
)
def test_what_is_not_a_json_object_within_bounds_is_refused(data: bytes) -> None:
    with pytest.raises(StateError):
        parse_json(data)


def test_a_blob_survives_its_round_trip() -> None:
    blob = encode_blob(b'{"seed":1}', {HASH: ATTACHMENT, "sha256:" + "00" * 32: b""})
    assert decode_blob(blob) == (b'{"seed":1}', {HASH: ATTACHMENT, "sha256:" + "00" * 32: b""})


BLOB = encode_blob(document().to_json(), {HASH: ATTACHMENT})


@given(st.integers(0, len(BLOB) - 1))
def test_a_truncated_blob_is_refused(length: int) -> None:
    with pytest.raises(StateError):
        decode_blob(BLOB[:length])


@given(st.integers(0, len(BLOB) - 1), st.integers(1, 255))
def test_a_blob_with_one_wrong_byte_is_refused(place: int, change: int) -> None:
    with pytest.raises(StateError):
        decode_blob(BLOB[:place] + bytes([BLOB[place] ^ change]) + BLOB[place + 1 :])


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data: bytes) -> None:
    for candidate in (data, b"DEMONST1" + data):
        body = candidate[:-4]
        with pytest.raises(StateError):
            decode_blob(candidate)
        with pytest.raises(StateError):  # with a checksum that matches
            decode_blob(body + struct.pack("<I", zlib.crc32(body)))


def test_a_blob_that_is_too_long_is_refused() -> None:
    body = BLOB[:-4] + b"more"
    with pytest.raises(StateError, match="too many"):
        decode_blob(body + struct.pack("<I", zlib.crc32(body)))
