"""`demon instances`: which plugin instances the sidecar serves."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sidecar.cli.output import ERR, OUT, print_json
from sidecar.frames import FRAME_RATE

if TYPE_CHECKING:
    from sidecar.protocol import InstanceEntry


def instances(json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """List the plugin instances that are connected."""
    import msgspec

    from sidecar.client import Client

    with Client() as client:
        found = client.instances()
    if json:
        print_json({"instances": [msgspec.to_builtins(entry) for entry in found]})
        return
    if not found:
        ERR.print("the sidecar runs, no plugin is connected")
        return
    names = ("instance", "host", "rate", "state", "tick", "ticks/s", "lag", "prompt A", "prompt B")
    table = Table(*names, box=None, pad_edge=False)
    for entry in found:
        pace = (_tick(entry), _ticks(entry), f"{entry.lag / FRAME_RATE:.2f} s")
        table.add_row(entry.instance, entry.host, str(entry.rate), entry.state, *pace, entry.prompt_a, entry.prompt_b)
    OUT.print(table)
    for entry in found:
        for item in entry.missing:
            OUT.print(
                f"{entry.instance[:8]}: {item.kind} {item.name!r} is not on this machine. {item.fix}", markup=False
            )


def _tick(entry: "InstanceEntry") -> str:
    return f"{entry.tick_frames * 1000 // FRAME_RATE} ms" if entry.tick_frames else "automatic"


def _ticks(entry: "InstanceEntry") -> str:
    """What there is, of what this machine sustains."""
    return f"{entry.ticks:.1f} of {entry.sustained:.1f}" if entry.sustained else f"{entry.ticks:.1f}"
