"""`demon eval`: how good a checkpoint is, on clips and prompts that it was not trained on."""

from enum import StrEnum
from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from sidecar import whole
from sidecar.cli.output import ERR, OUT, CommandError, progress


class Room(StrEnum):
    """What can be measured by itself."""

    vae = "vae"
    text = "text"
    cover = "cover"
    lanes = "lanes"


def evaluate(
    checkpoint: Annotated[
        str | None, typer.Option(help="A name, a folder or a hub id.", show_default="the bundled one")
    ] = None,
    only: Annotated[
        list[Room] | None, typer.Option(help="Measure this alone; may be given twice.", show_default="everything")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Seeds.", min=1, max=64, show_default="4, or 1 if quick")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only show that all runs: seconds, few clips.")] = False,
    threads: Annotated[int, typer.Option(help="Torch threads.", min=1, max=256)] = 1,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write a JSON document.")] = None,
    plots: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Also draw pictures; needs matplotlib.")] = None,
) -> None:
    """Measure how good a checkpoint is: its VAE, prompts alone, covers, every lane.

    On clips and prompts that it was not trained on, with the mean and the spread over seeds, beside real clips and
    chance. What each figure means is in docs/evaluation.md. Up to ten minutes.
    """
    if json is not None and not json.parent.is_dir():
        raise CommandError(f"{json.parent} is no folder", "make it, or write elsewhere", 2)
    if plots is not None and plots.exists() and not plots.is_dir():
        raise CommandError(f"{plots} is no folder", "name a folder for the pictures", 2)

    with progress() as bar:
        task = bar.add_task("loading", total=1.0)

        from engine.evaluation import plots as pictures
        from engine.evaluation import report, suite
        from engine.model.checkpoint import BUNDLED
        from engine.session import Session

        if plots is not None:
            pictures.check()
        with Session.open(checkpoint or BUNDLED, threads=threads) as session:
            found = suite.run(
                session,
                only=[str(room) for room in only or Room],
                seeds=seeds,
                quick=quick,
                watch=lambda what, share: bar.update(task, description=what, completed=share),
            )
            if json is not None:
                whole.write(json, (dumps(report.document(found), indent=2) + "\n").encode())
            if plots is not None:
                bar.update(task, description="drawing")
                for path in pictures.draw(plots, session, found):
                    ERR.print(f"drew {path}", markup=False)
    OUT.print(report.table(found), markup=False)
