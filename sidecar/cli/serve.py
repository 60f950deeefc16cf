"""`demon sidecar`: the service in the foreground, for people."""

from typing import Annotated

import typer


def sidecar(
    checkpoint: Annotated[
        str | None, typer.Option(help="Bundled name, folder or hub id.", show_default="the bundled one")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Of the processor, for the model.")] = 1,
    backend: Annotated[str, typer.Option(help="eager, compiled, or auto.")] = "eager",
) -> None:
    """Run the sidecar in the foreground, with logs for people; Ctrl-C ends it.

    Nobody needs to: the first plugin starts one, and the last one that leaves ends it.
    """
    from sidecar.options import Options
    from sidecar.supervisor import run

    code = run(Options(checkpoint=checkpoint, threads=threads, backend=backend))
    if code:
        raise typer.Exit(code)
