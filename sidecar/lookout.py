"""The lookout: says what a project lacks on this machine, and looks for it again until it is there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from sidecar.errors import SidecarError
from sidecar.health import no_source

if TYPE_CHECKING:
    from sidecar.health import Reporter
    from sidecar.project import Project
    from sidecar.protocol import Missing

LOOK_S: Final = 2.0
"""Seconds between two looks: a person who has just copied a file waits no longer, and a look costs a few stats."""


class Lookout:
    """How a project stands on this machine.

    Args:
        project: the project.
        health: where that is said.

    Attributes:
        notes: what the last change could not keep as it was, in sentences.
    """

    def __init__(self, project: Project, health: Reporter) -> None:
        self._project = project
        self._health = health
        self._due: float | None = None
        self._missing: list[Missing] = []
        self.notes: tuple[str, ...] = ()

    @property
    def wait(self) -> float | None:
        """Seconds until the next look; None: nothing is missing."""
        return None if self._due is None else max(self._due - time.monotonic(), 0.0)

    def look(self) -> bool:
        """Look if it is time; whether something was found since the last report, by this look or another."""
        if self.wait != 0.0:
            return False
        self._due = time.monotonic() + LOOK_S
        self._project.look_again()
        return self._project.missing != self._missing

    def report(self) -> None:
        """Say whether there is something to render from, and what is missing."""
        missing = self._missing = self._project.missing
        self._due = time.monotonic() + LOOK_S if missing else None
        if missing:
            names = ", ".join(f"{item.kind} {item.name!r}" for item in missing)
            self._health.note("missing_content", f"Not on this machine: {names}.", missing[0].fix)
        else:
            self._health.note(*("migrated", " ".join(self.notes), "Save the project.") if self.notes else ())
        try:
            if self._project.is_wet:
                self._health.ready()
            else:
                self._health.dry(*no_source(self._project.mode))
        except SidecarError as error:
            self._health.fail(error.code, error.text, error.fix)
