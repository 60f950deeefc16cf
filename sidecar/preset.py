"""One preset: a state document that says what it is and names no audio (docs/presets.md).

Knows the file's content; knows neither the folders that presets lie in (`sidecar.library`) nor the hosts that list
them (`sidecar.exports`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from sidecar.document import Document, parse_json
from sidecar.errors import StateError
from sidecar.fields import FORMAT, VERSION
from sidecar.parameters import TABLE

MAX_FILE: Final = 1 << 20
"""Bytes of a preset file: some hundred times what a document without audio needs. The shim reads no more either."""

AUDIO: Final = ("learned", "file", "timbre", "structure", "takes")
"""Keys that name audio: a preset never carries them into a project."""

KEPT: Final = ("prompts", "snapshots", "loras", "seed")
"""Keys beside `parameters` that are part of a sound; the others belong to the session (its clock, its checkpoint)."""

SOURCE_NONE: Final = 2.0  # `source_mode` of parameters.toml: Learn, File, None

Line = Annotated[str, Meta(max_length=64)]


class About(Struct, frozen=True, kw_only=True):
    """What a preset says about itself.

    Attributes:
        name: 1 to 64 characters.
        author: who made it.
        tags: words to find it by.
        description: what it does and what to play with, up to 400 characters.
        lanes: keys of the parameters that it invites to draw.
    """

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    author: Line = ""
    tags: Annotated[list[Line], Meta(max_length=32)] = []
    description: Annotated[str, Meta(max_length=400)] = ""
    lanes: Annotated[list[Line], Meta(max_length=64)] = []


@dataclass(frozen=True)
class Preset:
    """One preset, read and checked.

    Attributes:
        id: `factory/<file stem>` or `user/<file stem>`.
        path: its file.
        about: what it says about itself.
        data: the keys of a document that it names, in the current version.
    """

    id: str
    path: Path
    about: About
    data: Mapping[str, Any]

    @property
    def changes(self) -> dict[str, Any]:
        """What loading it changes, as a patch for a document.

        That is what it names, and the defaults of the parameters of a sound that it does not name (`session` in
        parameters.toml says which are no part of a sound), so that what was loaded before cannot be heard. LoRA
        strengths go with `loras`.
        """
        defaults = {
            row.key: row.default
            for row in TABLE
            if not row.session and row.curve != "status" and ("loras" in self.data or row.module != "LoRA")
        }
        return {**self.data, "parameters": {**defaults, **(self.data.get("parameters") or {})}}


def read(path: Path, kind: str) -> Preset:
    """The preset in a file; `kind` is "factory" or "user".

    Raises:
        StateError: it cannot be read, is not a valid document, or does not say its name. The text names the file.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE + 1)
    except OSError as error:
        raise StateError(
            f"The preset {path} cannot be read: {error.strerror}.", "Name a file that is there."
        ) from error
    if len(text) > MAX_FILE:
        raise StateError(f"{path.name} is longer than {MAX_FILE} bytes.", "Load a preset file.")
    found = Document(parse_json(text, f"preset {path.name}")).data
    try:
        about = msgspec.convert(found.get("preset"), About)
    except msgspec.ValidationError as error:
        raise StateError(f"{path.name}: preset: {error}.", "Give it a preset object with a name.") from error
    data = {key: value for key, value in found.items() if key not in {"preset", *AUDIO}}
    return Preset(f"{kind}/{path.stem}", path, about, data)


def content(document: Document, about: About) -> bytes:
    """The file of a preset that brings the sound of `document` back; indented JSON.

    Every parameter of the sound is written out, so that a later DEMON with other defaults changes nothing. Source mode
    is written where it is None: then there is no source to keep.
    """
    whole: dict[str, Any] = msgspec.json.decode(document.to_json())
    parameters = {row.key: document.parameter(row.key) for row in TABLE if not row.session and row.curve != "status"}
    if document.parameter("source_mode") == SOURCE_NONE:
        parameters["source_mode"] = SOURCE_NONE
    file = {
        "format": FORMAT,
        "version": VERSION,
        "preset": msgspec.to_builtins(about),
        "parameters": parameters,
        **{key: whole[key] for key in KEPT if key in whole},
    }
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"
