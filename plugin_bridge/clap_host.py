"""A CLAP host for tests and measurements: one plugin, one thread, exact event offsets, any block sizes.

There is no CLAP host among Python packages, and none that is packaged calls CLAP's render extension.
"""

import ctypes
import time
from collections import deque
from collections.abc import Container, Iterable, Sequence
from ctypes import POINTER
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from plugin_bridge import clap_abi as abi
from plugin_bridge.clap_block import Audio, Event, Events, Transport, lengths, port
from plugin_bridge.clap_plugin import ClapError, ClapPlugin, Parameter

# Samples of known content on both sides of every output channel: what a plugin writes there is its mistake.
FENCE, FENCE_VALUE = 64, np.float32(123.25)

__all__ = ["Audio", "ClapError", "ClapHost", "Event", "Parameter", "Rendered", "Transport"]


@dataclass(frozen=True)
class Rendered:
    """What came out, (2, frames) float32, and how long each `process()` call took in nanoseconds.

    The time includes the host's own event callbacks, which are Python: a few microseconds a block.
    """

    audio: Audio
    nanoseconds: NDArray[np.int64]


class ClapHost(ClapPlugin):
    """A plugin with a host around it that plays; arguments and errors are those of `ClapPlugin`.

    `poll` answers what the plugin asked for.
    """

    def __init__(self, path: str | Path, plugin: str | None = None) -> None:
        super().__init__(path, plugin)
        self.rate = 0.0
        self._active = False
        self._steady = 0
        self._largest = 0

    @cached_property
    def _render(self) -> Any:
        return self._extension("clap.render", abi.Render)

    @property
    def latency(self) -> int:
        """Samples by which the plugin delays; 0 for one that does not say."""
        pointer = self._plugin.get_extension(self._pointer, b"clap.latency")
        return int(ctypes.cast(pointer, POINTER(abi.Count)).contents.get(self._pointer)) if pointer else 0

    def set_offline(self, offline: bool) -> None:
        """CLAP's render mode, which may change at any time."""
        mode = abi.RENDER_OFFLINE if offline else abi.RENDER_REALTIME
        if not self._render.set(self._pointer, mode):
            raise ClapError(f"render.set({mode})")

    def activate(self, rate: float, largest: int) -> None:
        """Get ready for blocks of up to `largest` samples at `rate` Hz, and start processing."""
        if not self._plugin.activate(self._pointer, rate, 1, largest):
            raise ClapError(f"plugin.activate({rate}, 1, {largest})")
        self._active, self.rate, self._largest = True, rate, largest
        if not self._plugin.start_processing(self._pointer):
            raise ClapError("plugin.start_processing")

    def deactivate(self) -> None:
        """Undo `activate`. Does nothing when inactive."""
        if self._active:
            self._plugin.stop_processing(self._pointer)
            self._plugin.deactivate(self._pointer)
            self._active = False

    def reset(self) -> None:
        """The transport was reset."""
        self._plugin.reset(self._pointer)

    def poll(self) -> None:
        """Give the plugin the main thread, or activate it anew, if it asked for it."""
        if "host.request_restart" in self.requests:
            self.requests.remove("host.request_restart")
            if self._active:
                self.deactivate()
                self.activate(self.rate, self._largest)
        if "host.request_callback" in self.requests:
            self.requests.remove("host.request_callback")
            self._plugin.on_main_thread(self._pointer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.deactivate()
        self.close()

    def process(
        self,
        audio: Audio,
        events: Sequence[Event] = (),
        transport: Transport | None = None,
        *,
        in_place: bool = False,
        missing: Container[int] = (),
        side: Audio | None = None,
    ) -> Rendered:
        """One block.

        Args:
            audio: (2, frames) float32, any length from 0 on.
            events: times from 0 to frames, in ascending order.
            transport: none for a host without a clock.
            in_place: hand over one buffer as input and output.
            missing: output channels without memory (null pointers), and input channels too when `in_place`.
            side: (n, frames) float32 for a second input port; none: nothing is connected.

        Raises:
            ClapError: not active, the plugin reported an error, or it wrote beside the block.
        """
        source = np.array(audio, np.float32, order="C")
        memory = np.full((len(source), source.shape[1] + 2 * FENCE), FENCE_VALUE, np.float32)
        target = memory[:, FENCE : memory.shape[1] - FENCE]
        target[:] = source if in_place else np.nan
        source = target if in_place else source
        given = [port(source, missing if in_place else ())]
        second = np.array([] if side is None else side, np.float32, order="C")
        given += [] if side is None else [port(second)]
        inputs, outputs = (abi.AudioBuffer * len(given))(*given), port(target, missing)
        queue = Events(events)
        song = None if transport is None else ctypes.pointer(transport.event(self.rate))
        frames = source.shape[1]
        block = abi.Process(
            steady_time=self._steady,
            frames=frames,
            transport=song,
            inputs=ctypes.cast(inputs, POINTER(abi.AudioBuffer)),
            outputs=ctypes.pointer(outputs),
            input_count=len(given),
            output_count=1,
            input_events=ctypes.pointer(queue.input),
            output_events=ctypes.pointer(queue.output),
        )
        address = ctypes.addressof(block)
        start = time.perf_counter_ns()
        status = self._plugin.process(self._pointer, address)
        elapsed = time.perf_counter_ns() - start
        if status == abi.PROCESS_ERROR:
            raise ClapError(f"plugin.process({frames} frames)")
        if np.any(memory[:, :FENCE] != FENCE_VALUE) or np.any(memory[:, FENCE + frames :] != FENCE_VALUE):
            raise ClapError(f"plugin.process({frames} frames) wrote beside its block")
        self.said += queue.said
        self._steady += frames
        return Rendered(np.ascontiguousarray(target), np.array([elapsed]))

    def render(
        self,
        audio: Audio,
        blocks: int | Iterable[int],
        events: Sequence[Event] = (),
        transport: Transport | None = None,
        *,
        in_place: bool = False,
    ) -> Rendered:
        """All of `audio` in blocks.

        Args:
            audio: (2, frames) float32.
            blocks: block length, or the lengths one after the other (0 is allowed; the last one repeats).
            events: times in samples of `audio`.
            transport: the song at the first sample. While it plays it moves on, and turns back at the loop's end.
            in_place: as in `process`.
        """
        waiting = deque(sorted(events, key=lambda event: event.time))
        done: list[Rendered] = []
        start, total = 0, audio.shape[1]
        for length in lengths(blocks):
            room = None if transport is None else transport.room()
            end = min(start + length, total) if room is None else min(start + length, start + room, total)
            due: list[Event] = []
            while waiting and (waiting[0].time < end or waiting[0].time == start or end == total):
                event = waiting.popleft()
                due.append(replace(event, time=max(event.time - start, 0)))
            done.append(self.process(audio[:, start:end], due, transport, in_place=in_place))
            transport = None if transport is None else transport.moved(end - start)
            start = end
            if start == total:
                break
        return Rendered(
            np.concatenate([block.audio for block in done], axis=1),
            np.concatenate([block.nanoseconds for block in done]),
        )
