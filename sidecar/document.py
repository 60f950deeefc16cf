"""The state document: what a project saves (docs/architecture.md, "The state document").

Knows JSON and ranges; knows neither the blob that carries a document nor the audio that its sources name. A document
keeps the JSON it came from, so that keys of a newer version survive, and gives typed, checked fields beside it.
"""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from sidecar.errors import StateError
from sidecar.parameters import TABLE
from sidecar.protocol import MAX_DOCUMENT, Hash

FORMAT: Final = "demon-state"
VERSION: Final = 1
MAX_SECONDS: Final = 600
"""Longest source, in seconds: 15000 frames, as far as the model goes."""

MIGRATIONS: Final[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}
"""From version n to n + 1, applied in order. Version 1 is the first."""

Text = Annotated[str, Meta(max_length=4096)]
Frames = Annotated[int, Meta(ge=1, le=250)]  # a tick or look-ahead of more than 10 s is a mistake


SUSTAINED_FRAMES: Final = 500
"""Region that a CPU core sustains live at 2 frames per tick: 12.5 forwards of 25 to 35 ms a second (docs/log.md)."""


class Clock(Struct, frozen=True, kw_only=True):
    """The virtual clock: frames per tick, ring depth, Euler steps, timestep shift, frames rendered ahead.

    `tick_frames` null leaves the pace to the length of the region, never to the machine: a project sounds the same
    on all of them.
    """

    tick_frames: Frames | None = None
    depth: Annotated[int, Meta(ge=1, le=8)] = 1
    steps: Annotated[int, Meta(ge=1, le=64)] = 8
    shift: Annotated[float, Meta(gt=0.0, le=100.0)] = 3.0
    lead_frames: Annotated[int, Meta(ge=4, le=250)] = (
        10  # a chunk that has begun must be complete: 3.2 frames at 16 kHz
    )

    def tick(self, region_frames: int) -> int:
        """Frames per tick over a region of so many frames."""
        return self.tick_frames or 2 * -(-region_frames // SUSTAINED_FRAMES)


class Prompts(Struct, frozen=True, kw_only=True):
    """Prompt A and prompt B."""

    a: Text = ""
    b: Text = ""


class SourceEntry(Struct, frozen=True, kw_only=True):
    """Canonical source audio by content hash: where in the song it starts, its rate, length and scale."""

    hash: Hash
    name: Text = ""
    start_frame: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)] = 0
    rate: Annotated[int, Meta(ge=16_000, le=384_000)]
    samples: Annotated[int, Meta(ge=1)]
    scale: Annotated[float, Meta(gt=0.0)]


class LoraEntry(Struct, frozen=True, kw_only=True):
    """A LoRA and how strongly it acts. Found by its hash, or by its name where there is none."""

    name: Annotated[str, Meta(min_length=1, max_length=256)]
    hash: Hash | None = None
    strength: Annotated[float, Meta(ge=-10.0, le=10.0)] = 1.0


class Fields(Struct, frozen=True, kw_only=True):
    """The keys of version 1, with their defaults."""

    format: str = FORMAT
    version: int = VERSION
    parameters: dict[str, float] = {}
    prompts: Prompts = Prompts()
    seed: Annotated[int, Meta(ge=0)] = 0
    clock: Clock = Clock()
    learned: SourceEntry | None = None
    file: SourceEntry | None = None
    loras: Annotated[list[LoraEntry], Meta(max_length=8)] = []
    checkpoint: Text = ""
    engine: Text = ""


MERGED: Final = ("parameters", "prompts", "clock")


class Document:
    """One immutable state document.

    Attributes:
        data: the JSON object, unknown keys included; not to be changed.
        fields: the typed keys of version 1.

    Raises:
        StateError: a field is not valid; the text names it and its value.
    """

    __slots__ = ("data", "fields")

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        self.data: dict[str, Any] = _migrate(dict(data or {}))
        self.fields: Fields = _check(self.data)

    def patch(self, changes: Mapping[str, Any]) -> "Document":
        """A new document: absent keys keep their value, null clears to the default, maps are merged key by key."""
        changes = _migrate(dict(changes))
        merged = dict(self.data)
        for key, value in changes.items():
            if value is None:
                merged.pop(key, None)
            elif key in MERGED:
                merged[key] = _merge(_object(key, merged.get(key)), _object(key, value))
            else:
                merged[key] = value
        return Document(merged)

    def parameter(self, key: str) -> float:
        """The plain value of a parameter: the document's, quantised, else the table's default."""
        spec = TABLE[key]
        return spec.quantise(self.fields.parameters.get(key, spec.default))

    def to_json(self) -> bytes:
        """Canonical bytes: every key of version 1 written out, keys sorted, so that equal documents are equal bytes."""
        known = msgspec.to_builtins(self.fields)
        parameters = {key: self.parameter(key) for key in TABLE.keys_saved}
        known["parameters"] = {**self.data.get("parameters", {}), **parameters}
        for key in ("prompts", "clock", "learned", "file"):
            if isinstance(self.data.get(key), dict):
                known[key] = {**self.data[key], **(known[key] or {})}
        known["loras"] = [{**old, **new} for old, new in zip(self.data.get("loras") or [], known["loras"], strict=True)]
        return msgspec.json.encode({**self.data, **known}, order="sorted")

    def adds_to(self, sent: Mapping[str, Any]) -> bool:
        """Whether whoever sent this document lacks something of it but parameters."""
        held = msgspec.json.decode(self.to_json())
        return any(sent.get(key) != value for key, value in held.items() if key != "parameters")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __repr__(self) -> str:
        return f"Document({self.to_json().decode()})"


def parse_json(data: bytes, what: str = "document") -> dict[str, Any]:
    """A JSON object within the bound of a document.

    Raises:
        StateError: too long, not JSON, or not an object.
    """
    if len(data) > MAX_DOCUMENT:
        raise StateError(f"The {what} is {len(data)} bytes.", f"Keep it within {MAX_DOCUMENT} bytes.")
    try:
        decoded = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateError(f"The {what} is not JSON: {error}.", "Save it again, or load another one.") from error
    try:
        return msgspec.convert(decoded, dict[str, Any])
    except msgspec.ValidationError as error:
        raise StateError(f"The {what} is not a JSON object.", "Wrap its keys in { }.") from error


def changed_parameters(changes: Mapping[str, Any]) -> list[str]:
    """The parameters that a checked patch names; null names all of them."""
    if "parameters" in changes and changes["parameters"] is None:
        return TABLE.keys_saved
    return list(_object("parameters", changes.get("parameters")))


def _object(key: str, value: object) -> dict[str, Any]:
    try:
        return msgspec.convert({} if value is None else value, dict[str, Any])
    except msgspec.ValidationError as error:
        raise StateError(f"{key} is not an object.", "Give its keys in { }.") from error


def _merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**old, **new}
    return {key: value for key, value in merged.items() if value is not None}


def _migrate(data: dict[str, Any]) -> dict[str, Any]:
    if data.get("format", FORMAT) != FORMAT:
        raise StateError(f"format is {data['format']!r}.", f'Load a document whose format is "{FORMAT}".')
    version = data.get("version", VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise StateError(f"version is {version!r}.", "Use version 1.")
    if version > VERSION:
        raise StateError(
            f"version is {version}, this DEMON reads up to {VERSION}.", "Update DEMON, then load this document again."
        )
    for step in range(version, VERSION):
        data = MIGRATIONS[step](data)
    return data


def _check(data: dict[str, Any]) -> Fields:
    try:
        fields = msgspec.convert({key: value for key, value in data.items() if value is not None}, Fields)
    except msgspec.ValidationError as error:
        raise StateError(f"The document is not valid: {error}.", "Correct this field, or leave it out.") from error
    for key, value in fields.parameters.items():
        _check_parameter(key, value)
    if fields.seed >= 2**64:
        raise StateError(f"seed is {fields.seed}.", "Use a seed below 2**64.")
    _check_loras(fields.loras)
    for name, source in (("learned", fields.learned), ("file", fields.file)):
        if source is not None:
            _check_source(name, source)
    return fields


def _check_parameter(key: str, value: float) -> None:
    spec = TABLE.get(key)
    if spec is None:  # of a newer version: kept, not used
        return
    if not math.isfinite(value) or not spec.min <= value <= spec.max:
        raise StateError(f"parameters.{key} is {value}.", f"Keep it between {spec.min:g} and {spec.max:g}.")


def _check_loras(loras: list[LoraEntry]) -> None:
    names = [lora.name for lora in loras]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise StateError(f"loras names {twice!r} twice.", "Name each LoRA once, with one strength.")
    if not all(math.isfinite(lora.strength) for lora in loras):
        raise StateError("loras has a strength that is not a finite number.", "Use a strength from -10 to 10.")


def _check_source(name: str, source: SourceEntry) -> None:
    if source.samples > MAX_SECONDS * source.rate:
        raise StateError(
            f"{name}.samples is {source.samples} at {source.rate} Hz.", f"Use a source of at most {MAX_SECONDS} s."
        )
    mantissa, exponent = math.frexp(source.scale)
    if mantissa != 0.5 or abs(exponent) > 126:
        raise StateError(f"{name}.scale is {source.scale}.", "Use a power of two, as canonical audio has.")
