"""The engine thread: the only one that touches the engine. Instances take turns, one unit of work each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

import structlog

from engine import EngineError
from sidecar import protocol
from sidecar.actions import Errand
from sidecar.audience import Audience
from sidecar.content import ContentStore
from sidecar.errors import InstanceError, SidecarError
from sidecar.instance import Instance, Row
from sidecar.ledger import Ledgers
from sidecar.preparer import Preparer
from sidecar.publisher import Send

if TYPE_CHECKING:
    from engine import Session
    from sidecar.timeline import Capture, Timeline

Job = Callable[[], None]
Done = int | tuple[int, Errand | None]
"""The control version that a command came to; with it, what is left to do."""

STOP_S: Final = 5.0
REPORT: Final = "See sidecar.log, and report it."


@dataclass(frozen=True)
class StateCommand:
    """A `state` message on its way to an instance."""

    id: int
    changes: bytes
    attachments: Mapping[str, bytes]
    from_plugin: bool


@dataclass(frozen=True)
class ActCommand:
    """An `act` message on its way to an instance."""

    id: int
    verb: str
    arguments: Mapping[str, Any]
    attachments: Mapping[str, bytes]


class EngineLoop:
    """Owns the instances. The methods may be called from any one other thread; they take effect in order.

    Args:
        session: an open engine session.
        store: the content store.
    """

    def __init__(self, session: Session, store: ContentStore) -> None:
        self._preparer = Preparer(session)
        self._store = store
        self._ledgers = Ledgers()
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._instances: dict[str, Instance] = {}
        self._audience = Audience()
        self._running = True
        self._log = structlog.get_logger()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the unit of work in progress, or leave it behind if that takes too long."""
        self._jobs.put(self._end)
        self._thread.join(STOP_S)

    def add(self, name: str, host: str, send: Send) -> None:
        """A plugin connected."""
        self._jobs.put(lambda: self._add(name, host, send))

    def remove(self, name: str) -> None:
        """A plugin is gone."""
        self._jobs.put(lambda: self._remove(name))

    def open_timeline(self, name: str, command: int, timeline: Timeline, reply: Send) -> None:
        """Render into this timeline from now on; answered by `applied`."""
        self._command(name, command, reply, lambda instance: instance.open_timeline(timeline))

    def set_state(self, name: str, command: StateCommand, reply: Send) -> None:
        """Change an instance's document; answered by `applied` or `failed`."""
        self._command(
            name,
            command.id,
            reply,
            lambda instance: instance.set_state(command.changes, command.attachments, from_plugin=command.from_plugin),
        )

    def act(self, name: str, command: ActCommand, reply: Send) -> None:
        """Do something with an instance; answered by `applied` or `failed`."""
        self._command(
            name,
            command.id,
            reply,
            lambda instance: instance.act(command.verb, command.arguments, command.attachments),
        )

    def watch(self, name: str, command: int, peer: bytes, *, on: bool, reply: Send) -> None:
        """Send a peer the instance's scenes from now on, or no more; answered by `applied` or `failed`."""
        self._command(name, command, reply, lambda instance: self._watch(instance, peer, reply if on else None))

    def unwatch(self, peer: bytes) -> None:
        """A peer is gone; nothing is shown to it any more."""
        self._jobs.put(lambda: self._unwatch(peer))

    def feed(self, name: str, rows: Sequence[Row], captures: Sequence[Capture | None]) -> None:
        """Automation records, and the captures that they announce."""
        self._jobs.put(lambda: self._with(name, lambda instance: instance.feed(rows, iter(captures))))

    def free(self, name: str, slots: Sequence[int]) -> None:
        """Slots that an instance may write again."""
        self._jobs.put(lambda: self._with(name, lambda instance: instance.free(slots)))

    def list(self, command: int, reply: Send) -> None:
        """Answer with the list of instances."""
        self._jobs.put(lambda: self._list(command, reply))

    def _run(self) -> None:
        while self._running:
            if not self._round() and self._running:
                self._rest()
            self._drain()

    def _round(self) -> bool:
        """A unit of work for each instance; only when there was none, one for one of those that stand by."""
        worked = False
        for name in list(self._instances):
            self._drain()
            worked |= self._turn(name, Instance.advance)
        return worked or any(self._turn(name, Instance.stand_by) for name in list(self._instances))

    def _rest(self) -> None:
        waits = [wait for instance in self._instances.values() if (wait := instance.wait) is not None]
        try:
            self._do(self._jobs.get(timeout=min(waits, default=None)))
        except Empty:
            return  # one that stands by has work now

    def _drain(self) -> None:
        while self._running and not self._jobs.empty():
            self._do(self._jobs.get())

    def _do(self, job: Job) -> None:
        try:
            job()
        except Exception:  # noqa: BLE001 - this thread must outlive whatever it is handed
            self._log.exception("job failed")

    def _turn(self, name: str, step: Callable[[Instance], bool]) -> bool:
        worked = False

        def advance(instance: Instance) -> None:
            nonlocal worked
            worked = step(instance)

        self._with(name, advance)
        return worked

    def _with(self, name: str, action: Callable[[Instance], object]) -> None:
        instance = self._instances.get(name)
        if instance is None:
            return
        try:
            action(instance)
        except (SidecarError, EngineError) as error:
            instance.fail(error.code, error.text, error.fix)
        except Exception as error:  # noqa: BLE001 - one instance's fault must not silence the others
            self._log.exception("instance failed", instance=name[:8])
            instance.fail("engine", f"{type(error).__name__}: {error}", REPORT)

    def _command(self, name: str, command: int, reply: Send, action: Callable[[Instance], Done]) -> None:
        def job() -> None:
            with self._refusals(name, command, reply):
                done = action(self._instance(name))
                version, errand = done if isinstance(done, tuple) else (done, None)
                if errand is None:
                    reply(protocol.encode(protocol.Applied(id=command, version=version)))
                else:
                    # writing a take would make windows late here
                    threading.Thread(target=run, args=(version, errand), name="errand", daemon=True).start()

        def run(version: int, errand: Errand) -> None:
            with self._refusals(name, command, reply):
                reply(protocol.encode(protocol.Applied(id=command, version=version, text=errand())))

        self._jobs.put(job)

    @contextmanager
    def _refusals(self, name: str, command: int, reply: Send) -> Generator[None]:
        try:
            yield
        except (SidecarError, EngineError) as error:
            reply(_failed(command, error.code, error.text, error.fix))
        except Exception as error:  # noqa: BLE001 - as in _with
            self._log.exception("command failed", instance=name[:8])
            reply(_failed(command, "engine", f"{type(error).__name__}: {error}", REPORT))

    def _instance(self, name: str) -> Instance:
        instance = self._instances.get(name)
        if instance is None:
            raise InstanceError(f"No instance {name} is connected.", "Ask for the list of instances.")
        return instance

    def _add(self, name: str, host: str, send: Send) -> None:
        self._instances[name] = Instance(name, host, self._preparer, self._store, self._ledgers, send)
        self._preparer.sharers = len(self._instances)

    def _remove(self, name: str) -> None:
        instance = self._instances.pop(name, None)
        if instance is not None:
            self._audience.close(name)
            instance.close()
            self._preparer.sharers = max(len(self._instances), 1)

    def _watch(self, instance: Instance, peer: bytes, show: Send | None) -> int:
        return instance.watch(self._audience.change(instance.name, peer, show))

    def _unwatch(self, peer: bytes) -> None:
        for name in self._audience.leave(peer):
            self._instances[name].watch(self._audience.sender(name))

    def _list(self, command: int, reply: Send) -> None:
        entries = [instance.entry for instance in self._instances.values()]
        reply(protocol.encode(protocol.InstanceList(id=command, instances=entries)))

    def _end(self) -> None:
        self._running = False
        for name in list(self._instances):
            self._remove(name)


def _failed(command: int, code: str, text: str, fix: str) -> list[bytes]:
    return protocol.encode(protocol.Failed(id=command, code=code, text=text, fix=fix))
