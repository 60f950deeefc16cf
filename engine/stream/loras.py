"""Where a stream learns which LoRAs act."""

from typing import Protocol

from engine.backends import NO_LORAS, Loras
from engine.errors import RequestError


class LoraSource(Protocol):
    """The LoRAs of a session, as far as a stream needs them; see `engine.lora.library.LoraLibrary`."""

    def active(self) -> Loras:
        """Strengths of what is enabled at this moment."""
        ...

    def checked(self, loras: object) -> Loras:
        """LoRAs that someone named, ready to act.

        Raises:
            RequestError: one is unknown, or its strength is out of range.
        """
        ...


class NoLoras:
    """A session without LoRAs."""

    def active(self) -> Loras:
        """None."""
        return NO_LORAS

    def checked(self, loras: object) -> Loras:
        """None, if none are named.

        Raises:
            RequestError: some are.
        """
        if loras:
            raise RequestError("loras", loras, "are not known here", "Open the stream with Session.open_stream.")
        return NO_LORAS
