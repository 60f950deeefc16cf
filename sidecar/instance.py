"""One plugin instance: applies its messages in order, runs its passes, and says what it does.

Lives in the engine thread. Knows neither sockets nor other instances; `send` takes the frames of a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from engine import EngineError
from sidecar import actions, protocol, rendering
from sidecar.actions import Act
from sidecar.document import parse_json
from sidecar.errors import LoraMissingError, SidecarError, TimelineError
from sidecar.frames import frame_of
from sidecar.health import Reporter, no_source
from sidecar.ledger import Ledger
from sidecar.lookout import Lookout
from sidecar.opening import Opening
from sidecar.parameters import TABLE
from sidecar.passes import Progress
from sidecar.project import Project
from sidecar.publisher import Publisher, Send
from sidecar.records import Begin, Flag, Kind
from sidecar.scene import Scenes, view
from sidecar.standby import Standby
from sidecar.tempo import UNKNOWN
from sidecar.track import Memory
from sidecar.windows import Run

if TYPE_CHECKING:
    from sidecar.content import ContentStore
    from sidecar.material import Preparer
    from sidecar.rendering import Rendering
    from sidecar.score import Score
    from sidecar.timeline import Capture, Timeline

Row = tuple[int, int, int, int, float, int, int]


class Instance:
    """The sidecar's side of one plugin instance.

    Args:
        name: its id, 32 hex digits.
        host: for people.
        preparer: the engine, shared by all instances.
        store: the content store.
        send: sends the frames of a message to the plugin.
    """

    def __init__(self, name: str, host: str, preparer: Preparer, store: ContentStore, send: Send) -> None:
        self.name = name
        self._host = host
        self._preparer = preparer
        self._send = send
        self._log = structlog.get_logger().bind(instance=name[:8])
        self._project = Project(preparer, store)
        self._standby = Standby(self._project, preparer, send)
        self._version = 0
        self._memory = Memory()
        self._tempo = UNKNOWN
        self._timeline: Timeline | None = None
        self._publisher: Publisher | None = None
        self._opening: Opening | None = None
        self._running: Rendering | None = None
        self._number = 0
        self._unsaved = False
        self._cold = False
        self._health = Reporter(send)
        self._scenes = Scenes(preparer.session)
        self._lookout = Lookout(self._project, self._health)
        self._ledger: Ledger | None = None

    @property
    def entry(self) -> protocol.InstanceEntry:
        """What the list of instances says about it."""
        prompts = self._project.document.fields.prompts
        rate = self._timeline.rate if self._timeline else 0
        return protocol.InstanceEntry(
            instance=self.name,
            host=self._host,
            rate=rate,
            state=self._health.state,
            prompt_a=prompts.a,
            prompt_b=prompts.b,
            text=self._health.text,
            missing=self._project.missing,
            takes=self._project.take_infos,
        )

    def open_timeline(self, timeline: Timeline) -> int:
        """Render into another timeline file; returns the control version."""
        self._end_pass()
        self._standby.forget()
        self._timeline = timeline
        self._publisher = Publisher(timeline, self._send)
        self._ledger = Ledger(timeline.rate)
        self._report()
        return self._version

    def set_state(self, changes: bytes, attachments: Mapping[str, bytes], *, from_plugin: bool) -> int:
        """Merge a document into the one in force; returns the control version.

        Raises:
            StateError, ContentError, EngineError: it is not valid. Nothing is changed then.
        """
        proposal = self._project.propose(changes, attachments)
        running = None if self._running is None else self._running.run
        prompts, missing = None, False
        try:
            prompts = None if running is None else self._project.new_prompts(proposal, running.score)
        except LoraMissingError:
            missing = True  # a project is kept whatever it names; the pass goes dry, and `_report` says why
        self._project.accept(proposal)
        self._lookout.notes = proposal.notes
        if missing:
            self._drop_pass()
        self._version += 1
        if self._running is not None and prompts is not None:
            self._running.run.use(prompts)
        if self._running is not None:
            self._running.run.play(self._project.takes)
        self._standby.renew()
        self._unsaved |= not from_plugin or proposal.document.adds_to(parse_json(changes))
        self._cold = True
        self._health.clear()
        self._report()
        return self._version

    def act(self, verb: str, arguments: Mapping[str, Any], attachments: Mapping[str, bytes]) -> tuple[int, str]:
        """Do what a person asked for; returns the control version, and what else came of it, for people.

        Raises:
            SidecarError, EngineError: it cannot be done. Nothing is changed then.
        """
        act = Act(arguments, attachments, self._project.in_force, self._project.mode, self._ledger, self._project.takes)
        change = actions.perform(verb, act)
        version = self.set_state(msgspec.json.encode(change.keys), change.attachments, from_plugin=False)
        return version, change.text

    def watch(self, show: Send | None) -> int:
        """Show the scene to somebody from now on, None: to nobody; returns the control version."""
        self._scenes.watched(show)
        return self._version

    def free(self, slots: Sequence[int]) -> None:
        """The plugin gives slots back."""
        if self._publisher is not None:
            self._publisher.free(slots)

    def feed(self, rows: Sequence[Row], captures: Iterator[Capture | None]) -> None:
        """Apply automation records in order; `captures` has one element for each CAPTURE record.

        Raises:
            TimelineError: a pass begins before there is a timeline.
        """
        self._scenes.changed()
        for kind, parameter, number, song, value, aux, flags in rows:
            match kind:
                case Kind.POINT | Kind.RAMP:
                    self._point(parameter, number, song, value, ramp=kind == Kind.RAMP)
                case Kind.BLOCK if number == self._number:
                    self._cover(song + aux)
                case Kind.CAPTURE:
                    capture = next(captures, None)
                    if number == self._number:
                        audio = None if capture is None else capture.audio
                        self._hear(song, aux, audio, side=bool(flags & Flag.SIDE_CHAIN))
                case Kind.PASS:
                    offline, latency = bool(flags & Flag.OFFLINE), max(round(value), 0)
                    self._begin(Opening(number, song, offline, latency), loop=aux == Begin.LOOP)
                case Kind.TEMPO | Kind.METRE:
                    self._tempo = self._tempo.heard(kind, song, value, aux)
                case Kind.STOP if number == self._number:
                    self._end_pass()
                    self._report()
                case Kind.PLACE if self._stands:
                    self._standby.stand(song)
                case Kind.LOST:
                    self._log.warning("automation lost", pass_=number, song=song, records=aux)
                case _:
                    pass

    def advance(self) -> bool:
        """Do one unit of work; False when there is none now."""
        worked = self._work()
        if worked:
            self._scenes.changed()
        if self._scenes.wait == 0.0:
            self._scenes.send(view(self._running, self._standby.rendering, self._project, self._place))
        return worked

    def _work(self) -> bool:
        if self._advance_pass():
            return True
        if self._unsaved:
            self._save()
            return True
        if self._lookout.look():
            self._find_again()
            return True
        return self._warm_up()

    def stand_by(self) -> bool:
        """Do one unit of work ahead of the next pass; False when there is none now."""
        if not self._stands or self._timeline is None or self._publisher is None:
            return False
        worked = self._standby.advance(self._timeline, self._publisher, self._tempo, self._version)
        if worked:
            self._scenes.changed()
        return worked

    @property
    def wait(self) -> float | None:
        """Seconds until there is work that nothing else announces; None: there is none to come."""
        waits = (self._standby.wait, self._lookout.wait, self._scenes.wait)
        return min((wait for wait in waits if wait is not None), default=None)

    def fail(self, code: str, text: str, fix: str) -> None:
        """The running pass ends; the plugin shows why."""
        self._log.error("failed", code=code, text=text)
        self._drop_pass()
        self._standby.forget()
        self._health.fail(code, text, fix)

    def close(self) -> None:
        """The plugin is gone."""
        self._drop_pass()
        self._standby.forget()
        self._publisher = self._timeline = None

    @property
    def _stands(self) -> bool:
        return self._timeline is not None and self._running is None and self._opening is None

    def _point(self, parameter: int, number: int, song: int, value: float, *, ramp: bool) -> None:
        row = TABLE.by_id(parameter)
        if row is None:
            return
        plain = row.quantise(value)
        changed = row.target == "engine" and self._project.values[row.key] != plain
        self._project.values[row.key] = plain
        if changed and self._stands:
            self._standby.renew()
        if number == 0 or number != self._number:
            return
        if self._opening is not None:
            self._opening.points.append((row.key, song, plain, ramp))
            # whether a standby is the same is only known when every point at the start is
            if row.key == "source_mode" and song == self._opening.song and not self._standby.may_serve(song):
                self._open(self._opening)
        elif self._running is not None:
            self._running.run.point(row.key, song, plain, ramp=ramp)

    def _cover(self, end: int) -> None:
        if self._opening is not None:
            self._open(self._opening)
        if self._running is not None:
            self._running.run.cover(end)

    def _hear(self, song: int, samples: int, audio: NDArray[np.float32] | None, *, side: bool) -> None:
        if self._opening is not None and self._opening.latency:
            self._open(self._opening)
        self._project.capture(song, audio, side=side)
        if self._running is not None and not side:
            self._running.run.hear(song, samples, audio)

    def _begin(self, opening: Opening, *, loop: bool) -> None:
        if self._timeline is None:
            raise TimelineError("A pass begins before there is a timeline.", "Send timeline first.")
        self._end_pass(loop=loop)
        self._tempo = UNKNOWN  # what the host knows of it follows at once
        self._project.begin_pass(self._timeline.rate)
        self._number, self._opening = opening.number, opening
        self._standby.leave()
        if opening.offline or opening.latency or self._memory.values:
            self._standby.drop()

    def _open(self, opening: Opening) -> None:
        self._opening = None
        span, code = None, ""
        try:
            if opening.offline and self._unsaved:
                self._save()  # a script may bounce and save at once; in real time nobody is that quick
            self._project.look_again()
            span = self._start_ahead(opening) if opening.latency else self._start(opening)
            code = "" if span is not None else no_source(self._project.mode)[0]
            code = code or ("" if self._running else "past_region")
            self._health.clear()
        except (SidecarError, EngineError) as error:
            code = error.code
            self.fail(error.code, error.text, error.fix)
        self._standby.drop()
        wet = self._running is not None
        epoch = 0 if self._timeline is None else self._timeline.epoch
        start, end = span or (0, 0)
        message = protocol.PassOpened(pass_=opening.number, epoch=epoch, start=start, end=end, wet=wet, code=code)
        self._send(protocol.encode(message))
        self._log.info("pass", number=opening.number, start=opening.song, span=span, code=code, offline=opening.offline)
        self._report()

    def _start(self, opening: Opening) -> tuple[int, int] | None:
        """The span of the pass that began, empty where it is over; None without anything to render from."""
        assert self._timeline is not None and self._publisher is not None  # noqa: PT018, S101 - _begin has looked
        score = self._score()
        if score is None:
            return None
        started = self._standby.take(opening.song, score, opening.primed_values(self._project.values))
        if started is not None:
            return self._run(started, opening.later_points)
        self._publisher.forget()
        started = rendering.begin(
            self._preparer.session,
            score,
            self._timeline.rate,
            opening.song,
            opening.first_values(self._project.values),
            number=opening.number,
            version=self._version,
            live=not opening.offline,
            memory=self._memory,
        )
        return self._run(started, opening.points)

    def _start_ahead(self, opening: Opening) -> tuple[int, int] | None:
        """As `_start`, for a pass that is heard later than it is played."""
        assert self._timeline is not None and self._publisher is not None  # noqa: PT018, S101 - _begin has looked
        rate = self._timeline.rate
        score = self._project.ahead(self._tempo, rate, opening.song, opening.latency)
        if score is None:
            return None
        self._publisher.forget()
        started = rendering.begin_ahead(
            self._preparer.session,
            score,
            rate,
            opening.song,
            opening.first_values(self._project.values),
            latency=opening.latency,
            number=opening.number,
            version=self._version,
            live=not opening.offline,
        )
        return self._run(started, opening.points)

    def _run(self, started: Rendering | None, points: Sequence[tuple[str, int, float, bool]]) -> tuple[int, int]:
        if started is None:
            return 0, 0
        for key, song, value, ramp in points:
            started.run.point(key, song, value, ramp=ramp)
        self._running = started
        return started.run.span

    def _advance_pass(self) -> bool:
        if self._running is None or self._publisher is None:
            return False
        step = self._running.advance(self._publisher)
        if self._ledger is not None:
            self._ledger.add(self._running.drain())
        run = self._running.run
        self._version = max(self._version, run.control_version)
        if isinstance(step, Run):
            self._health.late(run.late, run.late_frames)
            return True
        return step is Progress.WORKED

    def _end_pass(self, *, loop: bool = False) -> None:
        self._memory = self._running.run.remember() if self._running is not None and loop else Memory()
        self._drop_pass()
        self._opening = None
        taught = self._project.end_pass(self._timeline.rate) if self._timeline is not None else {}
        for key, entry in taught.items():
            self._version += 1
            self._unsaved = self._cold = True
            self._log.info("learned", key=key, source=entry.hash, samples=entry.samples)

    def _drop_pass(self) -> None:
        if self._running is None:
            return
        self._running.run.close()
        self._running = None
        if self._publisher is not None:
            self._publisher.forget()

    def _save(self) -> None:
        self._unsaved = False
        document, attachments = self._project.to_save()
        message = protocol.DocumentChanged(version=self._version, attachments=list(attachments))
        self._send(protocol.encode(message, document, *attachments.values()))

    def _warm_up(self) -> bool:
        # encoding a region takes a second: better now than when the user presses play
        if not self._cold or not self._stands:
            return False
        self._cold = False
        score = self._score()
        self._cold = score is not None and score.prepare(0)
        return True

    @property
    def _place(self) -> int:
        place, rate = self._standby.place, 0 if self._timeline is None else self._timeline.rate
        return 0 if place is None or not rate else frame_of(place, rate)

    def _score(self) -> Score | None:
        assert self._timeline is not None  # noqa: S101 - nothing begins before there is one
        return self._project.score(self._tempo, self._timeline.rate)

    def _find_again(self) -> None:
        self._log.info("found", missing=[item.name for item in self._project.missing])
        self._cold = True
        self._standby.renew()
        self._health.clear()
        self._report()

    def _report(self) -> None:
        self._scenes.changed()
        if self._timeline is not None:
            self._lookout.report()
