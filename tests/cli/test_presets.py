"""Every factory preset is what its schema says, loads as a document, and can be told apart."""

import json
from pathlib import Path

import jsonschema
import pytest

import engine
from sidecar import library
from sidecar import preset as presets
from sidecar.document import Document
from sidecar.errors import StateError
from sidecar.parameters import TABLE

PRESETS = sorted(path for path in library.factory_folder().glob("*.json") if path.name != "schema.json")
SCHEMA = json.loads((library.factory_folder() / "schema.json").read_text())

# demon-tiny-1's vocabulary (its model card); a factory preset with other words would be heard as something else
WORDS = {
    *("techno", "house", "ambient", "lofi", "dnb", "chiptune"),
    *("kick", "snare", "clap", "hats", "saw bass", "square bass", "pad chords", "pluck arp", "fm bells", "bell lead"),
    *("square lead", "saw lead", "drum loop"),
}


def test_there_are_at_least_24_factory_presets() -> None:
    assert len(PRESETS) >= 24


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_a_preset_matches_its_schema_and_changes_what_it_says(path: Path) -> None:
    data = json.loads(path.read_text())
    jsonschema.validate(data, SCHEMA)
    preset = presets.read(path, "factory")
    assert preset.about.tags
    assert preset.about.description
    before = Document({"seed": 999, "checkpoint": "kept"})
    after = before.patch(preset.changes)
    assert after.fields.checkpoint == "kept"
    assert after.fields.prompts.a == data["prompts"]["a"]
    for key, value in data["parameters"].items():
        assert after.parameter(key) == TABLE[key].quantise(value), key


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_a_preset_invites_lanes_that_a_host_can_draw(path: Path) -> None:
    lanes = presets.read(path, "factory").about.lanes
    assert lanes
    assert all((TABLE[key].automatable and TABLE[key].target == "engine") or key == "mix" for key in lanes)


def test_the_factory_presets_show_the_instrument() -> None:
    all_of_them = [presets.read(path, "factory") for path in PRESETS]
    used = {(key, value) for it in all_of_them for key, value in it.data["parameters"].items()}
    for choice in [("guidance_mode", 1), ("guidance_mode", 2), ("guidance_mode", 3), ("solver", 1), ("dcw", 1)]:
        assert choice in used, choice
    assert ("source_mode", 2) in used
    lanes = {key for it in all_of_them for key in it.about.lanes}
    wanted = {
        "prompt_blend",
        "prompt_snapshot",
        "denoise",
        "hint_strength",
        "velocity_scale",
        "source_lock",
        "regenerate",
    }
    wanted |= {
        "feedback",
        "timbre_strength",
        "structure_blend",
        "sde_amount",
        "ode_noise",
        "shift",
        "freeze",
        "new_seed",
    }
    wanted |= {"guidance", "cfg_rescale", "apg_momentum", "dcw_low", "dcw_high", "channels_1", "keystone_13", "lora_1"}
    assert wanted <= lanes


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_a_preset_speaks_the_words_that_the_bundled_checkpoint_knows(path: Path) -> None:
    data = json.loads(path.read_text())
    pairs = [data["prompts"], *data.get("snapshots", [])]
    said = {word.strip() for pair in pairs for key in ("a", "b") for word in pair[key].split(",")}
    assert said <= WORDS


def test_factory_presets_use_the_loras_that_ship_with_the_checkpoint_and_leave_none_of_another_on() -> None:
    folder = Path(engine.__file__).parent / "loras" / "demon-tiny-1"
    shipped = {path.stem for path in folder.glob("*.safetensors")}
    used = [[lora["name"] for lora in json.loads(path.read_text())["loras"]] for path in PRESETS]
    assert {name for names in used for name in names} <= shipped
    assert sum(bool(names) for names in used) >= 2


def test_the_schema_has_every_parameter_with_the_ranges_of_the_table() -> None:
    rows = SCHEMA["properties"]["parameters"]["properties"]
    assert list(rows) == TABLE.keys_saved
    for key, row in rows.items():
        low = row["minimum"] if "minimum" in row else min(row["enum"])
        high = row["maximum"] if "maximum" in row else max(row["enum"])
        assert (low, high) == (TABLE[key].min, TABLE[key].max), key


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {"denoise": 1.5}},
        {"seed": -1},
        {"version": 3},
        {"learned": None},
        {"clock": {"shift": 3.0}},
        {"prompts": {"a": 5}},
        {"loras": [{}]},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_the_schema_refuses_what_is_no_preset(changes: dict[str, object]) -> None:
    data = {**json.loads(PRESETS[0].read_text()), **changes}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


def test_a_preset_without_a_name_or_with_a_wild_value_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"format": "demon-state", "version": 2, "preset": {}}))
    with pytest.raises(StateError, match=r"mine\.json"):
        presets.read(path, "user")
    path.write_text(json.dumps({"preset": {"name": "x"}, "parameters": {"denoise": 7}}))
    with pytest.raises(StateError, match="denoise"):
        presets.read(path, "user")
