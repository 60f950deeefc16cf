"""`demon train`: make a checkpoint like the one that ships, or a better one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.output import ERR, OUT, CommandError, progress

if TYPE_CHECKING:
    from engine.training.run.log import Row

STAGES = ("codec", "encode", "decoder", "flow")
EXPLAINED = """Train a small ACE-Step v1.5 checkpoint from nothing, on music that is composed and synthesised for it.

Nothing is downloaded and no recording is used. It runs in stages, each of which resumes where it was left:

codec: the VAE, which turns 40 ms of sound into 64 numbers and back.

encode: the corpus as such numbers, once.

decoder: the VAE's second half alone, on numbers that no longer move.

flow: the DiT and its text encoder, which learn to make music of noise.

At the end the checkpoint is written; demon eval says how good it is.
"""


class Bar:
    """A stage's progress: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, name: str, steps: int) -> None:
        """Begin to show a stage of some steps. It is made in the process that trains, so a training can pickle it."""
        self._name, self._steps = name, steps
        self._bar = progress()
        self._task = self._bar.add_task(name, total=steps)
        self._bar.start()

    def __call__(self, step: int, row: "Row") -> None:
        """Show that a step is done."""
        figures = "  ".join(f"{name} {value:.3f}" for name, value in row.items() if "held-out" not in name)
        self._bar.update(self._task, completed=step, description=f"{self._name}  {figures}")
        if self._bar.disable and (step % 100 == 0 or step == self._steps):
            ERR.print(f"{self._name} {step} of {self._steps}  {figures}", markup=False)
        if step == self._steps:
            self._bar.stop()


def train(
    stages: Annotated[
        list[str] | None, typer.Argument(help=f"Any of {', '.join(STAGES)}.", show_default="all, and the checkpoint")
    ] = None,
    *,
    folder: Annotated[Path, typer.Option(help="Where the training is kept; about 400 MB.")],
    recipe: Annotated[Path | None, typer.Option(help="A recipe.", show_default="that of the shipped one")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the checkpoint goes.", show_default="checkpoint, in the folder")
    ] = None,
    minutes: Annotated[float, typer.Option(help="Stop after so long; the next call goes on.", min=0.1)] = 1e6,
    workers: Annotated[int, typer.Option(help="Processes; one per core is best.", min=1, max=64)] = 2,
) -> None:
    """Train a checkpoint."""
    unknown = [name for name in stages or () if name not in STAGES]
    if unknown:
        raise CommandError(f"{unknown[0]} is no stage", f"name any of {', '.join(STAGES)}", 2)

    from engine.training import export
    from engine.training import recipe as recipes
    from engine.training import stages as made
    from engine.training.run.world import spread

    read = recipes.read(recipe or recipes.SHIPPED)
    for name in [stage for stage in STAGES if stage in (stages or STAGES)]:
        spread(made.STAGES[name], workers, read, folder, minutes, Bar)
        if name != "encode":  # which learns nothing
            _picture(folder / name)
        if not made.complete(name, read, folder):
            OUT.print(f"{name} is not complete. Run this again to go on.", markup=False)
            return
    if not stages:
        export.export(read, folder, out or folder / "checkpoint")
        OUT.print(f"{out or folder / 'checkpoint'}", markup=False)


def _picture(folder: Path) -> None:
    """Draw the run, where it can be drawn: a training must not fail for want of a picture."""
    from engine.errors import EngineError
    from engine.training.run import plot

    try:
        OUT.print(f"{plot.draw(folder)}", markup=False)
    except EngineError as error:
        ERR.print(f"no picture of {folder.name}: {error}", markup=False)
