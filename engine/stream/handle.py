"""The stream handle: one request that keeps being generated while it is being changed."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.closing import Closing
from engine.errors import RequestError
from engine.request.curves import Curve
from engine.request.request import Request
from engine.stream.finished import Finished
from engine.stream.stats import StreamStats
from engine.stream.stream import Stream

Decode: TypeAlias = Callable[[ArrayLike, int, int, bool], NDArray[np.float32]]
"""Audio [2, frames * 1920] of frames [start, start + frames) of a latent, over its end where the last is True."""

_FIELDS: Final = frozenset(field.name for field in fields(Request))


class StreamHandle(Closing):
    """A stream and the request that its next tick hands in. `Session.stream` makes it.

    Attributes:
        request: what the next tick submits. Replace it between ticks, with `dataclasses.replace` for a part of it, to
            change prompts, hints, source or any other field; what is in flight stays as it was admitted.
    """

    def __init__(self, stream: Stream, request: Request, decode: Decode) -> None:
        """Use `Session.stream`."""
        self.request = request
        self._stream = stream
        self._decode = decode

    def tick(self, **changes: Any) -> list[Finished]:
        """Submit the request, changed for this tick only, and advance everything in flight by one step.

        Newest wins: a request that is not yet admitted when the next tick comes is replaced by that tick's.

        Args:
            changes: fields of Request, by name.

        Returns:
            All that finished in this tick: none or one, more only where steps or depth were changed on the way.

        Raises:
            RequestError: a field is unknown or wrong; nothing was submitted and no step was taken.
            EngineError: the handle or its session is closed.
        """
        self._stream.submit(self._changed(changes))
        return self._stream.tick()

    def decode(self, latent: ArrayLike, start: int, frames: int, cyclic: bool = False) -> NDArray[np.float32]:
        """Audio of a window of a latent; see `Session.decode`."""
        return self._decode(latent, start, frames, cyclic)

    def set_shared(self, name: str, value: Curve | None) -> None:
        """Replace one curve in everything in flight from the next tick on; see `Stream.set_shared`."""
        self._stream.set_shared(name, value)

    def set_depth(self, depth: int) -> None:
        """Change how many generations may be in flight, 1 .. 8; see `Stream.set_depth`."""
        self._stream.set_depth(depth)

    def flush(self) -> list[Finished]:
        """Run what is in flight to its end and submit nothing new."""
        return self._stream.flush()

    def stats(self) -> StreamStats:
        """Counters and state; see StreamStats."""
        return self._stream.stats()

    def close(self) -> None:
        """Drop everything in flight. Safe to call twice."""
        self._stream.close()

    def _changed(self, changes: dict[str, Any]) -> Request:
        for name, value in changes.items():
            if name not in _FIELDS:
                raise RequestError(name, value, "is not a field of Request", "See engine.Request for its fields.")
        return replace(self.request, **changes) if changes else self.request
