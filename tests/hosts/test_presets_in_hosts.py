"""Presets in hosts' own lists: a host loads what was exported, and what a host saves comes back as a preset."""

from pathlib import Path

import pytest
from bridge_rig import Rig
from plugin_state import component_of, document_of

from sidecar import exports, library

HOSTS = ["minihost", "pedalboard"]  # those that save .vstpreset files; test_recall.py loads one in DawDreamer


@pytest.fixture
def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The presets as `demon presets export` writes them, out of the way of this user's."""
    monkeypatch.setenv("DEMON_LAUNCH_FILE", str(tmp_path / "config" / "launch.json"))
    monkeypatch.setenv("DEMON_PRESET_DIR", str(tmp_path / "mine"))
    return exports.export(tmp_path / "vst3").folder


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_loads_an_exported_preset_and_what_it_saves_is_that_preset(rig: Rig, exported: Path, host: str) -> None:
    # Two, so that what the first one leaves behind would be seen.
    steps = [{"do": "load", "from": exported / f"{name}.vstpreset"} for name in ("Cassette", "Ebb")]
    result = rig.job(host, [*steps, {"do": "save", "to": "saved.vstpreset"}])
    saved = result.folder / "saved.vstpreset"
    wanted = library.find("Ebb").changes
    document = document_of(component_of(saved.read_bytes()))
    assert {key: document[key] for key in ("prompts", "seed")} == {key: wanted[key] for key in ("prompts", "seed")}
    assert [lora["name"] for lora in document["loras"]] == ["slow-tide"]
    taken = exports.take_in(saved).changes
    for key, value in wanted["parameters"].items():
        assert taken["parameters"][key] == pytest.approx(value, abs=1e-4), key  # the table's grid
