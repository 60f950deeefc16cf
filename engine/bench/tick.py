"""Measuring the engine against its own forward, in one run on one machine."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from engine.errors import EngineError
from engine.request.request import MAX_STEPS, Request
from engine.session import Session
from engine.stream.stream import Stream


@dataclass(frozen=True, kw_only=True)
class TickOverForward:
    """A full tick against as many bare DiT forwards as it holds, interleaved pair by pair.

    Attributes:
        frames, depth, pairs: what was measured.
        forward_ms: milliseconds of one bare forward (B = 1): 5th, 50th, 95th percentile.
        tick_ms: milliseconds of a tick with `depth` slots in flight, likewise.
        ratio: tick / (depth forwards) per pair, likewise. 1.02 means that a tick costs 2 % on top of its forwards.
        ratio_of_fastest: fastest tick / fastest forwards, the figure least disturbed by other work on the machine.
    """

    frames: int
    depth: int
    pairs: int
    forward_ms: tuple[float, float, float]
    tick_ms: tuple[float, float, float]
    ratio: tuple[float, float, float]
    ratio_of_fastest: float


def tick_over_forward(session: Session, frames: int = 400, depth: int = 2, ticks: int = 60) -> TickOverForward:
    """Time ticks of a full stream against bare forwards of the same shapes.

    Every second pair is measured in the opposite order, so that a drift of the clock or of the load cancels.

    Args:
        session: what to measure; its prompt is a fixed one, without source.
        frames: T.
        depth: slots in flight, 1 .. 8.
        ticks: pairs to measure, 1 or more.

    Raises:
        RequestError: frames or depth.
        EngineError: ticks is less than 1.
    """
    if ticks < 1:
        raise EngineError(f"ticks = {ticks} is less than 1.", "Measure at least one tick.")
    prompt = session.encode_text("techno, driving kick", task="text2music", duration=frames / 25)
    # the longest schedule keeps every slot in flight for many ticks
    request = Request(conditioning=prompt, frames=frames, steps=MAX_STEPS)
    x = torch.zeros(1, frames, 64)
    context = torch.tensor(np.concatenate([session.empty_latent(frames), np.ones((frames, 64), np.float32)], axis=1))[
        None
    ]
    backend = session.backend

    def forwards() -> None:
        for _ in range(depth):
            backend.dit_step(x, 0.5, prompt, context)

    with session.open_stream(frames, depth) as stream:
        pairs = [_pair(stream, request, forwards, flipped=bool(n % 2)) for n in range(ticks)]
    tick_s, forward_s = np.array(pairs).T
    return TickOverForward(
        frames=frames,
        depth=depth,
        pairs=ticks,
        forward_ms=_percentiles(forward_s * 1e3 / depth),
        tick_ms=_percentiles(tick_s * 1e3),
        ratio=_percentiles(tick_s / forward_s),
        ratio_of_fastest=float(tick_s.min() / forward_s.min()),
    )


def _pair(stream: Stream, request: Request, forwards: Callable[[], None], *, flipped: bool) -> tuple[float, float]:
    _fill(stream, request)
    stream.submit(request)
    if flipped:
        forward = _seconds(forwards)
        return _seconds(stream.tick), forward
    tick = _seconds(stream.tick)
    return tick, _seconds(forwards)


def _fill(stream: Stream, request: Request) -> None:
    while stream.stats().active < stream.stats().depth:
        stream.submit(request)
        stream.tick()


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _percentiles(values: np.ndarray) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, (5, 50, 95))
    return float(low), float(middle), float(high)
