"""Progress: what one unit of a pass's work came to."""

from __future__ import annotations

from enum import Enum, auto

from sidecar.windows import Run


class Progress(Enum):
    """What a call of `advance` did when it rendered nothing.

    `PRIMED`: all that is due at the start is there, of a live pass whose document leaves the tick to the machine.
    """

    WORKED = auto()
    TICKED = auto()
    PRIMED = auto()
    WAITING = auto()
    DONE = auto()

    @property
    def is_work(self) -> bool:
        """Something was done, and there may be more to do."""
        return self not in {Progress.WAITING, Progress.DONE}


Unit = Run | Progress
