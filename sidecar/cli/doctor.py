"""`demon doctor`: what is installed, what is alive, and what to do about the rest."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from sidecar.cli.output import ERR, OUT, CommandError, print_json

_MARKS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "broken": ("broken", "bold red")}


def doctor(
    checkpoint: Annotated[
        str | None, typer.Option(help="Checkpoint to look at.", show_default="the bundled one")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say what is installed, built and alive, and what to do next. Ends with 1 when something needed is broken."""
    from engine.model.checkpoint import BUNDLED
    from sidecar.cli.checks import everything

    with ERR.status("looking around"):
        findings = list(everything(checkpoint or BUNDLED))
    broken = [finding for finding in findings if finding.level == "broken"]
    if json:
        print_json({"ok": not broken, "findings": [asdict(finding) for finding in findings]})
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            mark, style = _MARKS[finding.level]
            OUT.print(Text.assemble((f"{mark:<7}", style), f"{finding.name:<{width}}  {finding.text}"))
            if finding.fix:
                OUT.print(Text(f"{'':<7}{'':<{width}}  do this next: {finding.fix}", style="dim"))
    if broken:
        names = ", ".join(finding.name for finding in broken)
        raise CommandError(f"broken: {names}", broken[0].fix)
