"""Who watches which instance: an instance shows its scene once, and everybody who watches it sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sidecar.publisher import Send


class Audience:
    """Watchers by instance and peer."""

    def __init__(self) -> None:
        self._shows: dict[str, dict[bytes, Send]] = {}

    def change(self, name: str, peer: bytes, show: Send | None) -> Send | None:
        """A peer watches an instance, or no more; how the instance shows its scene now, None where nobody watches."""
        watchers = self._shows.setdefault(name, {})
        if show is None:
            watchers.pop(peer, None)
        else:
            watchers[peer] = show
        return self.sender(name)

    def sender(self, name: str) -> Send | None:
        """Sends a message to everybody who watches an instance; None where nobody does."""
        watchers = tuple(self._shows.get(name, {}).values())
        if not watchers:
            self._shows.pop(name, None)
            return None

        def send(frames: list[bytes]) -> None:
            for show in watchers:
                show(frames)

        return send

    def leave(self, peer: bytes) -> list[str]:
        """A peer is gone; the instances that it watched."""
        return [name for name, watchers in self._shows.items() if watchers.pop(peer, None) is not None]

    def close(self, name: str) -> None:
        """An instance is gone."""
        self._shows.pop(name, None)
