"""Where the plugin's two bundles lie and what identifies them."""

import hashlib
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from plugin_bridge.errors import BridgeError

NAME = "DEMON"
VST3 = f"{NAME}.vst3"
CLAP = f"{NAME}.clap"

# The VST3 bundle format's folder name for a Linux machine: its architecture, then the system.
VST3_ARCHITECTURES: Mapping[str, str] = {"x86_64": "x86_64-linux", "aarch64": "aarch64-linux"}


def vst3_architecture() -> str:
    """This machine's folder name inside a VST3 bundle, such as `x86_64-linux`.

    Raises:
        BridgeError: not a Linux machine, or an architecture that the bundle format has no name for.
    """
    machine = platform.machine()
    if sys.platform != "linux" or machine not in VST3_ARCHITECTURES:
        raise BridgeError(
            f"no plugin for {sys.platform} on {machine}: the shared timeline needs Linux memory files",
            f"use Linux on one of: {', '.join(VST3_ARCHITECTURES)}",
        )
    return VST3_ARCHITECTURES[machine]


def cache_folder() -> Path:
    """What can be made again: built bundles, cargo's target folder. `<user cache>/demon-bridge`."""
    return platformdirs.user_cache_path("demon-bridge", appauthor=False)


def default_folder() -> Path:
    """Where `demon plugin build` writes the bundles unless told otherwise."""
    return cache_folder() / "bundles"


def binary(folder: Path) -> Path:
    """The shared object inside the VST3 bundle that lies in `folder`."""
    return folder / VST3 / "Contents" / vst3_architecture() / f"{NAME}.so"


def are_built(folder: Path) -> bool:
    """Whether both bundles lie in `folder`."""
    return binary(folder).is_file() and (folder / CLAP).is_file()


def files(bundle: Path) -> list[Path]:
    """Every file of a bundle (a folder, or one file), sorted."""
    if bundle.is_file():
        return [bundle]
    return sorted(path for path in bundle.rglob("*") if path.is_file())


def digest(path: Path) -> str:
    """SHA-256 of one file, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(data: bytes) -> str:
    """SHA-256 of what a file will hold, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def replace_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write `data` beside `path` and rename: a host that has the old file mapped keeps it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise BridgeError(f"cannot write {path}: {error}", "make it writable, or name another folder") from error
