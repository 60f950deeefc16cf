"""Documents of earlier versions, brought to this one; whole documents and patches alike.

The shim migrates what a host loads with the same rules (`migrate.rs`); the golden file state-v1.json holds both to it.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, cast

import msgspec
from msgspec import Meta, Struct

from sidecar.errors import StateError
from sidecar.fields import FORMAT, SLOTS, VERSION
from sidecar.parameters import TABLE

Json = dict[str, Any]
Notes = list[str]


def migrate(data: Json) -> tuple[Json, tuple[str, ...]]:
    """A document of any version as one of this version, and what could not be kept as it was.

    Args:
        data: a document, or part of one; without `version` it is of this version.

    Raises:
        StateError: of another format, of a newer version, or what is moved is not valid.
    """
    if data.get("format", FORMAT) != FORMAT:
        raise StateError(f"format is {data['format']!r}.", f'Load a document whose format is "{FORMAT}".')
    version = data.get("version", VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise StateError(f"version is {version!r}.", f"Use a version from 1 to {VERSION}.")
    if version > VERSION:
        raise StateError(
            f"version is {version}, this DEMON reads up to {VERSION}.", "Update DEMON, then load this document again."
        )
    notes: Notes = []
    for step in range(version, VERSION):
        data = {**_MIGRATIONS[step](data, notes), "version": step + 1}
    return data, tuple(notes)


class _Lora(Struct):
    """A LoRA of version 1."""

    name: str
    strength: Annotated[float, Meta(ge=-10.0, le=10.0)] = 1.0


class _Clock(Struct):
    """The clock of version 1, as far as it moves."""

    shift: Annotated[float, Meta(gt=0.0, le=100.0)] | None = 3.0


class _Moved(Struct):
    """The keys of version 1 that hold what version 2 has as parameters."""

    loras: Annotated[list[_Lora], Meta(max_length=SLOTS)] | None = None
    clock: _Clock | None = None
    parameters: dict[str, Any] | None = None


def _strengths_and_shift(data: Json, notes: Notes) -> Json:
    """1 to 2: strengths of LoRAs and the shift of the clock become parameters, so that a lane can move them."""
    try:
        old = msgspec.convert(data, _Moved)
    except msgspec.ValidationError as error:
        raise StateError(f"The document is not valid: {error}.", "Correct this field, or leave it out.") from error
    found = {
        f"lora_{n}": _within(f"lora_{n}", lora.strength, f"The strength of LoRA '{lora.name}'", notes)
        for n, lora in enumerate(old.loras or [], start=1)
    }
    if "clock" in data and (old.clock is None or old.clock.shift is None):
        found["shift"] = TABLE["shift"].default
    elif old.clock is not None and "shift" in data["clock"]:
        found["shift"] = _within("shift", old.clock.shift or 3.0, "clock.shift", notes)
    moved = {key: _without(data[key], name) for key, name in (("loras", "strength"), ("clock", "shift")) if key in data}
    return {**data, **moved, **_with_parameters(data, found)}


def _within(key: str, value: float, what: str, notes: Notes) -> float:
    row = TABLE[key]
    kept = min(max(value, row.min), row.max)
    if kept != value:
        notes.append(f"{what} was {value:g} and is now {kept:g}.")
    return kept


def _without(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return [_without(item, name) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: inner for key, inner in cast("Json", value).items() if key != name}
    return value


def _with_parameters(data: Json, found: Mapping[str, float]) -> Json:
    if not found:
        return {}
    given = data.get("parameters")
    if given is None and "parameters" in data:  # null clears all of them
        given = dict.fromkeys(TABLE.keys_saved)
    return {"parameters": {**(given or {}), **found}}


_MIGRATIONS: Final[Mapping[int, Callable[[Json, Notes], Json]]] = {1: _strengths_and_shift}
"""From version n to n + 1, applied in order."""
