"""`demon takes`: the takes of a running plugin instance: make, list, drop, export."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sidecar.cli.control import choose
from sidecar.cli.output import ERR, OUT, CommandError, print_json

if TYPE_CHECKING:
    from sidecar.protocol import TakeInfo
    from sidecar.source import SourceAudio

app = typer.Typer(help="Takes: what was heard, kept as audio with the project.", no_args_is_help=True)

Wanted = Annotated[
    str | None,
    typer.Option("--instance", help="Which instance, by the start of its id.", show_default="the only one"),
]
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
    start: Annotated[float, typer.Option(help="Where it begins, in seconds of song.")],
    end: Annotated[float, typer.Option(help="Where it ends, in seconds of song.")],
    instance: Wanted = None,
) -> None:
    """Keep what was heard last between two song positions, in whole windows of 0.4 s."""
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
    from sidecar import take_file

    if output.suffix.lower().removeprefix(".") not in take_file.FORMATS:
        raise CommandError(f"{output} is neither .wav nor .flac", "name a file that ends in .wav or .flac", 2)
    wanted = _slot(slot)
    take = next((take for take in _takes(instance) if take.slot == wanted), None)
    if take is None:
        raise CommandError(f"there is no take {wanted}", "see demon takes list")
    take_file.write(output, _audio(take))
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
