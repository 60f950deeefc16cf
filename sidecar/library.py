"""The presets there are: the factory's beside the packages, the user's in a folder of the user's data."""

import os
import tempfile
from pathlib import Path
from typing import Final

import platformdirs

from sidecar import preset
from sidecar.document import Document
from sidecar.errors import StateError
from sidecar.preset import About, Preset

UNSAFE: Final = str.maketrans(dict.fromkeys('\\*?/:<>|"', "_") | {chr(code): "_" for code in (*range(32), 127)})
"""What no file system and no host takes in a file's name (VST 3 preset locations), and control characters."""

MAX_STEM: Final = 200
"""UTF-8 bytes; file systems take 255 with the longest suffix that is added."""


def factory_folder() -> Path:
    """Where the factory presets are: beside the packages in a clone, inside `sidecar` in an installed wheel."""
    package = Path(__file__).resolve().parent
    inside = package / "presets"
    return inside if inside.is_dir() else package.parent / "presets"


def user_folder() -> Path:
    """Where the user's presets are: $DEMON_PRESET_DIR, else the user's data folder. It need not exist."""
    chosen = os.environ.get("DEMON_PRESET_DIR")
    return Path(chosen) if chosen else platformdirs.user_data_path("demon-bridge") / "presets"


def factory() -> list[Preset]:
    """Every factory preset, by file name.

    Raises:
        StateError: one of them is not valid; the text names the file.
    """
    paths = sorted(factory_folder().glob("*.json"))
    return [preset.read(path, "factory") for path in paths if path.name != "schema.json"]


def user() -> tuple[list[Preset], list[StateError]]:
    """The user's presets by file name, and what is wrong with the files that are none."""
    found: list[Preset] = []
    problems: list[StateError] = []
    for path in sorted(user_folder().glob("*.json")):
        try:
            found.append(preset.read(path, "user"))
        except StateError as error:
            problems.append(error)
    return found, problems


def presets() -> list[Preset]:
    """The factory's, then the user's; files that are no presets are left out."""
    return [*factory(), *user()[0]]


def find(wanted: str) -> Preset:
    """The preset of that id or name; an id goes before a name, upper and lower case are the same.

    Raises:
        StateError: there is none.
    """
    known, said = presets(), wanted.casefold()
    by_name = {text.casefold(): it for it in reversed(known) for text in (it.path.stem, it.about.name)}
    found = {it.id.casefold(): it for it in known}.get(said) or by_name.get(said)
    if found is not None:
        return found
    raise StateError(f"There is no preset {wanted!r}.", f"Use one of {', '.join(it.about.name for it in known)}.")


def stem(name: str) -> str:
    """A preset's name as the stem of a file.

    Raises:
        StateError: nothing of it can be one, or it is too long.
    """
    safe = name.strip().translate(UNSAFE).lstrip(".").rstrip(". ")
    if not safe or len(safe.encode()) > MAX_STEM:
        raise StateError(f"The preset name {name!r} cannot be a file's name.", "Use 1 to 64 letters.")
    return safe


def save(document: Document, about: About, *, replace: bool = False) -> Preset:
    """Keep the sound of a document as a preset of the user's.

    Args:
        document: its audio, clock and checkpoint are left out.
        about: what it says about itself.
        replace: put it in the place of the user's preset of that name.

    Raises:
        StateError: the name is taken or cannot be a file's, or the folder cannot be written.
    """
    name = stem(about.name)
    path = user_folder() / f"{name}.json"
    _refuse_taken(about.name, path, replace=replace)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _put(path, preset.content(document, about), replace=replace)
    except FileExistsError as error:
        raise _taken(about.name) from error
    except OSError as error:
        raise StateError(
            f"{path} cannot be written: {error.strerror}.", "Free space there, or set DEMON_PRESET_DIR."
        ) from error
    return preset.read(path, "user")


def delete(doomed: Preset) -> None:
    """Remove a preset of the user's.

    Raises:
        StateError: it is the factory's, or the file cannot be removed.
    """
    if not doomed.id.startswith("user/"):
        raise StateError(f"{doomed.about.name} is a factory preset.", "Delete presets of your own only.")
    try:
        doomed.path.unlink()
    except OSError as error:
        raise StateError(f"{doomed.path} cannot be removed: {error.strerror}.", "Make its folder writable.") from error


def _refuse_taken(name: str, path: Path, *, replace: bool) -> None:
    wanted = {name.casefold(), path.stem.casefold()}
    for known in presets():
        if not wanted & {known.about.name.casefold(), known.path.stem.casefold()}:
            continue
        if known.id.startswith("factory/"):
            raise StateError(f"{known.about.name} is a factory preset.", "Choose another name.")
        if not replace or known.path != path:
            raise _taken(known.about.name)


def _taken(name: str) -> StateError:
    return StateError(f"There is a preset {name!r} already.", "Choose another name, or replace it.")


def _put(path: Path, data: bytes, *, replace: bool) -> None:
    """Write as a whole or not at all. A reader never sees half a file, and a file that came first is not lost."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        part = Path(file.name)
        file.write(data)
    try:
        if replace:
            part.replace(path)
        else:
            path.hardlink_to(part)
    finally:
        part.unlink(missing_ok=True)
