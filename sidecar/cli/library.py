"""The factory presets, and finding one by name or path."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from sidecar.cli.output import CommandError
from sidecar.document import Document, parse_json
from sidecar.errors import StateError


class About(msgspec.Struct, frozen=True):
    """What a preset says about itself."""

    name: str
    author: str = ""
    tags: list[str] = []
    description: str = ""


@dataclass(frozen=True)
class Preset:
    """One preset file: what it says about itself, and the keys that it changes."""

    path: Path
    about: About
    changes: dict[str, Any]


def folder() -> Path:
    """Where the factory presets are: beside the packages in a clone, inside `sidecar` in an installed wheel."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "presets"
    return inside if inside.is_dir() else package.parent / "presets"


def factory() -> list[Preset]:
    """Every factory preset, by file name.

    Raises:
        StateError: one of them is not valid; the text names the file.
    """
    return [read(path) for path in sorted(folder().glob("*.json")) if path.name != "schema.json"]


def read(path: Path) -> Preset:
    """One preset file.

    Raises:
        CommandError: it cannot be read.
        StateError: it is not a valid document, or does not say its name.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CommandError(f"preset {path}: {error.strerror}", "name a file, or one of demon presets", 2) from error
    changes = parse_json(data, f"preset {path.name}")
    Document(changes)
    about: object = changes.pop("preset", None)
    try:
        return Preset(path, msgspec.convert(about, About), changes)
    except msgspec.ValidationError as error:
        raise StateError(f"{path.name}: preset: {error}.", "Give it a preset object with a name.") from error


def find(wanted: str) -> Preset:
    """The preset of that name, or the file at that path.

    Raises:
        CommandError: there is neither.
        StateError: the file is not a valid preset.
    """
    path = Path(wanted)
    if path.suffix == ".json" or path.is_file():
        return read(path)
    presets = factory()
    for preset in presets:
        if wanted.casefold() in {preset.about.name.casefold(), preset.path.stem.casefold()}:
            return preset
    names = ", ".join(preset.about.name for preset in presets)
    raise CommandError(f"no preset named {wanted!r}", f"use one of {names}, or the path of a .json file", 2)
