"""Installing puts both bundles and a launch file in place, and uninstalling takes exactly those away."""

import json
import sys
from pathlib import Path

import pytest

import plugin_bridge
from plugin_bridge import bundles, launch


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder laid out as a build lays it out; what is in the shared object does not matter to installing."""
    folder = tmp_path / "bundles"
    bundles.replace_file(bundles.binary(folder), b"shared object", 0o755)
    bundles.replace_file(folder / bundles.CLAP, b"shared object", 0o755)
    bundles.replace_file(folder / bundles.VST3 / "Contents" / "Resources" / "moduleinfo.json", b"{}")
    return folder


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Private plugin folders, and a private launch file."""
    monkeypatch.setenv("DEMON_LAUNCH_FILE", str(tmp_path / "config" / "launch.json"))
    return {"vst3_dir": tmp_path / "vst3", "clap_dir": tmp_path / "clap"}


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_install_copies_both_bundles_and_names_this_interpreter(built: Path, places: dict[str, Path]) -> None:
    done = plugin_bridge.install(built, **places)
    assert everything(places["vst3_dir"] / bundles.VST3) == everything(built / bundles.VST3)
    assert done.clap.read_bytes() == (built / bundles.CLAP).read_bytes()
    assert done.clap.stat().st_mode & 0o111
    launched = json.loads(done.launch_file.read_bytes())
    assert launched["command"][0] == sys.executable
    assert launched["command"][-3:] == ["-m", "sidecar", "--spawned"]
    assert launch.command() == launched["command"]


def test_uninstall_removes_what_install_put_there_and_nothing_else(built: Path, places: dict[str, Path]) -> None:
    foreign = [places["vst3_dir"] / "Other.vst3" / "Contents" / "x.so", places["clap_dir"] / "Other.clap"]
    for path in foreign:
        bundles.replace_file(path, b"somebody else's")
    plugin_bridge.install(built, **places)
    plugin_bridge.uninstall()
    assert everything(places["vst3_dir"]) == ["Other.vst3/Contents/x.so"]
    assert everything(places["clap_dir"]) == ["Other.clap"]
    assert not (places["vst3_dir"] / bundles.VST3).exists()
    assert not launch.path().exists()
    assert plugin_bridge.uninstall() == []


def test_uninstall_leaves_a_file_that_was_changed_since(built: Path, places: dict[str, Path]) -> None:
    done = plugin_bridge.install(built, **places)
    done.clap.write_bytes(b"mine now")
    plugin_bridge.uninstall()
    assert done.clap.read_bytes() == b"mine now"
    assert not (places["vst3_dir"] / bundles.VST3).exists()


def test_install_does_not_overwrite_a_plugin_that_it_did_not_put_there(built: Path, places: dict[str, Path]) -> None:
    stranger = places["clap_dir"] / bundles.CLAP
    bundles.replace_file(stranger, b"another plugin of that name")
    with pytest.raises(plugin_bridge.BridgeError, match="was not put there by") as caught:
        plugin_bridge.install(built, **places)
    assert "--clap-dir" in caught.value.fix
    assert stranger.read_bytes() == b"another plugin of that name"
    assert not places["vst3_dir"].exists()


def test_installing_again_updates_and_status_sees_the_difference(built: Path, places: dict[str, Path]) -> None:
    assert plugin_bridge.status(built, **places).vst3.state == "missing"
    plugin_bridge.install(built, **places)
    assert plugin_bridge.status(built, **places).vst3.state == "current"
    bundles.replace_file(bundles.binary(built), b"a newer shared object", 0o755)
    bundles.replace_file(built / bundles.CLAP, b"a newer shared object", 0o755)
    found = plugin_bridge.status(built, **places)
    assert (found.vst3.state, found.clap.state, found.ok) == ("different", "different", False)
    plugin_bridge.install(built, **places)
    found = plugin_bridge.status(built, **places)
    assert (found.vst3.state, found.clap.state, found.launch_problem) == ("current", "current", None)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"command": []}', b'{"command": ["/no/such/python"]}', b"\xff"]
)
def test_a_broken_launch_file_is_named_with_its_remedy(content: bytes, places: dict[str, Path]) -> None:
    bundles.replace_file(launch.path(), content)
    with pytest.raises(plugin_bridge.BridgeError, match="launch file") as caught:
        launch.command()
    assert caught.value.fix == "run demon plugin install"
