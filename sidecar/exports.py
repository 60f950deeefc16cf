"""The library where hosts look: written when asked for, and kept in step with the library from then on."""

from pathlib import Path
from typing import Final

import msgspec

import plugin_bridge
from plugin_bridge import BridgeError, presets, vstpreset
from plugin_bridge.presets import Published
from sidecar import library
from sidecar.blob import decode_blob, encode_blob
from sidecar.document import Document, parse_json
from sidecar.errors import StateError
from sidecar.fields import FORMAT, VERSION
from sidecar.preset import About, Preset, read

MAX_SAVED: Final = 256 << 20
"""Bytes of a host's preset file: far above the largest state there can be, as in the shim."""


def export(vst3_dir: Path | None = None) -> Published:
    """Write every preset where VST3 hosts look.

    Args:
        vst3_dir: another folder than the user's VST3 folder.

    Raises:
        StateError: a factory preset is not valid.
        BridgeError: a file cannot be written.
    """
    states = {library.stem(it.about.name): state(it) for it in reversed(library.presets())}
    return presets.publish(states, vst3_dir or plugin_bridge.user_vst3_folder())


def refresh() -> Published | None:
    """Write every preset where an earlier `export` did; None where none did.

    Raises:
        StateError: a factory preset is not valid.
        BridgeError: a file cannot be written.
    """
    where = presets.published_to()
    return None if where is None else export(where)


def follow() -> None:
    """Bring hosts' lists in step after a change of the library that is done already.

    Raises:
        StateError: the change is done, and hosts' lists are as they were.
    """
    try:
        refresh()
    except BridgeError as error:
        raise StateError(f"It is done, but hosts do not see it: {error}.", f"{error.fix.capitalize()}.") from error


def state(preset: Preset) -> bytes:
    """The blob that puts a preset in force in a plugin that loads it as its state."""
    return encode_blob(msgspec.json.encode({"format": FORMAT, "version": VERSION, **preset.changes}), {})


def saved_by_hosts(vst3_dir: Path | None = None) -> list[Path]:
    """The preset files that hosts saved for the plugin."""
    return presets.saved_by_hosts(vst3_dir or plugin_bridge.user_vst3_folder())


def take_in(path: Path, *, replace: bool = False) -> Preset:
    """Keep a preset that a host saved, or a preset file from elsewhere, as one of the user's.

    Of a `.vstpreset` the sound is kept, under the file's name; a `.json` keeps what it says about itself.

    Raises:
        StateError: it cannot be read, is no preset of this plugin, or its name is taken. The text names the file.
    """
    if path.suffix == ".json":
        found = read(path, "user")
        return library.save(Document(found.changes), found.about, replace=replace)
    try:
        with path.open("rb") as file:
            component = vstpreset.decode(file.read(MAX_SAVED), vstpreset.identity().class_id)
        document = Document(parse_json(decode_blob(component)[0]))
    except OSError as error:
        raise StateError(f"{path} cannot be read: {error.strerror}.", "Name a file that is there.") from error
    except BridgeError as error:
        raise StateError(f"{path.name}: {error}.", f"{error.fix.capitalize()}.") from error
    except StateError as error:
        raise StateError(f"{path.name}: {error.text}", error.fix) from error
    return library.save(document, About(name=path.stem[:64], tags=["imported"]), replace=replace)
