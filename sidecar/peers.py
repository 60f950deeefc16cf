"""Peers: who is connected, and whether they are still there."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sidecar.errors import BusyError, MessageError, TokenError, VersionError
from sidecar.protocol import PEER_TIMEOUT_S, PROTOCOL, Hello

if TYPE_CHECKING:
    from sidecar.timeline import Timeline

FRESH_S: Final = 1.0
"""A peer heard from within four heartbeats is alive; an older one is what a broken connection left behind."""

GIVEN_UP: Final = 256
"""Connections remembered after their peer was given up: many more than instances in a project."""

_INSTANCE_DIGITS: Final = frozenset("0123456789abcdef")


@dataclass(eq=False)
class Peer:
    """One connection that said hello."""

    address: bytes
    role: str
    instance: str
    pid: int
    heard: float
    timeline: Timeline | None = None
    expected: int | None = None

    @property
    def is_plugin(self) -> bool:
        """A plugin, not a control client."""
        return self.role == "plugin"


class Peers:
    """All connections.

    Args:
        token: what a peer must have read in the run file.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        self._by_address: dict[bytes, Peer] = {}
        self._given_up: deque[bytes] = deque(maxlen=GIVEN_UP)

    def __len__(self) -> int:
        return len(self._by_address)

    def get(self, address: bytes) -> Peer | None:
        """The peer at an address, if it said hello."""
        return self._by_address.get(address)

    def admit(self, address: bytes, hello: Hello, now: float) -> tuple[Peer, Peer | None]:
        """Check a hello; the new peer, and the one whose place it takes.

        Raises:
            VersionError, TokenError, MessageError, BusyError: it is not admitted.
        """
        if hello.protocol != PROTOCOL:
            raise VersionError(
                f"protocol is {hello.protocol}, this sidecar speaks {PROTOCOL}.",
                "Update DEMON: plugin and sidecar must be of one version.",
            )
        if not secrets.compare_digest(hello.token.encode(), self._token.encode()):
            raise TokenError("token is not the one in the run file.", "Read the run file again.")
        if hello.role not in {"plugin", "control"}:
            raise MessageError(f"role is {hello.role!r}.", "Use plugin or control.")
        if len(hello.instance) != 32 or not _INSTANCE_DIGITS.issuperset(hello.instance):
            raise MessageError(f"instance is {hello.instance!r}.", "Use 32 hexadecimal digits.")
        replaced = self._by_address.get(address) or self._plugin(hello)
        # the same process under a new address has lost its old connection; another process is a copy
        if replaced is not None and replaced.pid != hello.pid and now - replaced.heard < FRESH_S:
            raise BusyError(f"Instance {hello.instance} is connected already.", "Use another instance id.")
        if replaced is not None:
            self.drop(replaced)
        peer = Peer(address, hello.role, hello.instance, hello.pid, now)
        self._by_address[address] = peer
        return peer, replaced

    def drop(self, peer: Peer) -> None:
        """Forget a peer."""
        self._by_address.pop(peer.address, None)
        self._given_up.append(peer.address)

    def gave_up(self, address: bytes) -> bool:
        """This connection was a peer once. It gets no answer: silence is what makes a plugin connect anew."""
        return address in self._given_up

    def silent(self, now: float) -> Iterator[Peer]:
        """Peers that were not heard from for too long."""
        for peer in list(self._by_address.values()):
            if now - peer.heard > PEER_TIMEOUT_S:
                yield peer

    def _plugin(self, hello: Hello) -> Peer | None:
        if hello.role != "plugin":
            return None
        same = (peer for peer in self._by_address.values() if peer.is_plugin and peer.instance == hello.instance)
        return next(same, None)
