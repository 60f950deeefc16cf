"""The service: one socket for all peers. Checks what arrives, answers at once, hands the work to the engine thread.

Never waits for the engine, so that heartbeats and captures are served while it is busy.
"""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import structlog
import zmq

from sidecar import __version__, protocol
from sidecar.decoding import command_id, decode_peer
from sidecar.document import parse_json
from sidecar.engine_loop import ActCommand, EngineLoop, StateCommand
from sidecar.errors import InstanceError, MessageError, SidecarError
from sidecar.peers import Peer, Peers
from sidecar.records import Kind, Records, decode_free, decode_records
from sidecar.timeline import Capture, Timeline

if TYPE_CHECKING:
    from sidecar.publisher import Send

GLANCE_MS: Final = 250
"""How often silence, grace and the parent are looked at."""

Frames = list[bytes]


class Service:
    """Serves peers until it is stopped or, with a grace time, until nobody needs it any more.

    Args:
        loop: the engine thread's loop, started.
        checkpoint: its checkpoint's id.
        token: what peers must know.
        port: loopback port, 0 for a free one.
        grace: seconds without peers after which it ends; None: never.
        orphaned: whether the process that watches over this one is gone; then it ends with its last peer.
    """

    def __init__(
        self,
        loop: EngineLoop,
        *,
        checkpoint: str,
        token: str,
        port: int = 0,
        grace: float | None = None,
        orphaned: Callable[[], bool] = lambda: False,
    ) -> None:
        self._loop = loop
        self._checkpoint = checkpoint
        self._peers = Peers(token)
        self._grace = grace
        self._orphaned = orphaned
        self._log = structlog.get_logger()
        self._running = True
        self._needed = time.monotonic()
        self._outbox: deque[tuple[bytes, Frames]] = deque()
        self._bell, self._rope = socket.socketpair()
        for end in (self._bell, self._rope):
            end.setblocking(False)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(io_threads=1)
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self._socket.setsockopt(zmq.MAXMSGSIZE, protocol.MAX_ATTACHMENT)
        self._socket.bind(f"tcp://127.0.0.1:{port or '*'}")
        endpoint = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self.port = int(endpoint.rpartition(":")[2])

    def run(self) -> None:
        """Serve."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._bell, zmq.POLLIN)
        while self._running:
            for ready, _ in poller.poll(GLANCE_MS):
                if ready is self._socket:
                    self._receive()
                else:
                    self._bell.recv(4096)
            self._deliver()
            self._look_around(time.monotonic())

    def stop(self) -> None:
        """End `run` soon; safe in a signal handler and from any thread."""
        self._running = False
        self._ring()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        self._context.term()
        self._bell.close()
        self._rope.close()

    def _receive(self) -> None:
        while True:
            try:
                address, *frames = self._bounded(self._socket.recv_multipart(zmq.NOBLOCK))
            except zmq.Again:
                return
            self._handle(address, frames)

    def _bounded(self, frames: Frames) -> Frames:
        return frames[: protocol.MAX_FRAMES + 2]  # one more than allowed is enough to refuse it

    def _handle(self, address: bytes, frames: Frames) -> None:
        peer = self._peers.get(address)
        if peer is not None:
            peer.heard = time.monotonic()
        try:
            message, rest = decode_peer(frames)
            if isinstance(message, protocol.Hello):
                self._hello(address, message)
            elif peer is not None:
                self._dispatch(peer, message, rest)
            elif not self._peers.gave_up(address):
                raise InstanceError("This connection has not said hello.", "Say hello first.")
        except SidecarError as error:
            self._log.warning("refused", code=error.code, text=error.text)
            failed = protocol.Failed(id=command_id(frames), code=error.code, text=error.text, fix=error.fix)
            self._send(address, protocol.encode(failed))

    def _hello(self, address: bytes, hello: protocol.Hello) -> None:
        peer, replaced = self._peers.admit(address, hello, time.monotonic())
        if replaced is not None and replaced.is_plugin:
            self._loop.remove(replaced.instance)
        if peer.is_plugin:
            self._loop.add(peer.instance, hello.host, self._sender(address))
        self._log.info("hello", role=peer.role, instance=peer.instance[:8], host=hello.host, version=hello.version)
        welcome = protocol.Welcome(
            id=hello.id,
            protocol=protocol.PROTOCOL,
            version=__version__,
            pid=os.getpid(),
            checkpoint=self._checkpoint,
            heartbeat_ms=protocol.HEARTBEAT_MS,
        )
        self._send(address, protocol.encode(welcome))

    def _dispatch(self, peer: Peer, message: protocol.FromPeer, rest: Frames) -> None:
        match message:
            case protocol.Ping(time=stamp):
                self._send(peer.address, protocol.encode(protocol.Pong(time=stamp)))
            case protocol.Automation() if peer.is_plugin:
                self._automation(peer, message, rest[0])
            case protocol.Free(count=count) if peer.is_plugin:
                self._loop.free(peer.instance, decode_free(rest[0], count).tolist())
            case protocol.TimelineFile() if peer.is_plugin:
                self._timeline(peer, message)
            case protocol.State():
                self._state(peer, message, rest)
            case protocol.Act():
                self._act(peer, message, rest)
            case protocol.Watch():
                self._watch(peer, message)
            case protocol.Instances(id=command):
                self._loop.list(command, self._sender(peer.address))
            case protocol.Bye():
                self._leave(peer, "bye")
            case _:
                raise MessageError(f"A {peer.role} may not send this message.", "Say hello as a plugin.")

    def _timeline(self, peer: Peer, message: protocol.TimelineFile) -> None:
        timeline = Timeline.open(peer.pid, message.fd, message.bytes, message.epoch, message.rate)
        peer.timeline = timeline
        self._send(peer.address, protocol.encode(protocol.Accepted(id=message.id)))
        self._loop.open_timeline(peer.instance, message.id, timeline, self._sender(peer.address))

    def _state(self, peer: Peer, message: protocol.State, rest: Frames) -> None:
        attachments = dict(zip(message.attachments, rest[1:], strict=True))
        reply = self._accept(peer, message)
        command = StateCommand(message.id, rest[0], attachments, peer.is_plugin)
        self._loop.set_state(message.instance, command, reply)

    def _act(self, peer: Peer, message: protocol.Act, rest: Frames) -> None:
        if len(set(message.attachments)) < len(message.attachments):
            raise MessageError("act: attachments names one twice.", "Name each attachment once.")
        arguments = parse_json(rest[0], "act's frame 1")
        attachments = dict(zip(message.attachments, rest[1:], strict=True))
        command = ActCommand(message.id, message.verb, arguments, attachments)
        self._loop.act(message.instance, command, self._accept(peer, message))

    def _watch(self, peer: Peer, message: protocol.Watch) -> None:
        reply = self._accept(peer, message)
        self._loop.watch(message.instance, message.id, peer.address, on=message.on, reply=reply)

    def _accept(self, peer: Peer, message: protocol.State | protocol.Act | protocol.Watch) -> Send:
        """Accept a command about an instance; how its outcome is sent."""
        if peer.is_plugin and message.instance != peer.instance:
            raise MessageError(f"instance is {message.instance}.", "A plugin names itself.")
        self._send(peer.address, protocol.encode(protocol.Accepted(id=message.id)))
        return self._sender(peer.address)

    def _automation(self, peer: Peer, message: protocol.Automation, data: bytes) -> None:
        records = decode_records(data, message.count)
        if peer.expected not in {None, message.first}:
            self._log.warning("records missing", instance=peer.instance[:8], expected=peer.expected, got=message.first)
        peer.expected = message.first + message.count
        captures = self._captures(peer, records)
        self._loop.feed(peer.instance, records.tolist(), captures)

    def _captures(self, peer: Peer, records: Records) -> list[Capture | None]:
        numbers = [int(value) for value in records["value"][records["kind"] == Kind.CAPTURE].tolist()]
        if not numbers or peer.timeline is None:
            return [None] * len(numbers)
        captures = [peer.timeline.capture(number) for number in numbers]
        if None in captures:
            self._log.warning("captures overwritten", instance=peer.instance[:8], count=captures.count(None))
        self._send(peer.address, protocol.encode(protocol.Captured(count=max(numbers) + 1)))
        return captures

    def _leave(self, peer: Peer, why: str) -> None:
        self._log.info("left", role=peer.role, instance=peer.instance[:8], why=why)
        self._peers.drop(peer)
        self._loop.unwatch(peer.address)
        if peer.is_plugin:
            self._loop.remove(peer.instance)

    def _look_around(self, now: float) -> None:
        for peer in self._peers.silent(now):
            self._leave(peer, "silent")
        if len(self._peers):
            self._needed = now
        elif (self._grace is not None and now - self._needed > self._grace) or self._orphaned():
            self._log.info("nobody needs this sidecar any more")
            self._running = False

    def _sender(self, address: bytes) -> Send:
        def send(frames: Frames) -> None:
            self._outbox.append((address, frames))
            self._ring()

        return send

    def _ring(self) -> None:
        try:
            self._rope.send(b"!")
        except (BlockingIOError, OSError):
            return  # already ringing, or closed

    def _deliver(self) -> None:
        while self._outbox:
            address, frames = self._outbox.popleft()
            self._send(address, frames)

    def _send(self, address: bytes, frames: Frames) -> None:
        try:
            self._socket.send_multipart([address, *frames], zmq.NOBLOCK)
        except zmq.ZMQError as error:  # gone, or does not read
            peer = self._peers.get(address)
            if peer is not None:
                self._leave(peer, str(error))
