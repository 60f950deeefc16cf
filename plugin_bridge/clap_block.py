"""One block as CLAP's structs: ports, parameter events, the transport. Lengths and positions are samples."""

import ctypes
from collections.abc import Container, Iterable, Iterator, Sequence
from ctypes import CFUNCTYPE, POINTER, c_bool, c_float, c_uint32, c_void_p
from dataclasses import dataclass, replace
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from plugin_bridge import clap_abi as abi

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Event:
    """A parameter's plain `value`, from sample `time` on: of the block, or of the audio given to `render`."""

    time: int
    parameter: int
    value: float


@dataclass(frozen=True)
class Transport:
    """The song at a block's first sample. `position` and the ends of `loop` are samples; `tempo` is beats a minute,
    `metre` the two numbers of one whose bars are counted from beat 0; without it nothing is said of bars.

    `headless`: leave the event's header empty, as qtractor 0.9.31 does.
    """

    position: int
    playing: bool = True
    tempo: float = 120.0
    metre: tuple[int, int] | None = None
    loop: tuple[int, int] | None = None
    headless: bool = False

    def moved(self, frames: int) -> "Transport":
        """The song `frames` later: further on while it plays, back at the loop's start once it reaches the end."""
        if not self.playing:
            return self
        position = self.position + frames
        if self.loop is not None and self.position < self.loop[1] <= position:
            position = self.loop[0] + (position - self.loop[1])
        return replace(self, position=position)

    def room(self) -> int | None:
        """Samples until the loop turns back; none when it does not."""
        if self.playing and self.loop is not None and self.position < self.loop[1]:
            return self.loop[1] - self.position
        return None

    def event(self, rate: float) -> abi.TransportEvent:
        """CLAP's struct at `rate` Hz, with both timelines."""
        flags = abi.TRANSPORT_HAS_TEMPO | abi.TRANSPORT_HAS_BEATS | abi.TRANSPORT_HAS_SECONDS
        flags |= abi.TRANSPORT_IS_PLAYING if self.playing else 0
        flags |= abi.TRANSPORT_HAS_TIME_SIGNATURE if self.metre is not None else 0
        upper, lower = self.metre or (4, 4)
        event = abi.TransportEvent(tempo=self.tempo, signature_numerator=upper, signature_denominator=lower)
        if not self.headless:
            event.header = abi.EventHeader(ctypes.sizeof(event), 0, 0, abi.EVENT_TRANSPORT, 0)
        event.song_seconds, event.song_beats = self._times(self.position, rate)
        if self.loop is not None:
            flags |= abi.TRANSPORT_IS_LOOP_ACTIVE
            event.loop_start_seconds, event.loop_start_beats = self._times(self.loop[0], rate)
            event.loop_end_seconds, event.loop_end_beats = self._times(self.loop[1], rate)
        event.flags = flags
        return event

    def _times(self, position: int, rate: float) -> tuple[int, int]:
        seconds = position / rate
        return round(seconds * abi.FIXED_POINT), round(seconds * self.tempo / 60 * abi.FIXED_POINT)


class Events:
    """A block's parameter events, and what the plugin says back in `said`: (parameter id, plain value)."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.said: list[tuple[int, float]] = []
        size = ctypes.sizeof(abi.ParamValue)
        self._queue = [
            abi.ParamValue(
                header=abi.EventHeader(size, event.time, 0, abi.EVENT_PARAM_VALUE, 0),
                param_id=event.parameter,
                note_id=-1,
                port_index=-1,
                channel=-1,
                key=-1,
                value=event.value,
            )
            for event in events
        ]
        self.input = abi.InputEvents(
            size=CFUNCTYPE(c_uint32, c_void_p)(self._size),
            get=CFUNCTYPE(c_void_p, c_void_p, c_uint32)(self._get),
        )
        self.output = abi.OutputEvents(try_push=CFUNCTYPE(c_bool, c_void_p, c_void_p)(self._push))

    def _size(self, _: object) -> int:
        return len(self._queue)

    def _get(self, _: object, index: int) -> int:
        return ctypes.addressof(self._queue[index])

    def _push(self, _: object, pointer: int) -> bool:
        if ctypes.cast(pointer, POINTER(abi.EventHeader)).contents.type == abi.EVENT_PARAM_VALUE:
            event = ctypes.cast(pointer, POINTER(abi.ParamValue)).contents
            self.said.append((event.param_id, event.value))
        return True


def port(audio: Audio, missing: Container[int] = ()) -> abi.AudioBuffer:
    """The port whose channels are the rows of `audio`, which has to outlive it; those in `missing` have no memory."""
    none = POINTER(c_float)()
    rows = [none if index in missing else row.ctypes.data_as(POINTER(c_float)) for index, row in enumerate(audio)]
    return abi.AudioBuffer(data32=(POINTER(c_float) * len(rows))(*rows), channel_count=len(rows))


def lengths(blocks: int | Iterable[int]) -> Iterator[int]:
    """Block lengths without end: the given ones, then the last one that is not 0 again and again."""
    last = 0
    for length in chain([blocks] if isinstance(blocks, int) else blocks):
        last = length or last
        yield length
    if last <= 0:
        raise ValueError(f"blocks = {blocks!r} never ends: give at least one length above 0")
    yield from repeat(last)
