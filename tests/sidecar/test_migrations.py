"""Documents of version 1 still load: as they were saved, as presets, as state blobs and as patches."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.blob import decode_blob
from sidecar.document import Document, changed_parameters, parse_json
from sidecar.errors import StateError
from sidecar.golden import FOLDER
from sidecar.migrations import migrate
from sidecar.parameters import TABLE

GOLDEN = json.loads((FOLDER / "state-v1.json").read_text())
VECTORS = GOLDEN["documents"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_document_of_version_1_becomes_the_same_one_of_version_2_as_in_the_shim(vector: dict[str, Any]) -> None:
    assert migrate(vector["v1"]) == (vector["v2"], tuple(vector["notes"]))
    assert Document().patch(vector["v1"]).notes == tuple(vector["notes"])
    assert Document({"seed": 5}).patch(vector["v1"]) == Document({"seed": 5}).patch(vector["v2"])


def test_a_state_blob_of_version_1_loads_whole() -> None:
    document, attachments = decode_blob(bytes.fromhex(GOLDEN["hex"]))
    loaded = Document(parse_json(document))
    assert loaded == Document(VECTORS[0]["v2"])
    assert (loaded.parameter("lora_1"), loaded.parameter("shift")) == (-0.5, 3.0)
    assert loaded.fields.learned is not None
    assert list(attachments) == [loaded.fields.learned.hash]
    assert loaded.data["of_a_newer_version"] == {"kept": [1, 2, 3]}


def test_what_is_out_of_range_now_is_clamped_and_said() -> None:
    document = Document({"version": 1, "clock": {"shift": 0.5}, "loras": [{"name": "x", "strength": -9.5}]})
    assert (document.parameter("shift"), document.parameter("lora_1")) == (1.0, -2.0)
    assert [note.partition(" was ")[0] for note in document.notes] == ["The strength of LoRA 'x'", "clock.shift"]


def test_a_patch_of_version_1_moves_no_parameter_but_those_it_names() -> None:
    before = Document({"parameters": {"shift": 5.0, "lora_1": 0.5, "lora_2": 0.25}})
    after = before.patch({"version": 1, "loras": [{"name": "x", "strength": 2.0}]})
    assert [after.parameter(key) for key in ("shift", "lora_1", "lora_2")] == [5.0, 2.0, 0.25]
    assert changed_parameters({"version": 1, "loras": [{"name": "x"}]}) == ["lora_1"]
    assert changed_parameters({"version": 1, "parameters": None, "clock": {"shift": 2.0}}) == TABLE.keys_saved


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"loras": [{"name": "a", "strength": 11}]}, "strength"),
        ({"loras": [{"name": "a", "strength": float("nan")}]}, "strength"),
        ({"loras": [{"strength": 1.0}]}, "name"),
        ({"loras": {"a": 1.0}}, "loras"),
        ({"clock": {"shift": 0.0}}, "shift"),
        ({"clock": [], "loras": []}, "clock"),
        ({"parameters": 3, "loras": [{"name": "a"}]}, "parameters"),
    ],
)
def test_a_wrong_field_of_version_1_is_refused_by_name(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(StateError, match=named):
        Document().patch({"version": 1, **wrong})


@given(
    st.floats(-10, 10),
    st.floats(0.01, 100),
    st.lists(st.sampled_from(sorted(TABLE.keys_saved)), unique=True, max_size=3),
)
def test_migrating_is_done_once_and_keeps_the_rest(strength: float, shift: float, others: list[str]) -> None:
    parameters = {key: TABLE[key].default for key in others}
    old = {"version": 1, "parameters": parameters, "loras": [{"name": "x", "strength": strength}]}
    new, _ = migrate({**old, "clock": {"shift": shift}, "later": [1]})
    assert migrate(new) == (new, ())
    assert new["later"] == [1]
    moved = dict.fromkeys(("lora_1", "shift"), 0)
    assert {**new["parameters"], **moved} == {**parameters, **moved}
    assert abs(Document(new).parameter("lora_1") - max(-2.0, min(2.0, strength))) <= 4 / 65_536
