"""`python -m sidecar`: what a plugin starts (`--spawned`), and what `demon sidecar` runs."""

import argparse
import os
import sys
from pathlib import Path

from sidecar.options import Options
from sidecar.supervisor import GRACE_S, run


def _parse(arguments: list[str]) -> Options:
    parser = argparse.ArgumentParser("python -m sidecar", description=__doc__)
    parser.add_argument("--spawned", action="store_true", help="started by a plugin: JSON logs, ends when unused")
    parser.add_argument("--checkpoint", help="bundled name, folder or hub id")
    parser.add_argument("--port", type=int, default=0, help="loopback port (default: a free one)")
    parser.add_argument("--run-dir", type=Path, help="run folder (default: the user's)")
    parser.add_argument("--grace", type=float, help="seconds without peers after which it ends")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.add_argument("--backend", default="eager", help="eager, compiled or auto")
    given = parser.parse_args(arguments)
    grace = given.grace
    if grace is None and given.spawned:
        grace = _grace(parser, os.environ.get("DEMON_SIDECAR_GRACE", str(GRACE_S)))
    return Options(
        checkpoint=given.checkpoint,
        port=given.port,
        run_dir=given.run_dir,
        grace=grace,
        threads=given.threads,
        backend=given.backend,
        for_people=not given.spawned,
    )


def _grace(parser: argparse.ArgumentParser, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        parser.error(f"DEMON_SIDECAR_GRACE is {text!r}: give a number of seconds")


if __name__ == "__main__":
    sys.exit(run(_parse(sys.argv[1:])))
