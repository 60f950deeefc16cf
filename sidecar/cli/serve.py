"""`demon sidecar`: the service in the foreground, for people."""

from typing import Annotated

import typer

from sidecar.cli.output import CommandError


def sidecar(
    checkpoint: Annotated[
        str | None, typer.Option(help="Bundled name, folder or hub id.", show_default="the bundled one")
    ] = None,
) -> None:
    """Run the sidecar in the foreground, with logs for people; Ctrl-C ends it."""
