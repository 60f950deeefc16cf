"""Putting the bundles where hosts look for them, and taking exactly those away again."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from plugin_bridge import bundles, launch, presets
from plugin_bridge.build import is_stale
from plugin_bridge.errors import BridgeError

State = Literal["missing", "current", "different"]


@dataclass(frozen=True)
class Installed:
    """What `install` put in place."""

    vst3: Path
    clap: Path
    launch_file: Path


@dataclass(frozen=True)
class Found:
    """One installed bundle held against the built one: `missing`, `current` or `different`."""

    path: Path
    state: State


@dataclass(frozen=True)
class Status:
    """What is built and what is installed. `stale`: a source file is newer than the built bundles."""

    folder: Path
    built: bool
    stale: bool
    vst3: Found
    clap: Found
    launch_file: Path
    launch_problem: BridgeError | None

    @property
    def ok(self) -> bool:
        """Whether a host that starts now finds a current plugin that can start the sidecar."""
        installed = self.vst3.state == "current" and self.clap.state == "current"
        return self.built and not self.stale and installed and self.launch_problem is None


def user_vst3_folder() -> Path:
    """Where hosts look for a Linux user's VST3 bundles (the VST3 format's own rule)."""
    return Path.home() / ".vst3"


def user_clap_folder() -> Path:
    """Where hosts look for a Linux user's CLAP plugins (`entry.h` of the CLAP format)."""
    return Path.home() / ".clap"


def install(folder: Path | None = None, *, vst3_dir: Path | None = None, clap_dir: Path | None = None) -> Installed:
    """Copy the built bundles into the user's plugin folders and write the launch file.

    Args:
        folder: where the bundles were built; `bundles.default_folder()` by default.
        vst3_dir, clap_dir: other folders than the user's own.

    Raises:
        BridgeError: nothing is built, or a file that this program did not put there is in the way.
    """
    folder = folder or bundles.default_folder()
    if not bundles.are_built(folder):
        raise BridgeError(f"no built plugin in {folder}", "run demon plugin build")
    copies = _copies(folder, vst3_dir or user_vst3_folder(), clap_dir or user_clap_folder())
    record = _read_record()
    _refuse_strangers(copies, record)
    # The record is written first: an install that stops halfway leaves nothing that uninstall does not know of.
    launch_entry = {str(launch.path().absolute()): hashlib.sha256(launch.content()).hexdigest()}
    _write_record(record | {str(target): bundles.digest(source) for source, target in copies} | launch_entry)
    for source, target in copies:
        bundles.replace_file(target, source.read_bytes(), source.stat().st_mode & 0o777)
    return Installed(
        vst3=(vst3_dir or user_vst3_folder()) / bundles.VST3,
        clap=(clap_dir or user_clap_folder()) / bundles.CLAP,
        launch_file=launch.write(),
    )


def uninstall() -> list[Path]:
    """Remove every file that `install` put in place, and the folders of a bundle that are empty then.

    Returns the files removed, presets included. A file that was changed since is somebody's own by now and stays.
    """
    record = _read_record()
    removed = presets.withdraw()
    for name, expected in record.items():
        path = Path(name)
        if path.is_file() and bundles.digest(path) == expected:
            path.unlink()
            removed.append(path)
            _remove_empty_bundle(path)
    _record_file().unlink(missing_ok=True)
    return removed


def status(folder: Path | None = None, *, vst3_dir: Path | None = None, clap_dir: Path | None = None) -> Status:
    """Compare what is installed with what is built, file by file."""
    folder = folder or bundles.default_folder()
    built = bundles.are_built(folder)
    problem: BridgeError | None = None
    try:
        launch.command()
    except BridgeError as error:
        problem = error
    return Status(
        folder=folder,
        built=built,
        stale=built and is_stale(folder),
        vst3=_compare(folder / bundles.VST3, (vst3_dir or user_vst3_folder()) / bundles.VST3),
        clap=_compare(folder / bundles.CLAP, (clap_dir or user_clap_folder()) / bundles.CLAP),
        launch_file=launch.path(),
        launch_problem=problem,
    )


def _compare(built: Path, installed: Path) -> Found:
    if not installed.exists():
        return Found(installed, "missing")
    here = {path.relative_to(built): bundles.digest(path) for path in bundles.files(built)}
    there = {path.relative_to(installed): bundles.digest(path) for path in bundles.files(installed)}
    return Found(installed, "current" if here == there else "different")


def _copies(folder: Path, vst3_dir: Path, clap_dir: Path) -> list[tuple[Path, Path]]:
    clap = (folder / bundles.CLAP, clap_dir.absolute() / bundles.CLAP)
    vst3 = [(path, vst3_dir.absolute() / path.relative_to(folder)) for path in bundles.files(folder / bundles.VST3)]
    return [*vst3, clap]


def _refuse_strangers(copies: list[tuple[Path, Path]], record: dict[str, str]) -> None:
    for source, target in copies:
        if target.exists() and str(target) not in record and bundles.digest(target) != bundles.digest(source):
            raise BridgeError(
                f"{target} is there already and was not put there by demon plugin install",
                "move it away, or name another folder with --vst3-dir or --clap-dir",
            )


def _remove_empty_bundle(path: Path) -> None:
    inside = [parent for parent in path.parents if bundles.VST3 in parent.parts]
    for parent in inside:
        if any(parent.iterdir()):
            return
        parent.rmdir()


def _record_file() -> Path:
    return launch.path().with_name("installed.json")


def _read_record() -> dict[str, str]:
    file = _record_file()
    try:
        found: object = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BridgeError(f"{file}, the list of installed files, cannot be read: {error}", "remove it") from error
    if not isinstance(found, dict):
        raise BridgeError(f"{file}, the list of installed files, holds no list", "remove it")
    entries = cast("dict[str, object]", found)
    return {name: digest for name, digest in entries.items() if isinstance(digest, str)}


def _write_record(record: dict[str, str]) -> None:
    bundles.replace_file(_record_file(), json.dumps(record, indent=2).encode() + b"\n")
