"""`demon takes`: the takes of a running plugin instance: make, list, drop, export."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sidecar.cli.control import choose
from sidecar.cli.output import ERR, OUT, CommandError, print_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sidecar.protocol import TakeInfo
    from sidecar.source import SourceAudio

app = typer.Typer(help="Takes: what was heard, kept as audio with the project.", no_args_is_help=True)

Wanted = Annotated[str | None, typer.Option("--instance", help="Which instance, by the start of its id.")]
Slot = Annotated[str, typer.Argument(help="A, B or C.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

SLOTS = ("A", "B", "C")


@app.command("list")
def list_takes(instance: Wanted = None, json: Json = False) -> None:
    """List the takes of an instance."""
    takes = _takes(instance)
    if json:
        import msgspec

        print_json({"takes": [msgspec.to_builtins(take) for take in takes]})
        return
    if not takes:
        ERR.print("there are no takes")
        return
    table = Table("take", "name", "from", "length", "rate", box=None, pad_edge=False)
    for take in takes:
        start, length = f"{take.start_frame / 25:.1f} s", f"{take.samples / take.rate:.1f} s"
        table.add_row(take.slot, take.name, start, length, str(take.rate))
    OUT.print(table)


@app.command()
def make(
    slot: Slot,
    start: Annotated[float, typer.Option(help="Song position in seconds.")],
    end: Annotated[float, typer.Option(help="Song position in seconds.")],
    instance: Wanted = None,
) -> None:
    """Keep what was heard last between two song positions."""
    from sidecar.client import Client

    with Client(timeout_s=60.0) as client:
        entry = choose(client.instances(), instance)
        span = {"start": round(start * entry.rate), "end": round(end * entry.rate)}
        client.act(entry.instance, "take", {"slot": _slot(slot), **span})
    OUT.print(f"take {_slot(slot)} of {entry.instance[:8]}", markup=False)


@app.command()
def drop(slot: Slot, instance: Wanted = None) -> None:
    """Remove a take from the project."""
    from sidecar.client import Client

    with Client() as client:
        entry = choose(client.instances(), instance)
        client.act(entry.instance, "drop_take", {"slot": _slot(slot)})


@app.command()
def export(
    slot: Slot,
    output: Annotated[Path, typer.Option("--output", "-o", help=".wav (32-bit float) or .flac (24-bit) to write.")],
    instance: Wanted = None,
) -> None:
    """Write a take as an audio file."""
    if output.suffix.lower() not in {".wav", ".flac"}:
        raise CommandError(f"{output} is neither .wav nor .flac", "name a file that ends in .wav or .flac", 2)
    wanted = _slot(slot)
    take = next((take for take in _takes(instance) if take.slot == wanted), None)
    if take is None:
        raise CommandError(f"there is no take {wanted}", "see demon takes list")
    _write(output, _audio(take))
    OUT.print(str(output), markup=False)


def _slot(given: str) -> str:
    slot = given.upper()
    if slot not in SLOTS:
        raise CommandError(f"{given!r} is no take", f"use one of {', '.join(SLOTS)}", 2)
    return slot


def _takes(instance: str | None) -> "list[TakeInfo]":
    from sidecar.client import Client

    with Client() as client:
        return choose(client.instances(), instance).takes


def _audio(take: "TakeInfo") -> "SourceAudio":
    import msgspec

    from sidecar.content import ContentStore
    from sidecar.fields import TakeEntry

    return ContentStore().get(msgspec.convert(msgspec.to_builtins(take), TakeEntry))


def _at_level(audio: "SourceAudio") -> "NDArray[np.int32]":
    """Canonical audio is kept as loud as 24 bits allow; a file that others play has the level that was heard."""
    import numpy as np

    return np.rint(audio.whole * audio.scale).astype(np.int32)


def _write(output: Path, audio: "SourceAudio") -> None:
    from sidecar.cli.audio import write_wav

    if output.suffix.lower() == ".wav":
        write_wav(output, audio.audio, audio.rate)
        return
    if audio.scale > 1.0:
        raise CommandError("the take is louder than full scale", "export it as .wav, which has room for that")
    temporary = output.with_name(f".{output.name}.part")
    try:
        temporary.write_bytes(replace(audio, whole=_at_level(audio), scale=1.0).flac())
        temporary.replace(output)
    except OSError as error:
        fix = "choose a folder that you can write to"
        raise CommandError(f"{output} cannot be written: {error.strerror}", fix) from error
