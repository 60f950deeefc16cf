"""What every command says and where: results on stdout, progress and errors on stderr."""

import json
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


class CommandError(Exception):
    """A command that did not do what was asked: `str(error)` says what is wrong, `fix` what to do next.

    `exit_code` is 1 for something on this machine, 2 for something in the command line.
    """

    def __init__(self, text: str, fix: str, exit_code: int = 1) -> None:
        super().__init__(text)
        self.fix = fix
        self.exit_code = exit_code


def report_error(text: str, fix: str) -> None:
    """Print the two lines that every failure ends with."""
    ERR.print(Text.assemble(("error: ", "bold red"), text))
    ERR.print(Text.assemble(("next: ", "bold"), fix))


def print_json(value: Mapping[str, object]) -> None:
    """One JSON document on stdout, for scripts."""
    OUT.print(json.dumps(value, indent=2, ensure_ascii=False), markup=False)


def progress() -> Progress:
    """A progress bar on stderr; it draws nothing where stderr is no terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=ERR,
        disable=not ERR.is_terminal,
    )
