"""The command tree of `demon`, and what happens to an error that nobody handled."""

import sys
from typing import Annotated

import typer

from sidecar import __version__
from sidecar.cli import (
    bench,
    bounce,
    checkpoints,
    control,
    doctor,
    evaluate,
    graph,
    instances,
    plugin,
    presets,
    scene,
    serve,
    takes,
    train,
)
from sidecar.cli.output import OUT, report_error

app = typer.Typer(
    name="demon",
    help="Re-generate a track with ACE-Step, in time: the plugin's sidecar and its tools.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(serve.sidecar)
app.add_typer(plugin.app, name="plugin")
app.command()(bounce.bounce)
app.add_typer(bench.app, name="bench")
app.command("eval")(evaluate.evaluate)
app.command()(doctor.doctor)
app.command("set")(control.set_command)
app.command()(instances.instances)
app.command()(scene.scene)
app.add_typer(presets.app, name="presets")
app.add_typer(takes.app, name="takes")
app.add_typer(checkpoints.app, name="checkpoint")
app.add_typer(graph.app, name="graph")
app.command(help=train.EXPLAINED)(train.train)


def _version(wanted: bool) -> None:
    if wanted:
        OUT.print(f"demon {__version__}", markup=False)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Re-generate a track with ACE-Step, in time: the plugin's sidecar and its tools."""


def main() -> None:
    """Run `demon` with this process's arguments and leave with its exit code."""
    sys.exit(_run())


def _run() -> int:
    try:
        code: object = app(standalone_mode=False)
    except typer.TyperException as error:
        if str(error):
            report_error(error.format_message(), "run demon --help, or demon COMMAND --help")
        return error.exit_code
    except typer.Abort:
        return 130
    except Exception as error:
        fix = getattr(error, "fix", None)
        if not isinstance(fix, str):
            raise
        report_error(str(getattr(error, "text", error)), fix)
        return int(getattr(error, "exit_code", 1))
    return code if isinstance(code, int) else 0
