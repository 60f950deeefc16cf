"""The standby: the start of the pass that play would begin, rendered while the transport stands.

What it renders is what that pass would render, bit for bit: a pass is a function of its material, start and values. So
time may decide when a standby is made, never what it sounds like.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from engine import EngineError
from sidecar import protocol, rendering
from sidecar.errors import SidecarError
from sidecar.parameters import TABLE
from sidecar.passes import Pass
from sidecar.progress import Progress

if TYPE_CHECKING:
    from sidecar.preparer import Preparer
    from sidecar.project import Project
    from sidecar.publisher import Publisher, Send
    from sidecar.rendering import Rendering
    from sidecar.score import Score
    from sidecar.tempo import Tempo
    from sidecar.timeline import Timeline

SETTLE_S: Final = 0.05
"""Seconds without a change before one is made: a knob that is being turned sends a value every block or two."""

LAST_NUMBER: Final = 2**20 - 1
"""Numbers count down from the largest that the page table tells apart; those of passes count up from 1."""


@dataclass(frozen=True, eq=False)
class _Made:
    """A standby, and what it was made from."""

    rendering: Rendering
    start: int
    score: Score
    values: Mapping[str, float]


class Standby:
    """The one standby of an instance.

    Args:
        project: what it is rendered from.
        preparer: the engine, shared by all instances.
        send: sends the frames of a message to the plugin.
    """

    def __init__(self, project: Project, preparer: Preparer, send: Send) -> None:
        self._project = project
        self._preparer = preparer
        self._send = send
        self._log = structlog.get_logger()
        self._place: int | None = None
        self._due: float | None = None
        self._made: _Made | None = None
        self._ready = False
        self._number = LAST_NUMBER

    @property
    def wait(self) -> float | None:
        """Seconds until a standby is to be made; None: there is none to make."""
        return None if self._due is None else max(self._due - time.monotonic(), 0.0)

    @property
    def rendering(self) -> Rendering | None:
        """What was made."""
        return None if self._made is None else self._made.rendering

    @property
    def place(self) -> int | None:
        """The song sample at which the transport stands; None: it rolls, or nobody knows."""
        return self._place

    def stand(self, song: int) -> None:
        """The transport stands at this song sample."""
        self._place = song
        self.renew()

    def leave(self) -> None:
        """The transport rolls; what was made may still be taken."""
        self._place = self._due = None

    def forget(self) -> None:
        """Where the transport stands is no longer known."""
        self.leave()
        self.drop()

    def renew(self) -> None:
        """Something that it is made from changed."""
        self.drop()
        self._due = None if self._place is None else time.monotonic() + SETTLE_S

    def drop(self) -> None:
        """Give up what was made."""
        if self._made is not None:
            self._made.rendering.run.close()
            self._made = None

    def may_serve(self, song: int) -> bool:
        """Whether there is one for this position; `take` says whether it is the right one."""
        return self._made is not None and self._made.start == song

    def take(self, song: int, score: Score, values: Mapping[str, float]) -> Rendering | None:
        """Hand over the standby for a live pass that begins so; None, and it is dropped, where it is not the same."""
        made, self._made = self._made, None
        if made is None:
            return None
        if made.start == song and made.score.equals(score) and made.values == _heard(values):
            return made.rendering
        made.rendering.run.close()
        return None

    def advance(self, timeline: Timeline, publisher: Publisher, tempo: Tempo, version: int) -> bool:
        """Do one unit of work; False when there is none now. A failure is left to the pass that would meet it too."""
        try:
            return self._make(timeline, publisher, tempo, version) if self.wait == 0.0 else self._go_on(publisher)
        except (SidecarError, EngineError) as error:
            self._log.warning("no standby", code=error.code, text=error.text)
            self.drop()
            return True

    def _make(self, timeline: Timeline, publisher: Publisher, tempo: Tempo, version: int) -> bool:
        self._due = None
        publisher.forget()
        if self._project.document.fields.look_ahead > 0.0:
            return False  # such a pass renders what it hears
        score, song = self._project.score(tempo, timeline.rate), self._place
        if score is None or song is None:
            return False
        values = _heard(self._project.values)
        run = Pass(self._preparer.session, score, timeline.rate, song, values, version=version, live=True)
        made = rendering.begin(run, self._number, timeline.rate)
        if made is None:
            return False
        self._number = self._number - 1 if self._number > LAST_NUMBER // 2 else LAST_NUMBER
        made.run.cover(song + 1)  # no further: what is in force there is known, what the host plays next is not
        self._made, self._ready = _Made(made, song, score, values), False
        start, end = made.run.span
        wet = protocol.PassOpened(pass_=0, epoch=timeline.epoch, start=start, end=end, wet=True, code="")
        self._send(protocol.encode(wet))
        return True

    def _go_on(self, publisher: Publisher) -> bool:
        if self._made is None:
            return False
        step = self._made.rendering.advance(publisher)
        working = not isinstance(step, Progress) or step.is_work
        if not working and not self._ready:
            self._ready = True
            self._log.info("standby", song=self._made.start, number=self._made.rendering.number)
        return working


def _heard(values: Mapping[str, float]) -> dict[str, float]:
    """The values that a rendering depends on."""
    return {row.key: values[row.key] for row in TABLE if row.target == "engine"}
