"""The stream: requests in, one step for all slots per tick, finished latents out."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from engine.backends import DitBackend
from engine.checks import whole
from engine.closing import Closing
from engine.errors import EngineError, RequestError
from engine.request.curves import Curve
from engine.request.request import Request
from engine.request.snapshot import Snapshot, check
from engine.stream.bank import SlotBank
from engine.stream.changes import LORA, Change, Value, checked_log, checked_name, checked_value
from engine.stream.finished import Finished
from engine.stream.loras import LoraSource, NoLoras
from engine.stream.slot import Slot, open_slot
from engine.stream.stats import Meter, StreamStats
from engine.stream.warmup import WarmedPart, warm_up

UNCHECKED = "not checked here; Session.self_check proves or downgrades it"
MAX_DEPTH = 8  # a turbo schedule has 8 steps; more slots than steps would never fill


class Stream(Closing):
    """Generations of one length in flight at different steps. One thread at a time may use a stream.

    A request that is admitted in tick k with n steps is returned by tick k + n - 1. Its latent is a function of the
    request alone, and of what `set_shared` replaced while it was in flight: depth, the tick it was admitted in and its
    neighbours do not change a bit of it.
    """

    def __init__(
        self,
        backend: DitBackend,
        silence: NDArray[np.float32],
        depth: int,
        conditioning_width: int,
        loras: LoraSource | None = None,
        claim: Callable[[], str] = lambda: UNCHECKED,
    ) -> None:
        """Use `Session.open_stream`.

        Args:
            backend: runs the forwards.
            silence: [T, 64]; its length is the stream's.
            depth: slots that may be in flight, 1 .. 8.
            conditioning_width: D.
            loras: where LoRAs come from; None for none.
            claim: what `stats` says about streamed and one-shot latents.
        """
        self._depth = whole("depth", depth, 1, MAX_DEPTH)
        self._frames = silence.shape[0]
        self._width = conditioning_width
        self._backend = backend
        self._silence = torch.tensor(silence)
        self._loras = loras or NoLoras()
        self._claim = claim
        with torch.inference_mode():
            self._bank = SlotBank(backend, self._frames, depth)
        self._shared: dict[str, Value] = {}
        self._waiting: tuple[int, Snapshot, Sequence[Change] | None] | None = None
        self._meter = Meter()
        self._since_admission: int | None = None  # ticks; None: nothing was ever admitted
        self._closed = False
        self._ticks = self._submitted = self._admitted = self._generation = 0
        self._failed = self._cancelled = self._superseded = 0

    def submit(self, request: Request, changes: Sequence[Change] | None = None) -> int:
        """Hand in a request. It replaces one that still waits: only the newest is ever admitted.

        Args:
            request: what to generate.
            changes: those of a Finished, to bring its latent back. They act in place of shared curves and of the
                session's LoRAs, none of which then do.

        Returns:
            The request's id: 1, 2, 3, ... within this stream.

        Raises:
            RequestError: a field or a change is wrong; what waited before still waits.
            LoraError: a LoRA that the request names cannot be used; likewise.
            EngineError: the stream is closed.
        """
        self._check_open()
        snapshot = check(request, self._width)
        if snapshot.frames != self._frames:
            problem = f"differs from the stream's {self._frames} frames"
            raise RequestError("frames", snapshot.frames, problem, "Open a stream of that length.")
        if snapshot.loras is not None:
            self._loras.checked(snapshot.loras)
        replayed = None if changes is None else checked_log(changes, self._frames)
        for change in replayed or ():
            self._check_lora(change.name, change.value)
        if self._waiting is not None:
            self._superseded += 1
        self._submitted += 1
        self._waiting = (self._submitted, snapshot, replayed)
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
            with self._meter.tick(len(self._bank.slots)):
                self._bank.advance(self._shared, self._loras.active())
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
        """Replace one value in every slot, in flight or yet to come, from the next tick on.

        What a slot was not admitted for it stays without: "sde_denoise" acts on slots with a source, "x0_strength" with
        a target and no x0_curve, "guidance", "apg_momentum" and "cfg_rescale" on slots that asked for guidance,
        "dcw_scaler" and "dcw_high_scaler" on slots with a Dcw. A LoRA acts on every slot.

        Args:
            name: "velocity_scale", "sde_denoise", "ode_noise", "x0_strength", "guidance", "apg_momentum",
                "cfg_rescale", "dcw_scaler", "dcw_high_scaler", or "lora:" and a LoRA's name.
            value: curve as in Request or Dcw, or a LoRA's strength; None gives every slot its own value back.

        Raises:
            RequestError: unknown name or bad value; nothing was changed.
            LoraError: the LoRA cannot be used; likewise.
            EngineError: the stream is closed.
        """
        self._check_open()
        known = checked_name(name)
        if value is None:
            self._shared.pop(known, None)
            return
        checked = checked_value(known, value, self._frames)
        self._check_lora(known, checked)
        self._shared[known] = checked

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

    def warm_up(self) -> tuple[WarmedPart, ...]:
        """Do ahead what the first tick would wait for: what the backend does once, and a forward.

        Raises:
            EngineError: the stream is closed.
        """
        self._check_open()
        return warm_up(self._backend, self._frames, self._width)

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
            tick_ms=self._meter.tick_ms,
            occupancy=self._meter.occupancy,
            backend=self._backend.name,
            claim=self._claim(),
        )

    def close(self) -> None:
        """Drop everything in flight. Safe to call twice."""
        self._closed = True
        self._waiting = None
        for slot in self._bank.slots:
            self._bank.cancel(slot.request_id)

    def _admit(self) -> None:
        if self._waiting is None or len(self._bank.slots) >= self._depth:
            return
        request_id, snapshot, replayed = self._waiting
        spacing = -(-snapshot.steps // self._depth)
        if self._since_admission is not None and self._since_admission < spacing:
            return
        self._waiting = None
        self._bank.admit(open_slot(request_id, snapshot, replayed, self._silence))
        self._since_admission = 0
        self._admitted += 1

    def _check_lora(self, name: str, value: Value | None) -> None:
        if name.startswith(LORA) and value is not None:
            self._loras.checked({name.removeprefix(LORA): value})

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
            changes=tuple(slot.log),
        )

    def _check_open(self) -> None:
        if self._closed:
            raise EngineError("The stream is closed.", "Open a new one with Session.open_stream.", code="closed")
