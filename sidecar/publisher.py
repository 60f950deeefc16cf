"""The publisher: chunks into free slots, and the messages that name them."""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import Final

import numpy as np

from sidecar import protocol
from sidecar.chunks import Chunk
from sidecar.records import PUBLISH
from sidecar.timeline import SlotPool, Timeline

BACKLOG: Final = 64
"""Chunks that may wait for a slot before rendering pauses: 2.7 s at 48 kHz."""

Send = Callable[[list[bytes]], None]


class Publisher:
    """Writes the chunks of one instance to its timeline.

    Args:
        timeline: the mapped file.
        send: sends the frames of a message to the plugin.
    """

    def __init__(self, timeline: Timeline, send: Send) -> None:
        self._timeline = timeline
        self._send = send
        self._pool = SlotPool(timeline.slots, timeline.unnamed_slots())
        self._waiting: deque[tuple[int, Chunk]] = deque()

    @property
    def full(self) -> bool:
        """So many chunks wait for a slot that rendering more is pointless for now."""
        return len(self._waiting) >= BACKLOG

    def add(self, pass_: int, chunks: Iterable[Chunk]) -> None:
        """Publish chunks of a pass, now or as soon as the plugin frees slots."""
        self._waiting.extend((pass_, chunk) for chunk in chunks)
        self._flush()

    def free(self, slots: Iterable[int]) -> None:
        """Take slots back from the plugin."""
        self._pool.add(slots)
        self._flush()

    def forget(self, but: Collection[int] = ()) -> None:
        """Drop what still waits, but for these passes: the others are over."""
        self._waiting = deque(waiting for waiting in self._waiting if waiting[0] in but)

    def _flush(self) -> None:
        while self._waiting and len(self._pool):
            pass_, version = self._waiting[0][0], 0
            rows: list[tuple[int, int, int]] = []
            while self._waiting and len(self._pool) and self._waiting[0][0] == pass_:
                chunk = self._waiting.popleft()[1]
                rows.append((chunk.number, self._write(pass_, chunk), chunk.generation))
                version = max(version, chunk.control_version)
            message = protocol.Publish(epoch=self._timeline.epoch, pass_=pass_, version=version, count=len(rows))
            self._send(protocol.encode(message, np.array(rows, PUBLISH).tobytes()))

    def _write(self, pass_: int, chunk: Chunk) -> int:
        slot = self._pool.take()
        self._timeline.write(
            slot,
            chunk.number,
            chunk.audio,
            generation=chunk.generation,
            pass_=pass_,
            version=chunk.control_version,
            valid=chunk.valid,
        )
        return slot
