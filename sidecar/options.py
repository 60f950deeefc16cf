"""Options: how a sidecar is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a sidecar is run.

    Attributes:
        checkpoint: bundled name, folder or hub id; None for the bundled one.
        port: loopback port, 0 for a free one.
        run_dir: run folder; None for the user's.
        grace: seconds without peers after which it ends; None: never, a person ends it.
        threads: torch threads.
        backend: as in `engine.Session.open`.
        for_people: readable logs instead of JSON lines.
    """

    checkpoint: str | None = None
    port: int = 0
    run_dir: Path | None = None
    grace: float | None = None
    threads: int = 1
    backend: str = "eager"
    for_people: bool = True
