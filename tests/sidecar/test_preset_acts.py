"""Presets saved and loaded from the editor: the acts `save_preset` and `load_preset`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from peer import Peer
from test_references import act

from plugin_bridge import presets
from sidecar import exports, library

Connect = Callable[..., Peer]


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's presets and the record of exports, somewhere of this test's own; a VST3 folder beside them."""
    monkeypatch.setenv("DEMON_PRESET_DIR", str(tmp_path / "presets"))
    monkeypatch.setenv("DEMON_LAUNCH_FILE", str(tmp_path / "config" / "launch.json"))
    return tmp_path / "vst3"


def sound(peer: Peer) -> None:
    document = {"parameters": {"dcw": 1.0, "mix": 0.5}, "prompts": {"a": "mine", "b": "other"}, "seed": 5}
    assert peer.state(json.dumps(document).encode())["t"] == "applied"


def test_a_saved_preset_is_listed_by_hosts_and_another_instance_loads_it(connect: Connect, folders: Path) -> None:
    exports.export(folders)
    first, second = connect(), connect()
    sound(first)
    assert act(first, "save_preset", name="Mine", tags=["dub"], description="d")["t"] == "applied"
    assert [it.about.tags for it in library.user()[0]] == [["dub"]]
    assert (presets.folder(folders) / "Mine.vstpreset").is_file()
    assert act(second, "load_preset", id="user/Mine")["t"] == "applied"
    _, (text, *_) = second.wait("document", lambda m: True)
    loaded = json.loads(text)
    assert (loaded["prompts"]["a"], loaded["seed"]) == ("mine", 5)
    assert (loaded["parameters"]["dcw"], loaded["parameters"]["mix"]) == (1.0, 0.5)


@pytest.mark.parametrize(
    ("verb", "arguments", "code"),
    [
        ("save_preset", {"name": "Warehouse"}, "bad_state"),
        ("save_preset", {"name": "..."}, "bad_state"),
        ("save_preset", {"name": ""}, "bad_message"),
        ("save_preset", {"name": "x" * 65}, "bad_message"),
        ("save_preset", {"name": "x", "tags": "dub"}, "bad_message"),
        ("load_preset", {"id": "user/none"}, "bad_state"),
        ("load_preset", {"id": "../../etc/passwd"}, "bad_state"),
        ("load_preset", {}, "bad_message"),
    ],
)
def test_what_cannot_be_saved_or_loaded_is_refused(connect: Connect, verb: str, arguments: dict, code: str) -> None:
    peer = connect()
    refused = act(peer, verb, **arguments)
    assert (refused["t"], refused["code"]) == ("failed", code)
    assert library.user() == ([], [])


def test_a_preset_is_replaced_only_when_asked(connect: Connect) -> None:
    peer = connect()
    assert act(peer, "save_preset", name="Mine")["t"] == "applied"
    sound(peer)
    assert act(peer, "save_preset", name="Mine")["code"] == "bad_state"
    assert library.find("Mine").data["seed"] == 0
    assert act(peer, "save_preset", name="Mine", replace=True)["t"] == "applied"
    assert library.find("Mine").data["seed"] == 5
