"""One plugin instance: applies its messages in order, plays its project, and says how it stands.

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
from sidecar import actions, protocol
from sidecar.actions import Act, Errand
from sidecar.document import parse_json
from sidecar.entry import entry_of
from sidecar.errors import LoraMissingError, SidecarError
from sidecar.health import Reporter, no_source
from sidecar.lookout import Lookout
from sidecar.opening import Opening
from sidecar.parameters import TABLE
from sidecar.project import Project
from sidecar.publisher import Send
from sidecar.records import Begin, End, Flag, Kind
from sidecar.scene import Scenes, view
from sidecar.transport import Transport
from sidecar.windows import Run

if TYPE_CHECKING:
    from sidecar.content import ContentStore
    from sidecar.ledger import Ledgers
    from sidecar.preparer import Preparer
    from sidecar.timeline import Capture, Timeline

Row = tuple[int, int, int, int, float, int, int]


class Instance:
    """The sidecar's side of one plugin instance.

    Args:
        name: its id, 32 hex digits.
        host: for people.
        preparer: the engine, shared by all instances.
        store: the content store.
        ledgers: of all instances.
        send: sends the frames of a message to the plugin.
    """

    def __init__(
        self, name: str, host: str, preparer: Preparer, store: ContentStore, ledgers: Ledgers, send: Send
    ) -> None:
        self.name = name
        self._host = host
        self._send = send
        self._log = structlog.get_logger().bind(instance=name[:8])
        self._project = Project(preparer, store)
        self._transport = Transport(self._project, preparer, ledgers, send)
        self._unsaved = False
        self._cold = False
        self._health = Reporter(send)
        self._scenes = Scenes(preparer.session)
        self._lookout = Lookout(self._project, self._health)

    @property
    def entry(self) -> protocol.InstanceEntry:
        """What the list of instances says about it."""
        return entry_of(self.name, self._host, self._project, self._transport, self._health)

    def open_timeline(self, timeline: Timeline) -> int:
        """Render into another timeline file; returns the control version."""
        self._transport.end()
        self._transport.mount(timeline)
        self._report()
        return self._transport.version

    def set_state(self, changes: bytes, attachments: Mapping[str, bytes], *, from_plugin: bool) -> int:
        """Merge a document into the one in force; returns the control version.

        Raises:
            StateError, ContentError, EngineError: it is not valid. Nothing is changed then.
        """
        proposal = self._project.propose(changes, attachments)
        run = self._transport.run
        prompts, missing = None, False
        try:
            prompts = None if run is None else self._project.new_prompts(proposal, run.score)
        except LoraMissingError:
            missing = True  # a project is kept whatever it names; the pass goes dry, and `_report` says why
        self._project.accept(proposal, from_plugin=from_plugin)
        self._lookout.notes = proposal.notes
        if missing:
            self._transport.drop()
        self._transport.version += 1
        self._transport.use(prompts)
        self._unsaved |= not from_plugin or proposal.document.adds_to(parse_json(changes))
        self._cold = True
        self._health.clear()
        self._report()
        return self._transport.version

    def act(
        self, verb: str, arguments: Mapping[str, Any], attachments: Mapping[str, bytes]
    ) -> tuple[int, Errand | None]:
        """Do what a person asked for; returns the control version, and what is left to do outside this thread.

        Raises:
            SidecarError, EngineError: it cannot be done. Nothing is changed then.
        """
        transport, project = self._transport, self._project
        act = Act(arguments, attachments, project.in_force, project.mode, transport.ledger, project.takes)
        change = actions.perform(verb, act)
        version = self.set_state(msgspec.json.encode(change.keys), change.attachments, from_plugin=False)
        return version, change.errand

    def watch(self, show: Send | None) -> int:
        """Show the scene to somebody from now on, None: to nobody; returns the control version."""
        self._scenes.watched(show)
        return self._transport.version

    def free(self, slots: Sequence[int]) -> None:
        """The plugin gives slots back."""
        self._transport.free(slots)

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
                case Kind.BLOCK if self._transport.is_of(number):
                    self._open()
                    self._transport.cover(song, aux)
                case Kind.CAPTURE:
                    capture = next(captures, None)
                    if self._transport.is_of(number):
                        audio = None if capture is None else capture.audio
                        self._hear(song, aux, audio, side=bool(flags & Flag.SIDE_CHAIN))
                case Kind.PASS:
                    self._transport.end(loop=aux == Begin.LOOP)
                    latency = max(round(value), 0)
                    self._transport.begin(Opening(number, song, bool(flags & Flag.OFFLINE), latency))
                case Kind.TEMPO | Kind.METRE:
                    self._transport.follow(kind, song, value, aux)
                case Kind.STOP if self._transport.is_of(number):
                    self._transport.end(heard=aux != End.FORGOTTEN)
                    self._report()
                case Kind.PLACE if self._transport.stands:
                    self._transport.stand(song)
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
            transport = self._transport
            self._scenes.send(view(transport.running, transport.standby, self._project, transport.place))
        return worked

    def stand_by(self) -> bool:
        """Do one unit of work ahead of the next pass; False when there is none now."""
        worked = self._transport.stand_by()
        if worked:
            self._scenes.changed()
        return worked

    @property
    def wait(self) -> float | None:
        """Seconds until there is work that nothing else announces; None: there is none to come."""
        waits = (self._transport.wait, self._lookout.wait, self._scenes.wait)
        return min((wait for wait in waits if wait is not None), default=None)

    def fail(self, code: str, text: str, fix: str) -> None:
        """The running pass ends; the plugin shows why."""
        self._log.error("failed", code=code, text=text)
        self._transport.forget()
        self._health.fail(code, text, fix)

    def close(self) -> None:
        """The plugin is gone."""
        self._transport.close()

    def _work(self) -> bool:
        if self._advance_pass():
            return True
        if self._project.learns:
            self._learn()
            return True
        opening = self._transport.opening
        if opening is not None and opening.due and not self._waits(opening):
            self._open()
            return True
        if self._unsaved:
            self._save()
            return True
        if self._lookout.look():
            self._find_again()
            return True
        return self._warm_up()

    def _point(self, parameter: int, number: int, song: int, value: float, *, ramp: bool) -> None:
        row = TABLE.by_id(parameter)
        if row is None:
            return
        plain = row.quantise(value)
        changed = row.target == "engine" and self._project.values[row.key] != plain
        self._project.move(row.key, plain)
        if changed and self._transport.stands:
            self._transport.renew()
        if self._transport.point(number, (row.key, song, plain, ramp)):
            self._open()

    def _hear(self, song: int, samples: int, audio: NDArray[np.float32] | None, *, side: bool) -> None:
        if self._transport.opening is not None and self._transport.opening.latency:
            self._open()
        self._project.capture(song, audio, side=side)
        if not side:
            self._transport.hear(song, samples, audio)

    def _open(self) -> None:
        opening = self._transport.opening
        if opening is None:
            return
        if opening.latency:
            self._finish_before(opening)
        elif self._waits(opening):
            self._transport.defer(opening)
            return
        self._transport.take_opening()
        span, code = None, ""
        try:
            self._project.look_again()
            span = self._transport.open(opening)
            code = "" if span is not None else no_source(self._project.mode)[0]
            code = code or ("" if self._transport.running else "past_region")
            self._health.clear()
        except (SidecarError, EngineError) as error:
            code = error.code
            self.fail(error.code, error.text, error.fix)
        self._transport.opened(opening, span, code)
        self._log.info("pass", number=opening.number, start=opening.song, span=span, code=code, offline=opening.offline)
        self._report()

    def _waits(self, opening: Opening) -> bool:
        # a script may bounce and save at once; in real time nobody is that quick
        return self._project.learns or (opening.offline and self._unsaved)

    def _finish_before(self, opening: Opening) -> None:
        # a pass with a look-ahead may be over before its turn came; it needs no learned source, but references
        while self._project.learns and (opening.offline or self._project.refers):
            self._learn()
        while opening.offline and self._unsaved:
            self._save()

    def _advance_pass(self) -> bool:
        step = self._transport.advance()
        self._keep_tick(self._transport.take_tick())
        if isinstance(step, Run):
            run = self._transport.run
            if run is not None:
                self._health.late(run.late, run.late_frames)
            return True
        return step.is_work

    def _keep_tick(self, frames: int | None) -> None:
        # what a person set meanwhile is not undone
        if frames is None or self._project.document.fields.clock.tick_frames is not None:
            return
        self._project.keep_tick(frames)
        self._transport.version += 1
        self._unsaved = True
        self._log.info("clock", tick_frames=frames)

    def _learn(self) -> None:
        for key, entry in self._project.learn().items():
            self._transport.version += 1
            self._unsaved = self._cold = True
            self._log.info("learned", key=key, source=entry.hash, samples=entry.samples)
            self._transport.renew()
            self._report()

    def _save(self) -> None:
        self._unsaved = False
        if self._project.encode():
            self._unsaved = True  # but not yet
            return
        document, attachments = self._project.to_save()
        version, values = self._transport.version, self._project.tell()
        message = protocol.DocumentChanged(version=version, attachments=list(attachments), values=values)
        self._send(protocol.encode(message, document, *attachments.values()))

    def _warm_up(self) -> bool:
        # encoding a region takes a second: better now than when the user presses play
        if not self._cold or not self._transport.stands:
            return False
        self._cold = False
        score = self._transport.score()
        self._cold = score is not None and score.prepare(0)
        return True

    def _find_again(self) -> None:
        self._log.info("found", missing=[item.name for item in self._project.missing])
        self._cold = True
        self._transport.renew()
        self._health.clear()
        self._report()

    def _report(self) -> None:
        self._scenes.changed()
        if self._transport.rate:
            self._lookout.report()
