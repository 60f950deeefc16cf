"""The state document: what a project saves (docs/architecture.md, "The state document").

Knows JSON and ranges; knows neither the blob that carries a document nor the audio that its sources name. A document
keeps the JSON it came from, so that keys of a newer version survive, and gives typed, checked fields beside it.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

from sidecar.errors import StateError
from sidecar.fields import Fields, check
from sidecar.migrations import migrate
from sidecar.parameters import TABLE
from sidecar.protocol import MAX_DOCUMENT

MERGED: Final = ("parameters", "prompts", "song", "clock")
KEEPS_NULL: Final = ("song",)
"""Where null is a value of its own, which a patch sets instead of clearing."""


class Document:
    """One immutable state document.

    Attributes:
        data: the JSON object, unknown keys included; not to be changed.
        fields: the typed keys.
        notes: what the migration of an earlier version could not keep as it was, in sentences.

    Raises:
        StateError: a field is not valid; the text names it and its value.
    """

    __slots__ = ("data", "fields", "notes")

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        self.data: dict[str, Any]
        self.data, self.notes = migrate(dict(data or {}))
        self.fields: Fields = check(self.data)

    def patch(self, changes: Mapping[str, Any]) -> "Document":
        """A new document: absent keys keep their value, null clears to the default, maps are merged key by key."""
        changes, notes = migrate(dict(changes))
        merged = dict(self.data)
        for key, value in changes.items():
            if value is None:
                merged.pop(key, None)
            elif key in MERGED:
                merged[key] = _merge(_object(key, merged.get(key)), _object(key, value), key in KEEPS_NULL)
            else:
                merged[key] = value
        patched = Document(merged)
        patched.notes = notes
        return patched

    def parameter(self, key: str) -> float:
        """The plain value of a parameter: the document's, quantised, else the table's default."""
        spec = TABLE[key]
        return spec.quantise(self.fields.parameters.get(key, spec.default))

    def to_json(self) -> bytes:
        """Canonical bytes: every key of this version written out, keys sorted: equal documents are equal bytes."""
        known = msgspec.to_builtins(self.fields)
        known["parameters"] |= {key: self.parameter(key) for key in TABLE.keys_saved}
        return msgspec.json.encode(_over(self.data, known), order="sorted")

    def adds_to(self, sent: Mapping[str, Any]) -> bool:
        """Whether whoever sent this lacks something of the document but parameters.

        A whole document has `format`; a patch has not, and lacks nothing but what became of its own keys.
        """
        held = msgspec.json.decode(self.to_json())
        keys = held if "format" in sent else sent
        return any(sent.get(key) != held.get(key) for key in keys if key != "parameters")

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
    changes, _ = migrate(dict(changes))
    if "parameters" in changes and changes["parameters"] is None:
        return TABLE.keys_saved
    return list(_object("parameters", changes.get("parameters")))


def _object(key: str, value: object) -> dict[str, Any]:
    try:
        return msgspec.convert({} if value is None else value, dict[str, Any])
    except msgspec.ValidationError as error:
        raise StateError(f"{key} is not an object.", "Give its keys in { }.") from error


def _merge(old: Mapping[str, Any], new: Mapping[str, Any], keeps_null: bool) -> dict[str, Any]:
    merged = {**old, **new}
    return {key: value for key, value in merged.items() if value is not None or keeps_null}


def _over(held: Any, known: Any) -> Any:
    """What is known, laid over what is held: keys that only the latter has survive, at every depth."""
    if isinstance(held, dict) and isinstance(known, dict):
        old, new = cast("dict[str, Any]", held), cast("dict[str, Any]", known)
        return {**old, **{key: _over(old.get(key), value) for key, value in new.items()}}
    if isinstance(held, list) and isinstance(known, list):
        pairs = zip(cast("list[Any]", held), cast("list[Any]", known), strict=True)
        return [_over(old, new) for old, new in pairs]
    return known
