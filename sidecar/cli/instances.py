"""`demon instances`: which plugin instances the sidecar serves."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sidecar.cli.output import ERR, OUT, CommandError, print_json

if TYPE_CHECKING:
    from sidecar.client import Client
    from sidecar.protocol import InstanceEntry

PERIOD_S = 0.5  # as often as a person reads a table anew


def instances(
    watch: Annotated[bool, typer.Option("--watch", help="Go on showing it, until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the plugin instances that are connected, what they play and what they miss."""
    import msgspec

    from sidecar.client import Client

    if watch and json:
        raise CommandError("--watch is for people, --json for scripts", "use one of them", 2)
    with Client() as client:
        if watch:
            with suppress(KeyboardInterrupt):  # how a person ends it
                _watch(client)
            return
        found = client.instances()
    if json:
        print_json({"instances": [msgspec.to_builtins(entry) for entry in found]})
    elif found:
        OUT.print(_shown(found))
    else:
        ERR.print("the sidecar runs, no plugin is connected")


def _watch(client: "Client") -> None:
    if not OUT.is_terminal:
        for found in _changes(client):
            OUT.print(_shown(found))
            OUT.file.flush()
        return
    with Live(console=OUT, auto_refresh=False) as live:
        for found in _changes(client):
            live.update(_shown(found), refresh=True)


def _changes(client: "Client") -> "Iterator[list[InstanceEntry]]":
    shown = None
    while True:
        found = client.instances()
        if found != shown:
            yield found
        shown = found
        time.sleep(PERIOD_S)


def _shown(found: "list[InstanceEntry]") -> Group:
    table = Table("instance", "host", "rate", "state", "prompt A", "prompt B", box=None, pad_edge=False)
    for entry in found:
        texts = (entry.instance, entry.host, str(entry.rate), entry.state, entry.prompt_a, entry.prompt_b)
        table.add_row(*map(Text, texts))  # no markup: prompts and hosts may have brackets
    paces = [Text(f"{entry.instance[:8]}: {_pace(entry)}") for entry in found]
    said = [Text(f"{entry.instance[:8]}: {entry.text}") for entry in found if entry.text]
    missing = [
        Text(f"{entry.instance[:8]}: {item.kind} {item.name!r} is not on this machine. {item.fix}")
        for entry in found
        for item in entry.missing
    ]
    nobody = [] if found else [Text("the sidecar runs, no plugin is connected")]
    return Group(table, *nobody, *paces, *said, *missing)


def _pace(entry: "InstanceEntry") -> str:
    from sidecar.frames import FRAME_RATE

    if not entry.tick_frames:
        return "the tick is chosen with the next play"
    tick = f"a tick every {entry.tick_frames * 1000 // FRAME_RATE} ms"
    if not entry.sustained:
        return tick
    lag = f"{entry.lag / FRAME_RATE:.2f} s"
    return f"{tick}, {entry.ticks:.1f} a second now, {entry.sustained:.1f} sustained, lag {lag}"
