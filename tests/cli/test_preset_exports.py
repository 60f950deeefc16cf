"""Presets in hosts' own lists: written by install, kept in step, taken away again, and taken in from there."""

import json
import struct
from pathlib import Path

import pytest
from test_command_line import demon

import plugin_bridge
from plugin_bridge import presets, vstpreset
from plugin_bridge.errors import BridgeError
from sidecar import exports, library
from sidecar.blob import decode_blob, encode_blob
from sidecar.document import Document
from sidecar.errors import StateError
from sidecar.preset import About


@pytest.fixture(autouse=True)
def vst3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A VST3 folder, presets and a record of this test's own."""
    monkeypatch.setenv("DEMON_LAUNCH_FILE", str(tmp_path / "config" / "launch.json"))
    monkeypatch.setenv("DEMON_PRESET_DIR", str(tmp_path / "mine"))
    return tmp_path / "vst3"


def names(vst3: Path) -> list[str]:
    return sorted(path.stem for path in presets.folder(vst3).glob("*.vstpreset"))


def test_every_preset_is_written_where_hosts_look_as_the_state_that_loading_it_means(vst3: Path) -> None:
    library.save(Document({"seed": 5}), About(name="Mine"))
    done = exports.export(vst3)
    assert done.folder == vst3 / "presets" / "DEMON Bridge" / "DEMON"
    assert names(vst3) == sorted(it.about.name for it in library.presets())
    data = (done.folder / "Warehouse.vstpreset").read_bytes()
    document, sources = decode_blob(vstpreset.decode(data, vstpreset.identity().class_id))
    changes = library.find("Warehouse").changes
    assert not sources
    assert Document(json.loads(document)) == Document(changes)


def test_the_export_follows_the_library_and_leaves_what_hosts_saved(vst3: Path) -> None:
    library.save(Document(), About(name="Mine"))
    exports.export(vst3)
    of_a_host = presets.folder(vst3) / "From a host.vstpreset"
    of_a_host.write_bytes(b"somebody else's")
    over_ours = presets.folder(vst3) / "Cassette.vstpreset"
    over_ours.write_bytes(b"saved over it")
    library.delete(library.find("Mine"))
    library.save(Document(), About(name="Next"))
    done = exports.refresh()
    assert done is not None
    assert ([path.stem for path in done.written], [path.stem for path in done.removed]) == (["Next"], ["Mine"])
    assert done.in_the_way == [over_ours]
    assert exports.saved_by_hosts(vst3) == [over_ours, of_a_host]
    plugin_bridge.uninstall()
    assert names(vst3) == ["Cassette", "From a host"]
    assert (of_a_host.read_bytes(), over_ours.read_bytes()) == (b"somebody else's", b"saved over it")


def test_nothing_is_written_into_a_hosts_folder_that_was_not_asked_for(vst3: Path) -> None:
    assert exports.refresh() is None
    assert not vst3.exists()


def test_exporting_elsewhere_moves_the_presets_and_withdrawing_leaves_no_folder(vst3: Path, tmp_path: Path) -> None:
    exports.export(vst3)
    exports.export(tmp_path / "elsewhere")
    assert not (vst3 / "presets").exists()
    presets.withdraw()
    assert not (tmp_path / "elsewhere" / "presets").exists()
    assert presets.published_to() is None


def test_a_second_export_writes_nothing(vst3: Path) -> None:
    exports.export(vst3)
    assert exports.export(vst3).written == []


def test_a_preset_that_a_host_saved_becomes_the_users_without_its_audio(vst3: Path) -> None:
    source = {"hash": f"sha256:{'0' * 64}", "name": "x", "start_frame": 0, "rate": 48_000, "samples": 9, "scale": 1.0}
    whole = Document({"parameters": {"dcw": 1.0}, "prompts": {"a": "mine"}, "learned": source})
    file = vst3 / "Saved in a host.vstpreset"
    file.parent.mkdir()
    blob = encode_blob(whole.to_json(), {source["hash"]: b"flac"})
    file.write_bytes(vstpreset.encode(blob, vstpreset.identity().class_id))
    taken = exports.take_in(file)
    assert (taken.id, taken.changes["prompts"]["a"]) == ("user/Saved in a host", "mine")
    assert taken.changes["parameters"]["dcw"] == 1.0
    assert "learned" not in taken.changes
    with pytest.raises(StateError, match="already"):
        exports.take_in(file)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda data: b"RIFF" + data[4:], "no .vstpreset"),
        (lambda data: data[:20], "no .vstpreset"),
        (lambda data: data[:8] + b"0" * 32 + data[40:], "another plugin"),
        (lambda data: data[:-1], "damaged"),
        (lambda data: data[:40] + struct.pack("<q", 2**62) + data[48:], "cut short"),
        (lambda data: data[:40] + struct.pack("<q", -5) + data[48:], "cut short"),
        (lambda data: data[:-8] + struct.pack("<q", len(data)), "cut short"),
        (lambda data: data.replace(b"Comp", b"Cont"), "no state"),
        (lambda data: data[:60] + b"\xff" + data[61:], "damaged"),
    ],
)
def test_a_file_that_is_no_preset_of_this_plugin_is_refused_by_name(change: object, word: str, tmp_path: Path) -> None:
    data = vstpreset.encode(encode_blob(Document().to_json(), {}), vstpreset.identity().class_id)
    file = tmp_path / "given.vstpreset"
    file.write_bytes(change(data))
    with pytest.raises(StateError, match=r"given\.vstpreset") as caught:
        exports.take_in(file)
    assert word in caught.value.text
    assert library.user() == ([], [])


def test_a_damaged_record_is_named_with_its_remedy(vst3: Path, tmp_path: Path) -> None:
    exports.export(vst3)
    record = tmp_path / "config" / "presets.json"
    for wrong in ("{", "[]", '{"folder": "x", "files": {}}'):
        record.write_text(wrong)
        with pytest.raises(BridgeError, match=r"presets\.json"):
            exports.export(vst3)


def test_a_record_reaches_no_file_outside_the_folder(vst3: Path, tmp_path: Path) -> None:
    exports.export(vst3)
    record = tmp_path / "config" / "presets.json"
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    said = json.loads(record.read_text())
    said["files"] |= {str(victim): plugin_bridge.bundles.digest(victim)}
    record.write_text(json.dumps(said))
    presets.withdraw()
    assert victim.read_bytes() == b"mine"


def test_the_command_line_exchanges_presets(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done = demon("presets", "export", "--json", home=home)
    assert done.returncode == 0, done.stderr
    folder = home / ".vst3" / "presets" / "DEMON Bridge" / "DEMON"
    assert json.loads(done.stdout)["folder"] == str(folder)
    saved = folder / "From a host.vstpreset"
    saved.write_bytes((folder / "Warehouse.vstpreset").read_bytes())
    done = demon("presets", "import", "--json", home=home)
    assert done.returncode == 0, done.stderr
    assert [it["id"] for it in json.loads(done.stdout)["presets"]] == ["user/From a host"]
    shown = json.loads(demon("presets", "show", "From a host", home=home).stdout)
    assert shown["prompts"] == library.find("Warehouse").changes["prompts"]
    listed = json.loads(demon("presets", "list", "--json", home=home).stdout)["presets"]
    assert listed[-1]["name"] == "From a host"
    assert demon("presets", "delete", "From a host", home=home).returncode == 0
    refused = demon("presets", "delete", "Warehouse", home=home)
    assert (refused.returncode, "factory" in refused.stderr) == (1, True)
