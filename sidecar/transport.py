"""The transport of one instance: the pass that is about to open, the one that runs, and the one that stands by.

Knows positions, values and the timeline; neither the instance's health nor what is saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sidecar import protocol, rendering
from sidecar.ahead import AheadScore
from sidecar.ending import Endings
from sidecar.errors import TimelineError
from sidecar.frames import frame_of
from sidecar.look_ahead import LookAheadPass
from sidecar.opening import Opening, Point
from sidecar.passes import Pass
from sidecar.progress import Progress
from sidecar.publisher import Publisher, Send
from sidecar.standby import Standby
from sidecar.tempo import UNKNOWN
from sidecar.track import Memory

if TYPE_CHECKING:
    from sidecar.ledger import Ledger, Ledgers
    from sidecar.passage import Audio
    from sidecar.preparer import Preparer
    from sidecar.progress import Unit
    from sidecar.project import Project
    from sidecar.prompts import Prompts
    from sidecar.rendering import Rendering
    from sidecar.score import Score
    from sidecar.timeline import Timeline


class Transport:
    """Plays one project into one timeline.

    Args:
        project: what is rendered from.
        preparer: the engine, shared by all instances.
        ledgers: of all instances.
        send: sends the frames of a message to the plugin.

    Attributes:
        version: the control version.
        running: the pass that runs.
        opening: the pass that opens with its next block.
        ledger: what was heard lately; None before there is a timeline.
    """

    def __init__(self, project: Project, preparer: Preparer, ledgers: Ledgers, send: Send) -> None:
        self._project = project
        self._session = preparer.session
        self._ledgers = ledgers
        self._send = send
        self._standby = Standby(project, preparer, send)
        self._endings = Endings()
        self._memory = Memory()
        self._tempo = UNKNOWN
        self._timeline: Timeline | None = None
        self._publisher: Publisher | None = None
        self._number = 0
        self.version = 0
        self.running: Rendering | None = None
        self.opening: Opening | None = None
        self.ledger: Ledger | None = None

    @property
    def rate(self) -> int:
        """Host samples per second; 0 before there is a timeline."""
        return 0 if self._timeline is None else self._timeline.rate

    @property
    def run(self) -> Pass | None:
        """The pass that runs."""
        return None if self.running is None else self.running.run

    @property
    def standby(self) -> Rendering | None:
        """What was rendered ahead of the next pass."""
        return self._standby.rendering

    @property
    def stands(self) -> bool:
        """There is a timeline, and no pass."""
        return self._timeline is not None and self.running is None and self.opening is None

    @property
    def place(self) -> int:
        """The song frame at which it stands; 0 where nobody knows."""
        place = self._standby.place
        return 0 if place is None or not self.rate else frame_of(place, self.rate)

    @property
    def wait(self) -> float | None:
        """Seconds until a standby is to be made; None: there is none to make."""
        return self._standby.wait

    def is_of(self, number: int) -> bool:
        """Whether a record of pass `number` belongs to the latest one."""
        return number == self._number

    def mount(self, timeline: Timeline) -> None:
        """Render into this timeline from now on; no pass is left."""
        self._endings.forget()
        self._standby.forget()
        self._timeline = timeline
        self._publisher = Publisher(timeline, self._send)
        self._forget_heard()
        self.ledger = self._ledgers.open(timeline.rate)

    def close(self) -> None:
        """The plugin is gone."""
        self.forget()
        self._forget_heard()
        self._publisher = self._timeline = None

    def free(self, slots: Sequence[int]) -> None:
        """The plugin gives slots back."""
        if self._publisher is not None:
            self._publisher.free(slots)

    def follow(self, kind: int, song: int, value: float, aux: int) -> None:
        """The host says its tempo or metre, as in a record."""
        self._tempo = self._tempo.heard(kind, song, value, aux)

    def score(self) -> Score | None:
        """As `Project.score`, for a pass that begins now."""
        return self._project.score(self._tempo, self.rate)

    def stand(self, song: int) -> None:
        """It stands at this song sample."""
        self._standby.stand(song)

    def renew(self) -> None:
        """Something that a standby is made from changed."""
        self._standby.renew()

    def use(self, prompts: Prompts | None) -> None:
        """The project changed; what of it a pass takes over at once does so, prompts only where they are others."""
        if self.running is not None:
            if prompts is not None:
                self.running.run.use(prompts)
            self.running.run.play(self._project.takes)
        self._standby.renew()

    def point(self, number: int, point: Point) -> bool:
        """A parameter's point in a pass, quantised; whether the pass is to be opened now."""
        if number == 0 or number != self._number:
            return False
        key, song, value, ramp = point
        if self.opening is not None:
            self.opening.points.append(point)
            # whether a standby is the same is only known when every point at the start is
            return key == "source_mode" and song == self.opening.song and not self._standby.may_serve(song)
        if self.running is not None:
            self.running.run.point(key, song, value, ramp=ramp)
        return False

    def cover(self, song: int, samples: int) -> None:
        """So many samples of the pass came in from a song sample on, and every point before their end was given."""
        self._endings.elapse(samples)
        if self.opening is not None:
            self.opening.covered = song + samples
        if self.running is not None:
            self.running.run.cover(song + samples)

    def hear(self, song: int, samples: int, audio: Audio | None) -> None:
        """Input of the track in the pass; None where it was lost."""
        if self.running is not None:
            self.running.run.hear(song, samples, audio)

    def begin(self, opening: Opening) -> None:
        """A pass is about to open; the one before was ended.

        Raises:
            TimelineError: there is no timeline.
        """
        if self._timeline is None:
            raise TimelineError("A pass begins before there is a timeline.", "Send timeline first.")
        self._tempo = UNKNOWN  # what the host knows of it follows at once
        self._project.begin_pass(self._timeline.rate)
        self._number, self.opening = opening.number, opening
        self._endings.keep(opening.number, opening.latency)
        self._standby.leave()
        if opening.offline or opening.latency or self._memory.values:
            self._standby.drop()

    def defer(self, opening: Opening) -> None:
        """It opens later, with the tempo that is known now."""
        if not opening.due:
            opening.due, opening.tempo = True, self._tempo

    def take_opening(self) -> Opening | None:
        """The pass that is to open now, if one is."""
        opening, self.opening = self.opening, None
        return opening

    def open(self, opening: Opening) -> tuple[int, int] | None:
        """Open a pass: the span that it renders, empty where it is over; None without anything to render from.

        Raises:
            SidecarError, EngineError: as `Project.score`.
        """
        assert self._publisher is not None  # noqa: S101 - `begin` has looked
        score = self._score(opening)
        if score is None:
            return None
        if not opening.latency:
            started = self._standby.take(opening.song, score, opening.primed_values(self._project.values))
            if started is not None:
                return self._run(started, opening.later_points, opening.covered)
        self._publisher.forget(self._endings.numbers)
        started = rendering.begin(self._pass(opening, score), opening.number, self.rate)
        return self._run(started, opening.points, opening.covered)

    def opened(self, opening: Opening, span: tuple[int, int] | None, code: str) -> None:
        """Tell the plugin what became of an opening."""
        self._standby.drop()
        epoch = 0 if self._timeline is None else self._timeline.epoch
        start, end = span or (0, 0)
        wet = self.running is not None
        message = protocol.PassOpened(pass_=opening.number, epoch=epoch, start=start, end=end, wet=wet, code=code)
        self._send(protocol.encode(message))

    def advance(self) -> Unit:
        """Do the next unit of work that the running pass has due; what is heard before it comes first."""
        ending = self._endings.first
        due = self.running if ending is None else ending
        if due is None or self._publisher is None:
            return Progress.DONE
        step = due.advance(self._publisher)
        if self.ledger is not None:
            self._ledgers.keep(self.ledger, due.drain())
        self.version = max(self.version, due.run.control_version)
        if ending is None or step is not Progress.DONE:
            return step
        self._endings.leave()
        return Progress.WORKED

    def take_tick(self) -> int | None:
        """The frames per tick that the running pass chose, once; None where it chose none."""
        if self.running is None:
            return None
        chosen, self.running.chosen = self.running.chosen, None
        return chosen

    def stand_by(self) -> bool:
        """Do one unit of work ahead of the next pass; False when there is none now."""
        if not self.stands or self._endings.first or self._timeline is None or self._publisher is None:
            return False
        return self._standby.advance(self._timeline, self._publisher, self._tempo, self.version)

    def end(self, *, loop: bool = False, heard: bool = True) -> None:
        """The pass is over.

        Args:
            loop: a loop's next round follows.
            heard: what came in is still to be heard, if the pass has a look-ahead.
        """
        self._memory = self.running.run.remember() if self.running is not None and loop else Memory()
        if not heard:
            self._endings.forget()
        elif self.running is not None and self._endings.take(self.running):
            self.running = None
        self.drop()
        self.opening = None
        if self._timeline is not None:
            self._project.end_pass()

    def drop(self) -> None:
        """Give up the running pass."""
        if self.running is None:
            return
        self.running.run.close()
        self.running = None
        if self._publisher is not None:
            self._publisher.forget(self._endings.numbers)

    def forget(self) -> None:
        """Give up every pass and the standby."""
        self._endings.forget()
        self.drop()
        self._standby.forget()

    def _forget_heard(self) -> None:
        if self.ledger is not None:
            self._ledgers.close(self.ledger)
            self.ledger = None

    def _score(self, opening: Opening) -> Score | None:
        if opening.latency:
            return self._project.ahead(self._tempo, self.rate, opening.song, opening.latency)
        return self._project.score(opening.tempo or self._tempo, self.rate)

    def _pass(self, opening: Opening, score: Score) -> Pass:
        session, rate, song, version = self._session, self.rate, opening.song, self.version
        values, live = opening.first_values(self._project.values), not opening.offline
        if isinstance(score, AheadScore):
            return LookAheadPass(
                session, score, rate, song, values, latency=opening.latency, version=version, live=live
            )
        return Pass(session, score, rate, song, values, memory=self._memory, version=version, live=live)

    def _run(self, started: Rendering | None, points: Sequence[Point], covered: int | None) -> tuple[int, int]:
        if started is None:
            return 0, 0
        for key, song, value, ramp in points:
            started.run.point(key, song, value, ramp=ramp)
        if covered is not None:
            started.run.cover(covered)
        self.running = started
        return started.run.span
