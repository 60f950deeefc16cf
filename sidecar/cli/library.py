"""A preset as a person names it on the command line."""

from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.cli.output import CommandError

if TYPE_CHECKING:
    from sidecar.preset import Preset


def find(wanted: str) -> "Preset":
    """The preset of that name or id, or the file at that path.

    Raises:
        CommandError: there is neither.
        StateError: the file is not a valid preset.
    """
    from sidecar import library
    from sidecar.errors import StateError
    from sidecar.preset import read

    path = Path(wanted)
    if path.suffix == ".json" or path.is_file():
        return read(path, "user")
    try:
        return library.find(wanted)
    except StateError as error:
        raise CommandError(error.text, f"{error.fix} Or name a .json file.", 2) from error
