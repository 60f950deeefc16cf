"""The keys of the state document, their types and ranges (docs/architecture.md, "The state document").

Knows one document at a time; knows neither JSON bytes nor other versions of the document.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, cast

import msgspec
from msgspec import Meta, Struct

from sidecar.errors import StateError
from sidecar.parameters import TABLE
from sidecar.protocol import Hash

FORMAT: Final = "demon-state"
VERSION: Final = 2
MAX_SECONDS: Final = 600
"""Longest source, in seconds: 15000 frames, as far as the model goes."""

Text = Annotated[str, Meta(max_length=4096)]
Frames = Annotated[int, Meta(ge=1, le=250)]  # a tick or look-ahead of more than 10 s is a mistake
Follow = Literal["follow"]

SLOTS: Final = 8
"""LoRA slots and prompt snapshots: as many as parameters.toml has `lora_n` and steps of `prompt_snapshot`."""

MAX_LOOK_AHEAD: Final = 30.0
"""Seconds of declared latency: more than a host's delay compensation is known to hold is of no use to anyone."""

SUSTAINED_FRAMES: Final = 500
"""Region that the CPU of docs/log.md sustains live at 2 frames per tick: 12.5 forwards of 25 to 35 ms a second."""


class Clock(Struct, frozen=True, kw_only=True):
    """The virtual clock: frames per tick, ring depth, Euler steps, frames rendered ahead.

    `tick_frames` null: the first live pass chooses it from what the machine sustains, and the document keeps it. Until
    then a bounce goes by the length of the region, never by the machine, so that it is the same on all of them.
    """

    tick_frames: Frames | None = None
    depth: Annotated[int, Meta(ge=1, le=8)] = 1
    steps: Annotated[int, Meta(ge=1, le=64)] = 8
    lead_frames: Annotated[int, Meta(ge=4, le=250)] = (
        10  # a chunk that has begun must be complete: 3.2 frames at 16 kHz
    )

    def tick(self, region_frames: int) -> int:
        """Frames per tick over a region of so many frames, where no live pass has chosen them."""
        return self.tick_frames or 2 * -(-region_frames // SUSTAINED_FRAMES)


class Prompts(Struct, frozen=True, kw_only=True):
    """Prompt A and prompt B."""

    a: Text = ""
    b: Text = ""


class PromptSnapshot(Struct, frozen=True, kw_only=True):
    """A named pair of prompts that the parameter `prompt_snapshot` chooses."""

    name: Annotated[str, Meta(max_length=64)] = ""
    a: Text = ""
    b: Text = ""


class Song(Struct, frozen=True, kw_only=True):
    """What prompts say about the song: key, tempo, beats per bar. "follow" is what the host says, null says nothing."""

    key: Annotated[str, Meta(max_length=32)] = ""
    tempo: Annotated[float, Meta(ge=30.0, le=300.0)] | Follow | None = "follow"  # as ACE-Step's prompt format
    metre: Literal["follow", "2", "3", "4", "6"] | None = "follow"


class SourceEntry(Struct, frozen=True, kw_only=True):
    """Canonical source audio by content hash: where in the song it starts, its rate, length and scale."""

    hash: Hash
    name: Text = ""
    start_frame: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)] = 0
    rate: Annotated[int, Meta(ge=16_000, le=384_000)]
    samples: Annotated[int, Meta(ge=1)]
    scale: Annotated[float, Meta(gt=0.0)]


class TakeEntry(SourceEntry, frozen=True, kw_only=True):
    """A take: canonical audio that the parameter `take` plays in place of the live rendering."""

    slot: Literal["A", "B", "C"]


class LoraEntry(Struct, frozen=True, kw_only=True):
    """A LoRA in a slot. Found by its hash, or by its name where there is none; the n-th's strength is `lora_n`."""

    name: Annotated[str, Meta(min_length=1, max_length=256)]
    hash: Hash | None = None


class Fields(Struct, frozen=True, kw_only=True):
    """The keys of version 2, with their defaults."""

    format: str = FORMAT
    version: int = VERSION
    parameters: dict[str, float] = {}
    prompts: Prompts = Prompts()
    snapshots: Annotated[list[PromptSnapshot | None], Meta(max_length=SLOTS)] = []
    song: Song = Song()
    seed: Annotated[int, Meta(ge=0)] = 0
    clock: Clock = Clock()
    look_ahead: Annotated[float, Meta(ge=0.0, le=MAX_LOOK_AHEAD)] = 0.0
    learned: SourceEntry | None = None
    file: SourceEntry | None = None
    timbre: SourceEntry | None = None
    structure: SourceEntry | None = None
    takes: Annotated[list[TakeEntry], Meta(max_length=3)] = []
    loras: Annotated[list[LoraEntry | None], Meta(max_length=SLOTS)] = []
    checkpoint: Text = ""
    engine: Text = ""

    def audio(self) -> Iterator[tuple[str, SourceEntry]]:
        """Every audio that the document names, under the key that names it; a take's is `takes.<slot>`."""
        for key in SOURCES:
            entry: SourceEntry | None = getattr(self, key)
            if entry is not None:
                yield key, entry
        for take in self.takes:
            yield f"takes.{take.slot}", take


SOURCES: Final = ("learned", "file", "timbre", "structure")


def check(data: Mapping[str, Any]) -> Fields:
    """The typed keys of a document of this version.

    Raises:
        StateError: a field is not valid; the text names it and its value.
    """
    _check_moved(data)
    try:
        fields = msgspec.convert({key: value for key, value in data.items() if value is not None}, Fields)
    except msgspec.ValidationError as error:
        raise StateError(f"The document is not valid: {error}.", "Correct this field, or leave it out.") from error
    for key, value in fields.parameters.items():
        _check_parameter(key, value)
    if fields.seed >= 2**64:
        raise StateError(f"seed is {fields.seed}.", "Use a seed below 2**64.")
    _check_once("loras", [lora.name for lora in fields.loras if lora is not None], "Name each LoRA once.")
    _check_once("takes", [take.slot for take in fields.takes], "Keep one take in a slot.")
    for key, entry in fields.audio():
        _check_source(key, entry)
    return fields


def _check_moved(data: Mapping[str, Any]) -> None:
    # a strength that is kept as an unknown key would be silently without effect
    clock, loras = data.get("clock"), data.get("loras")
    if isinstance(clock, dict) and "shift" in clock:
        raise StateError("clock.shift is of version 1.", "Write parameters.shift, or say that the version is 1.")
    for number, lora in enumerate(cast("list[Any]", loras) if isinstance(loras, list) else [], start=1):
        if isinstance(lora, dict) and "strength" in lora:
            fix = f"Write parameters.lora_{number}, or say that the version is 1."
            raise StateError(f"loras[{number - 1}].strength is of version 1.", fix)


def _check_parameter(key: str, value: float) -> None:
    spec = TABLE.get(key)
    if spec is None:  # of a newer version: kept, not used
        return
    if not math.isfinite(value) or not spec.min <= value <= spec.max:
        raise StateError(f"parameters.{key} is {value}.", f"Keep it between {spec.min:g} and {spec.max:g}.")


def _check_once(key: str, names: list[str], fix: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise StateError(f"{key} names {twice!r} twice.", fix)


def _check_source(key: str, source: SourceEntry) -> None:
    if source.samples > MAX_SECONDS * source.rate:
        raise StateError(
            f"{key}.samples is {source.samples} at {source.rate} Hz.", f"Use audio of at most {MAX_SECONDS} s."
        )
    mantissa, exponent = math.frexp(source.scale)
    if mantissa != 0.5 or abs(exponent) > 126:
        raise StateError(f"{key}.scale is {source.scale}.", "Use a power of two, as canonical audio has.")
