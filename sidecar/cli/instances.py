"""`demon instances`: which plugin instances the sidecar serves."""

from typing import Annotated

import typer
from rich.table import Table

from sidecar.cli.output import ERR, OUT, print_json


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
    table = Table("instance", "host", "rate", "state", "prompt A", "prompt B", box=None, pad_edge=False)
    for entry in found:
        table.add_row(entry.instance, entry.host, str(entry.rate), entry.state, entry.prompt_a, entry.prompt_b)
    OUT.print(table)
    for entry in found:
        for item in entry.missing:
            OUT.print(
                f"{entry.instance[:8]}: {item.kind} {item.name!r} is not on this machine. {item.fix}", markup=False
            )
