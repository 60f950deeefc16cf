"""A control client: how the command line and the demo talk to a running sidecar (PROTOCOL section 2, role `control`).

Knows the socket and the messages, not what a command does to an instance.
"""

import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import msgspec
import zmq

from sidecar import __version__
from sidecar.errors import SidecarError
from sidecar.protocol import (
    MAX_ATTACHMENT,
    PROTOCOL,
    Accepted,
    Applied,
    Bye,
    Failed,
    FromSidecar,
    Hello,
    InstanceEntry,
    InstanceList,
    Instances,
    Message,
    Ping,
    Pong,
    State,
    Welcome,
    decode_sidecar,
    encode,
)
from sidecar.runfile import RunFile, read_run_file


class ClientError(SidecarError):
    """No sidecar answers, or it refused a command; `code` is then the one it gave."""

    def __init__(self, text: str, fix: str, code: str = "no_sidecar") -> None:
        super().__init__(text, fix)
        self.code = code


class Client:
    """One connection to the sidecar of this user.

    Args:
        run: the sidecar's run file; read from the run folder by default.
        timeout_s: how long an answer may take, in seconds.

    Raises:
        ClientError: no sidecar lives in the run folder, it does not answer, or it refuses this client.
    """

    def __init__(self, run: RunFile | None = None, *, timeout_s: float = 10.0) -> None:
        found = run or read_run_file()
        if found is None:
            raise ClientError("no sidecar is running.", "Insert the plugin in a host, or run demon sidecar.")
        self._timeout_s = timeout_s
        self._last_id = 0
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.set(zmq.LINGER, 200)  # long enough for a loopback `bye`, short enough for nobody to notice
        self._socket.set(zmq.MAXMSGSIZE, MAX_ATTACHMENT)
        self._socket.connect(f"tcp://127.0.0.1:{found.port}")
        try:
            self.welcome = self._hello(found.token)
        except BaseException:
            self._shut()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Say good-bye and close the socket."""
        self._send(Bye())
        self._shut()

    def ping(self) -> float:
        """Seconds until the sidecar answered."""
        stamp = time.monotonic_ns()
        self._send(Ping(time=stamp))
        self._wait(lambda message: isinstance(message, Pong) and message.time == stamp)
        return (time.monotonic_ns() - stamp) / 1e9

    def instances(self) -> Sequence[InstanceEntry]:
        """The plugin instances that are connected."""
        message = self._command(Instances(id=self._next_id()))
        if not isinstance(message, InstanceList):
            raise self._surprise(message)
        return message.instances

    def set_state(
        self, instance: str, changes: Mapping[str, Any], attachments: Mapping[str, bytes] | None = None
    ) -> int:
        """Change the keys of an instance's document that `changes` names.

        Args:
            instance: 32 hex digits, from `instances`.
            changes: keys of the state document; null clears one.
            attachments: FLAC bytes by content hash (`sha256:...`) of the sources that `changes` names.

        Returns:
            The control version with which the change took effect.
        """
        attachments = attachments or {}
        message = self._command(
            State(id=self._next_id(), instance=instance, attachments=list(attachments)),
            msgspec.json.encode(changes),
            *attachments.values(),
        )
        if not isinstance(message, Applied):
            raise self._surprise(message)
        return message.version

    def _hello(self, token: str) -> Welcome:
        message = self._command(
            Hello(
                id=self._next_id(),
                protocol=PROTOCOL,
                token=token,
                role="control",
                instance=uuid.uuid4().hex,
                pid=os.getpid(),
                version=__version__,
                host="demon",
            )
        )
        if not isinstance(message, Welcome):
            raise self._surprise(message)
        return message

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _send(self, message: Message, *frames: bytes) -> None:
        self._socket.send_multipart(encode(message, *frames))

    def _command(self, message: Hello | Instances | State, *frames: bytes) -> FromSidecar:
        """Send a command and return its final answer; `accepted` only says that it arrived."""
        self._send(message, *frames)
        answer = self._wait(lambda got: getattr(got, "id", None) == message.id and not isinstance(got, Accepted))
        if isinstance(answer, Failed):
            raise ClientError(answer.text, answer.fix, answer.code)
        return answer

    def _wait(self, wanted: Callable[[FromSidecar], bool]) -> FromSidecar:
        until = time.monotonic() + self._timeout_s
        while (left := until - time.monotonic()) > 0:
            if self._socket.poll(int(left * 1000) + 1):
                message, _ = decode_sidecar(self._socket.recv_multipart())
                if wanted(message):
                    return message
        raise ClientError(
            f"the sidecar did not answer within {self._timeout_s:g} s.", "Look into its log with demon doctor."
        )

    def _surprise(self, message: FromSidecar) -> ClientError:
        return ClientError(f"the sidecar answered with {type(message).__name__}.", "Update both sides to one version.")

    def _shut(self) -> None:
        self._socket.close()
        self._context.term()
