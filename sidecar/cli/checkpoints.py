"""`demon checkpoint`: fetch one from the hub, or check one that is here."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.output import OUT, print_json, progress

if TYPE_CHECKING:
    from engine.model.checkpoint import CheckpointInfo

app = typer.Typer(help="Fetch a checkpoint from the hub, or check one that is here.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
def fetch(name: Annotated[str, typer.Argument(help="owner/name or owner/name@revision.")], json: Json = False) -> None:
    """Download a checkpoint into the hub's cache and check it. A broken download resumes."""
    from engine.model.checkpoint import inspect
    from engine.model.hub import download

    with progress() as bar:
        task = bar.add_task(f"fetching {name}", total=1.0)
        folder = download(name, lambda what, share: bar.update(task, description=what, completed=share))
    _print(inspect(folder, name), json)


@app.command()
def check(
    name: Annotated[
        str | None, typer.Argument(help="A bundled name or a folder.", show_default="the bundled one")
    ] = None,
    json: Json = False,
) -> None:
    """Check every file of a checkpoint and print its id."""
    from engine.model.checkpoint import BUNDLED

    _print(locate(name or BUNDLED), json)


def locate(name: str) -> "CheckpointInfo":
    """The bundled checkpoint of that name or the one in that folder, checked file by file.

    Raises:
        CheckpointError: a file is missing or wrong.
    """
    from engine.model.checkpoint import bundled, inspect

    return inspect(bundled(name) or Path(name), name)


def _print(found: "CheckpointInfo", json: bool) -> None:
    if json:
        print_json(
            {
                "name": found.name,
                "id": found.id,
                "folder": str(found.folder),
                "turbo": found.is_turbo,
                "weight_bytes": found.weight_bytes,
            }
        )
    else:
        OUT.print(f"{found.id}: {found.weight_bytes / 1e6:.1f} MB, {found.folder}", markup=False)
