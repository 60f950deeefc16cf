"""The schedule of a pass: at which frames it ticks, for which region, and when what it asks for is heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sidecar.windows import AFTER

if TYPE_CHECKING:
    from sidecar.course import Course
    from sidecar.fields import Clock


@dataclass(frozen=True)
class Schedule:
    """The document's clock over a course, in song frames.

    Attributes:
        clock: of the document.
        course: the regions.
        tick_frames: frames between two ticks.
    """

    clock: Clock
    course: Course
    tick_frames: int

    def ticks_at(self, frame: int) -> bool:
        """Whether a tick is due at a frame."""
        # long before the song nothing is heard: two generations ahead of its first window are enough
        first = self.course.start - self.clock.lead_frames - 2 * self.clock.steps * self.tick_frames
        return frame >= first and frame % self.tick_frames == 0

    def region_at(self, frame: int) -> int:
        """The region that a tick belongs to: the next one so early that it has a generation when it is first heard."""
        ahead = frame + self.clock.steps * self.tick_frames + self.clock.lead_frames + AFTER
        return self.course.heard(ahead, ahead + 1)[-1]

    def heard(self, frame: int) -> int:
        """The frame at which a generation that is asked for at a frame is first heard."""
        return frame + (self.clock.steps - 1) * self.tick_frames + self.clock.lead_frames

    def due(self, frame: int) -> int:
        """The last frame at which a window may begin that is rendered at a frame."""
        return frame + self.clock.lead_frames
