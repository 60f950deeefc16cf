"""`demon presets`: what is there, each one validated."""

from typing import Annotated

import typer
from rich.table import Table

from sidecar.cli.output import OUT, print_json


def presets(json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """List the factory presets."""
    from sidecar.cli import library

    found = library.factory()
    if json:
        print_json(
            {
                "presets": [
                    {
                        "name": preset.about.name,
                        "author": preset.about.author,
                        "tags": preset.about.tags,
                        "description": preset.about.description,
                        "path": str(preset.path),
                    }
                    for preset in found
                ]
            }
        )
        return
    table = Table("name", "tags", "description", box=None, pad_edge=False)
    for preset in found:
        table.add_row(preset.about.name, ", ".join(preset.about.tags), preset.about.description)
    OUT.print(table)
