"""The tick against the bare forwards it contains."""

from dataclasses import dataclass

import numpy as np
import torch

from engine.bench.loads import load
from engine.bench.pairs import Percentiles, Progress, Ratio, Took, in_turns, milliseconds, now
from engine.session import Session
from engine.step.noise import normal


@dataclass(frozen=True, kw_only=True)
class TickOverForwards:
    """A tick of a full stream, noise drawing and admissions included, over as many bare DiT forwards as it holds.

    Attributes:
        load: what every slot was asked for, one of `engine.bench.loads.LOADS`.
        frames, depth: T, and slots in flight.
        forwards: forwards per tick, of B = 1, in the median tick.
        forward_ms, tick_ms: one forward, one tick.
        ratio: 1.02 means that a tick costs 2 % on top of its forwards.
    """

    load: str
    frames: int
    depth: int
    forwards: float
    forward_ms: Percentiles
    tick_ms: Percentiles
    ratio: Ratio


def tick_over_forwards(
    session: Session,
    frames: int = 400,
    depth: int = 4,
    *,
    name: str = "plain",
    pairs: int = 60,
    done: Progress | None = None,
) -> TickOverForwards:
    """Time ticks of a stream that is fed a new request in every tick, in turns with bare forwards of the same shapes.

    Args:
        session: what to measure.
        frames: T.
        depth: slots in flight, 1 .. 8.
        name: one of `engine.bench.loads.LOADS`.
        pairs: to measure, 1 or more.
        done: called after every pair.

    Raises:
        RequestError: frames, depth or name.
        EngineError: pairs is less than 1.
    """
    asked = load(session, name, frames)
    requests = asked.requests()
    backend = session.backend
    # as many latents and contexts as there are slots: what a tick reads has left the cache when its turn comes
    latents = [torch.tensor(normal(slot, 0, frames))[None] for slot in range(depth)]
    context = np.concatenate([session.empty_latent(frames), np.ones((frames, 64), np.float32)], axis=1)
    contexts = [torch.tensor(context)[None] for _ in range(depth)]

    with session.open_stream(frames, depth) as stream:

        def tick() -> tuple[Took, int]:
            stream.submit(next(requests))
            start = now()
            finished = stream.tick()
            took = now() - start
            return took, (stream.stats().active + len(finished)) * len(asked.forwards)

        def forwards() -> Took:
            start = now()
            for x, around in zip(latents, contexts, strict=True):
                for conditioning in asked.forwards:
                    backend.dit_step(x, 0.5, conditioning, around)
            return (now() - start) * (1 / (depth * len(asked.forwards)))

        for _ in range(2 * asked.request.steps):  # full, and every code path has run
            tick()
        forwards()
        results = in_turns(tick, forwards, pairs, done)

    ticks = [tick for (tick, _), _ in results]
    held = [number for (_, number), _ in results]
    single = [forward for _, forward in results]
    return TickOverForwards(
        load=name,
        frames=frames,
        depth=depth,
        forwards=float(np.median(held)),
        forward_ms=milliseconds(single),
        tick_ms=milliseconds(ticks),
        ratio=Ratio.of([tick * (1 / number) for tick, number in zip(ticks, held, strict=True)], single),
    )
