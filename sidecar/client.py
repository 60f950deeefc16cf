"""A control client: asks a running sidecar for its instances, and changes their documents."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec
import zmq

from sidecar import __version__, protocol
from sidecar.decoding import decode_sidecar
from sidecar.errors import SidecarError
from sidecar.runfile import RunFile, read_run_file

Answer = TypeVar("Answer", bound=protocol.Message)

GONE: Final = "Start a host with DEMON in it, or run `demon sidecar`."


class ClientError(SidecarError):
    """There is no sidecar, it does not answer, or it refused a command."""

    code = "no_sidecar"


class Client:
    """One connection in the control role. A context manager.

    Args:
        run: how to reach the sidecar; None reads the run file.
        timeout_s: longest wait for an answer, in seconds.

    Attributes:
        welcome: what the sidecar said to hello.

    Raises:
        ClientError: there is no sidecar, or it does not admit this client.
        SidecarError: the run file is not one.
    """

    def __init__(self, run: RunFile | None = None, timeout_s: float = 5.0) -> None:
        found = run or read_run_file()
        if found is None:
            raise ClientError("No sidecar is running.", GONE)
        self._timeout = timeout_s
        self._last = 0
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(io_threads=1)
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 500)
        self._socket.connect(f"tcp://127.0.0.1:{found.port}")
        try:
            self.welcome = self._hello(found)
        except BaseException:
            self.close()
            raise

    def ping(self) -> float:
        """Seconds from a ping to its answer."""
        start = time.monotonic_ns()
        self._send(protocol.Ping(time=start))
        self._wait(protocol.Pong, lambda pong: pong.time == start)
        return (time.monotonic_ns() - start) / 1e9

    def instances(self) -> list[protocol.InstanceEntry]:
        """The plugin instances that are connected."""
        command = self._next()
        self._send(protocol.Instances(id=command))
        return self._wait(protocol.InstanceList, lambda answer: answer.id == command).instances

    def set_state(
        self, instance: str, changes: Mapping[str, Any], attachments: Mapping[str, bytes] | None = None
    ) -> int:
        """Change an instance's document; returns its control version.

        Args:
            instance: its id, 32 hex digits.
            changes: a document; keys left out keep their value, None clears.
            attachments: FLAC by content hash.

        Raises:
            ClientError: refused; the text says which field is wrong.
        """
        command, carried = self._next(), dict(attachments or {})
        message = protocol.State(id=command, instance=instance, attachments=list(carried))
        self._send(message, msgspec.json.encode(changes), *carried.values())
        return self._wait(protocol.Applied, lambda answer: answer.id == command).version

    def act(
        self,
        instance: str,
        verb: str,
        arguments: Mapping[str, Any] | None = None,
        attachments: Mapping[str, bytes] | None = None,
    ) -> int:
        """Have an instance do something; returns its control version.

        Args:
            instance: its id, 32 hex digits.
            verb: one of PROTOCOL section 2.
            arguments: what the verb needs.
            attachments: bytes by name.

        Raises:
            ClientError: refused; the text says why.
        """
        command, carried = self._next(), dict(attachments or {})
        message = protocol.Act(id=command, instance=instance, verb=verb, attachments=list(carried))
        self._send(message, msgspec.json.encode(arguments or {}), *carried.values())
        return self._wait(protocol.Applied, lambda answer: answer.id == command).version

    def scene(self, instance: str) -> tuple[protocol.Scene, list[bytes]]:
        """What an instance does now, and the message's frames (PROTOCOL section 2, `scene`).

        Args:
            instance: its id, 32 hex digits.

        Raises:
            ClientError: refused; the text says why.
        """
        command = self._next()
        self._send(protocol.Watch(id=command, instance=instance, on=True))
        self._wait(protocol.Applied, lambda answer: answer.id == command)
        scene, frames = self._receive(protocol.Scene, lambda _: True)
        self._send(protocol.Watch(id=self._next(), instance=instance, on=False))
        return scene, frames

    def close(self) -> None:
        """Leave."""
        if not self._socket.closed:
            self._send(protocol.Bye())
            self._socket.close()
            self._context.term()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _hello(self, run: RunFile) -> protocol.Welcome:
        hello = protocol.Hello(
            id=self._next(),
            protocol=protocol.PROTOCOL,
            token=run.token,
            role="control",
            instance=secrets.token_hex(16),
            pid=os.getpid(),
            version=__version__,
            host="demon",
        )
        self._send(hello)
        return self._wait(protocol.Welcome, lambda answer: answer.id == hello.id)

    def _next(self) -> int:
        self._last += 1
        return self._last

    def _send(self, message: protocol.Message, *frames: bytes) -> None:
        self._socket.send_multipart(protocol.encode(message, *frames))

    def _wait(self, kind: type[Answer], fits: Callable[[Answer], bool]) -> Answer:
        return self._receive(kind, fits)[0]

    def _receive(self, kind: type[Answer], fits: Callable[[Answer], bool]) -> tuple[Answer, list[bytes]]:
        until = time.monotonic() + self._timeout
        while (left := until - time.monotonic()) > 0:
            if not self._socket.poll(int(left * 1000) + 1):
                break
            message, frames = decode_sidecar(self._socket.recv_multipart())
            if isinstance(message, protocol.Failed):
                error = ClientError(message.text, message.fix)
                error.code = message.code
                raise error
            if isinstance(message, kind) and fits(message):
                return message, frames
        raise ClientError(f"The sidecar did not answer within {self._timeout:g} s.", "See sidecar.log.")
