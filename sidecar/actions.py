"""Acts: what a person asks of an instance beside edits of its document, as the change of the document that it makes.

An act changes nothing of the instance itself. What it returns takes the way of every change, so that it is refused or
taken as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from sidecar import exports, library, references, take_file
from sidecar.errors import MessageError, StateError
from sidecar.preset import About
from sidecar.source import canonical
from sidecar.sources import FILE, LEARN
from sidecar.take_file import Format
from sidecar.takes import CHOICES

if TYPE_CHECKING:
    from sidecar.document import Document
    from sidecar.ledger import Ledger
    from sidecar.takes import Takes

Role = Literal["timbre", "structure", "file"]
Slot = Literal["A", "B", "C"]
Json = dict[str, Any]
Errand = Callable[[], str]


@dataclass(frozen=True)
class Change:
    """What an act makes.

    Attributes:
        keys: a patch of the document.
        attachments: the FLAC that it names, by content hash.
        errand: what is left to do, which changes nothing here and may take seconds: writing a file. What it returns is
            for people.
    """

    keys: Json
    attachments: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    errand: Errand | None = None


@dataclass(frozen=True)
class Act:
    """What was asked for, and the state of the instance that some acts depend on.

    Attributes:
        arguments: JSON, not checked yet.
        attachments: bytes by name.
        document: the document with the values in force.
        mode: the source mode in force.
        ledger: what was rendered; None where there is no timeline yet.
        takes: the takes that are here.
    """

    arguments: Mapping[str, Any]
    attachments: Mapping[str, bytes]
    document: Document
    mode: int
    ledger: Ledger | None
    takes: Takes


def perform(verb: str, act: Act) -> Change:
    """What an act changes.

    Raises:
        MessageError: there is no such verb, or its arguments are not right.
        SidecarError: it cannot be done; the text says why.
    """
    action = _VERBS.get(verb)
    if action is None:
        raise MessageError(f"act: verb is {verb!r}.", "Update DEMON: plugin and sidecar must be of one version.")
    return action(act)


class _Reference(Struct):
    role: Role
    name: Annotated[str, Meta(min_length=1, max_length=256)]


class _Clear(Struct):
    role: Role


def _reference(act: Act) -> Change:
    wanted = _arguments("reference", act, _Reference)
    if len(act.attachments) != 1:
        raise MessageError(f"reference: {len(act.attachments)} attachments.", "Send the bytes of one audio file.")
    (data,) = act.attachments.values()
    source = references.read(data, wanted.name)
    keys: Json = {wanted.role: msgspec.to_builtins(source.entry)}
    if wanted.role == "file":
        keys["parameters"] = {"source_mode": FILE}
    return Change(keys, {source.hash: source.flac()})


def _clear_reference(act: Act) -> Change:
    wanted = _arguments("clear_reference", act, _Clear)
    keys: Json = {wanted.role: None}
    if wanted.role == "file" and act.mode == FILE:
        keys["parameters"] = {"source_mode": LEARN}
    return Change(keys)


class _Take(Struct):
    slot: Slot
    start: Annotated[int, Meta(ge=-(2**53), le=2**53)]
    end: Annotated[int, Meta(ge=-(2**53), le=2**53)]


class _Drop(Struct):
    slot: Slot


class _Export(Struct):
    slot: Slot
    format: Format


def _take(act: Act) -> Change:
    wanted = _arguments("take", act, _Take)
    if act.ledger is None:
        raise StateError("Nothing was heard yet.", "Play the span, then make the take.")
    first, audio = act.ledger.span(wanted.start, wanted.end)
    source = canonical(audio, first, act.ledger.rate, f"Take {wanted.slot}")
    if source is None:
        raise StateError("The take would be silent.", "Choose a span with sound in it.")
    made = {**msgspec.to_builtins(source.entry), "slot": wanted.slot}
    takes = sorted([*_other_takes(act, wanted.slot), made], key=itemgetter("slot"))
    return Change({"takes": takes}, {source.hash: source.flac()})


def _drop_take(act: Act) -> Change:
    wanted = _arguments("drop_take", act, _Drop)
    kept = _other_takes(act, wanted.slot)
    if len(kept) == len(act.document.fields.takes):
        raise StateError(f"There is no take {wanted.slot}.", "Choose one that `demon takes list` shows.")
    return Change({"takes": kept})


def _export_take(act: Act) -> Change:
    wanted = _arguments("export_take", act, _Export)
    audio = act.takes.audio.get(CHOICES[wanted.slot])
    if audio is None:
        raise StateError(f"There is no take {wanted.slot}.", "Make it first, or put its audio back.")
    return Change({}, errand=lambda: str(take_file.export(audio, wanted.format)))


def _other_takes(act: Act, slot: str) -> list[Json]:
    # as they are in the document: keys of a newer version stay
    takes: list[Json] = act.document.data.get("takes") or []
    return [take for take in takes if take["slot"] != slot]


class _Preset(About, frozen=True, kw_only=True):
    replace: bool = False


class _Loaded(Struct):
    id: Annotated[str, Meta(min_length=1, max_length=256)]


def _save_preset(act: Act) -> Change:
    wanted = _arguments("save_preset", act, _Preset)
    said = {name: getattr(wanted, name) for name in About.__struct_fields__}
    library.save(act.document, About(**said), replace=wanted.replace)
    exports.follow()
    return Change({})


def _load_preset(act: Act) -> Change:
    return Change(library.find(_arguments("load_preset", act, _Loaded).id).changes)


Arguments = TypeVar("Arguments", bound=Struct)


def _arguments(verb: str, act: Act, kind: type[Arguments]) -> Arguments:
    try:
        return msgspec.convert(act.arguments, kind)
    except msgspec.ValidationError as error:
        raise MessageError(f"{verb}: {error}.", "Send the keys that PROTOCOL section 2 lists for this verb.") from error


_VERBS: Final[Mapping[str, Callable[[Act], Change]]] = {
    "reference": _reference,
    "clear_reference": _clear_reference,
    "take": _take,
    "drop_take": _drop_take,
    "export_take": _export_take,
    "save_preset": _save_preset,
    "load_preset": _load_preset,
}
