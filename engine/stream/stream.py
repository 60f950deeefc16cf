"""The stream: requests in, one step for all slots per tick, finished latents out."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from engine.backends import NO_LORAS, Backend, Loras
from engine.checks import text, whole
from engine.errors import EngineError, RequestError
from engine.request.curves import Curve
from engine.request.request import Request
from engine.request.snapshot import LIVE, Snapshot, check, live_curve
from engine.stream.bank import SlotBank
from engine.stream.slot import Slot

MAX_DEPTH = 8  # a turbo schedule has 8 steps; more slots than steps would never fill


@dataclass(frozen=True, eq=False, kw_only=True)
class Finished:
    """A generation that left its slot.

    Attributes:
        request_id: what `submit` returned.
        tag, control_version: copied from the request.
        latent: [T, 64] float32, read-only; None if it failed.
        generation: 1, 2, 3, ... in the order of completion within the stream; 0 if it failed.
        error: why it failed, or None.
    """

    request_id: int
    tag: int
    control_version: int
    latent: NDArray[np.float32] | None
    generation: int
    error: EngineError | None


@dataclass(frozen=True, kw_only=True)
class StreamStats:
    """Counters of a stream since it was opened, and its state now.

    Attributes:
        ticks, submitted, admitted, finished, failed, cancelled: counts.
        superseded: requests that a newer one replaced before they were admitted.
        active: slots in flight now.
        waiting: a request waits for admission now.
        depth: slots that may be in flight.
    """

    ticks: int
    submitted: int
    admitted: int
    finished: int
    failed: int
    cancelled: int
    superseded: int
    active: int
    waiting: bool
    depth: int


class Stream:
    """Generations of one length in flight at different steps. One thread at a time may use a stream.

    A request that is admitted in tick k with n steps is returned by tick k + n - 1. Its latent is a function of the
    request alone, and of what `set_shared` replaced while it was in flight: depth, the tick it was admitted in and its
    neighbours do not change a bit of it.
    """

    def __init__(
        self,
        backend: Backend,
        silence: NDArray[np.float32],
        depth: int,
        conditioning_width: int,
        active_loras: Callable[[], Loras] = lambda: NO_LORAS,
    ) -> None:
        """Use `Session.open_stream`.

        Args:
            backend: runs the forwards.
            silence: [T, 64]; its length is the stream's.
            depth: slots that may be in flight, 1 .. 8.
            conditioning_width: D.
            active_loras: what acts, at this moment, in slots that name no LoRAs of their own.
        """
        self._depth = whole("depth", depth, 1, MAX_DEPTH)
        self._frames = silence.shape[0]
        self._width = conditioning_width
        with torch.inference_mode():
            self._bank = SlotBank(backend, silence, depth, active_loras)
        self._waiting: tuple[int, Snapshot] | None = None
        self._since_admission: int | None = None  # ticks; None: nothing was ever admitted
        self._closed = False
        self._ticks = self._submitted = self._admitted = self._generation = 0
        self._failed = self._cancelled = self._superseded = 0

    def submit(self, request: Request) -> int:
        """Hand in a request. It replaces one that still waits: only the newest is ever admitted.

        Returns:
            The request's id: 1, 2, 3, ... within this stream.

        Raises:
            RequestError: a field is wrong; what waited before still waits.
            EngineError: the stream is closed.
        """
        self._check_open()
        snapshot = check(request, self._width)
        if snapshot.frames != self._frames:
            problem = f"differs from the stream's {self._frames} frames"
            raise RequestError("frames", snapshot.frames, problem, "Open a stream of that length.")
        if self._waiting is not None:
            self._superseded += 1
        self._submitted += 1
        self._waiting = (self._submitted, snapshot)
        return self._submitted

    def tick(self) -> list[Finished]:
        """Admit the waiting request if it is its turn, step every slot, and return all that finished in this tick.

        Admissions are at least ceil(steps / depth) ticks apart, so results come evenly spaced instead of in bursts.

        Raises:
            EngineError: the stream is closed. A request that fails comes back as a Finished with its error.
        """
        self._check_open()
        self._ticks += 1
        if self._since_admission is not None:
            self._since_admission += 1
        with torch.inference_mode():
            self._admit()
            if not self._bank.slots:
                return []
            self._bank.advance()
            return [self._finish(slot, latent) for slot, latent in self._bank.collect()]

    def flush(self) -> list[Finished]:
        """Tick until nothing waits and nothing is in flight; return all that finished."""
        done: list[Finished] = []
        while self._waiting is not None or self._bank.slots:
            done += self.tick()
        return done

    def set_depth(self, depth: int) -> None:
        """Change how many slots may be in flight. Nothing is lost: surplus slots run to their end.

        Raises:
            RequestError: depth is not 1 .. 8.
        """
        self._check_open()
        self._depth = whole("depth", depth, 1, MAX_DEPTH)
        with torch.inference_mode():
            self._bank.grow(depth)

    def set_shared(self, name: str, value: Curve | None) -> None:
        """Replace one curve in every slot, in flight or yet to come, from the next tick on.

        What a slot was not admitted for it stays without: "sde_denoise" acts on slots with a source, "x0_strength" with
        a target, "guidance", "apg_momentum" and "cfg_rescale" on slots that asked for guidance.

        Args:
            name: "velocity_scale", "sde_denoise", "ode_noise", "x0_strength", "guidance", "apg_momentum" or
                "cfg_rescale".
            value: as in Request; None gives every slot its own curve back.

        Raises:
            RequestError: unknown name or bad curve; nothing was changed.
            EngineError: the stream is closed.
        """
        self._check_open()
        if text("name", name) not in LIVE:
            raise RequestError("name", name, "cannot be shared", f"Use one of {', '.join(LIVE)}.")
        curve = None if value is None else live_curve(name, value, self._frames)
        with torch.inference_mode():
            self._bank.share(name, curve)

    def cancel(self, request_id: int) -> bool:
        """Drop a request that waits or is in flight; it is never returned.

        Returns:
            False if it is neither: finished, superseded or unknown.
        """
        self._check_open()
        if self._waiting is not None and self._waiting[0] == request_id:
            self._waiting = None
        elif not self._bank.cancel(request_id):
            return False
        self._cancelled += 1
        return True

    def stats(self) -> StreamStats:
        """Counters and state; see StreamStats."""
        return StreamStats(
            ticks=self._ticks,
            submitted=self._submitted,
            admitted=self._admitted,
            finished=self._generation,
            failed=self._failed,
            cancelled=self._cancelled,
            superseded=self._superseded,
            active=len(self._bank.slots),
            waiting=self._waiting is not None,
            depth=self._depth,
        )

    def close(self) -> None:
        """Drop everything in flight. Safe to call twice."""
        self._closed = True
        self._waiting = None
        for slot in self._bank.slots:
            self._bank.cancel(slot.request_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _admit(self) -> None:
        if self._waiting is None or len(self._bank.slots) >= self._depth:
            return
        request_id, snapshot = self._waiting
        spacing = -(-snapshot.steps // self._depth)
        if self._since_admission is not None and self._since_admission < spacing:
            return
        self._waiting = None
        self._bank.admit(request_id, snapshot)
        self._since_admission = 0
        self._admitted += 1

    def _finish(self, slot: Slot, latent: NDArray[np.float32] | None) -> Finished:
        if slot.failure is None:
            self._generation += 1
        else:
            self._failed += 1
        return Finished(
            request_id=slot.request_id,
            tag=slot.snapshot.tag,
            control_version=slot.snapshot.control_version,
            latent=latent,
            generation=self._generation if slot.failure is None else 0,
            error=slot.failure,
        )

    def _check_open(self) -> None:
        if self._closed:
            raise EngineError("The stream is closed.", "Open a new one with Session.open_stream.", code="closed")
