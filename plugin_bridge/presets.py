"""Presets where VST3 hosts look for them: writing ours there, and taking exactly those away again.

The folder is the user's own, shared with what hosts save: a file that this program did not write stays as it is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from plugin_bridge import bundles, launch, vstpreset
from plugin_bridge.errors import BridgeError

SUFFIX = ".vstpreset"


@dataclass(frozen=True)
class Published:
    """What `publish` did. `in_the_way`: files of those names that somebody else wrote or changed; they were left."""

    folder: Path
    written: list[Path]
    removed: list[Path]
    in_the_way: list[Path]


@dataclass(frozen=True)
class _Record:
    """What was written where: SHA-256 by file name."""

    folder: Path
    files: dict[str, str]

    def is_ours(self, path: Path) -> bool:
        return path.is_file() and self.files.get(path.name) == bundles.digest(path)


def folder(vst3_dir: Path) -> Path:
    """Where hosts look for this plugin's presets (VST 3 preset locations, Linux, the user's own)."""
    plugin = vstpreset.identity()
    return vst3_dir.absolute() / "presets" / plugin.vendor / plugin.name


def publish(states: Mapping[str, bytes], vst3_dir: Path) -> Published:
    """Make the folder hold these presets, and no other one that an earlier call wrote.

    Args:
        states: the plugin's state by the name that the host lists, which must be a file's name.
        vst3_dir: the user's VST3 folder.

    Raises:
        BridgeError: a file cannot be written, or the list of what was written cannot be read.
    """
    target = folder(vst3_dir)
    before = _read_record()
    if before is not None and before.folder != target:
        withdraw()
        before = None
    known = before or _Record(target, {})
    class_id = vstpreset.identity().class_id
    files = {f"{name}{SUFFIX}": vstpreset.encode(state, class_id) for name, state in states.items()}
    in_the_way = [target / name for name in files if (target / name).exists() and not known.is_ours(target / name)]
    wanted = {name: data for name, data in files.items() if target / name not in in_the_way}
    gone = [target / name for name in known.files if name not in wanted and known.is_ours(target / name)]
    # The record is written first: what stops halfway leaves nothing that `withdraw` does not know of.
    ours = {name: bundles.digest_of(data) for name, data in wanted.items()}
    _write_record(_Record(target, {**{path.name: known.files[path.name] for path in gone}, **ours}))
    written: list[Path] = []
    for name, data in wanted.items():
        if known.files.get(name) != ours[name] or not (target / name).is_file():
            bundles.replace_file(target / name, data)
            written.append(target / name)
    for path in gone:
        path.unlink(missing_ok=True)
    _write_record(_Record(target, ours))
    return Published(target, written, gone, in_the_way)


def published_to() -> Path | None:
    """The VST3 folder that the presets were last published to; None where they are not."""
    record = _read_record()
    return None if record is None else record.folder.parents[2]


def withdraw() -> list[Path]:
    """Remove every preset that `publish` wrote and nobody changed since, and the folders that are empty then."""
    record = _read_record()
    if record is None:
        return []
    removed = [path for name in record.files if record.is_ours(path := record.folder / name)]
    for path in removed:
        path.unlink()
    for place in (record.folder, record.folder.parent, record.folder.parents[1]):
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
    _record_file().unlink(missing_ok=True)
    return removed


def saved_by_hosts(vst3_dir: Path) -> list[Path]:
    """The presets in the folder that this program did not write, by name."""
    record = _read_record() or _Record(folder(vst3_dir), {})
    return [path for path in sorted(folder(vst3_dir).glob(f"*{SUFFIX}")) if not record.is_ours(path)]


def _record_file() -> Path:
    return launch.path().with_name("presets.json")


def _read_record() -> _Record | None:
    file = _record_file()
    try:
        found: object = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BridgeError(f"{file}, the list of exported presets, cannot be read: {error}", "remove it") from error
    entries = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    where, files = entries.get("folder"), entries.get("files")
    if not isinstance(where, str) or len(Path(where).parents) < 3 or not isinstance(files, dict):
        raise BridgeError(f"{file}, the list of exported presets, holds no list", "remove it")
    digests = cast("dict[str, object]", files)
    # Names only: a record that was tampered with must not reach files elsewhere.
    named = {name: digest for name, digest in digests.items() if isinstance(digest, str) and name == Path(name).name}
    return _Record(Path(where), named)


def _write_record(record: _Record) -> None:
    data = {"folder": str(record.folder), "files": record.files}
    bundles.replace_file(_record_file(), json.dumps(data, indent=2).encode() + b"\n")
