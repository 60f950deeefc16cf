"""Decoding a window against decoding everything."""

from dataclasses import dataclass

import numpy as np
import torch

from engine.bench.pairs import Percentiles, Progress, Ratio, Took, in_turns, milliseconds, timed
from engine.codec.codec import DECODE_MARGIN
from engine.session import Session
from engine.step.noise import normal


@dataclass(frozen=True, kw_only=True)
class WindowOverFull:
    """Decoding W frames in the middle of T over decoding all T.

    Attributes:
        frames, window: T and W.
        window_ms: one window.
        tiled_ms, whole_ms: all of it in tiles (`Session.decode_all`), and in one forward.
        over_full: window over full; full is whichever of the two is faster.
        over_share: the same over (W + 18) / T, the share of the frames that a window needs with its nine exact frames
            on each side. 1 is a decoder whose cost is proportional to what it decodes.
    """

    frames: int
    window: int
    window_ms: Percentiles
    tiled_ms: Percentiles
    whole_ms: Percentiles
    over_full: Ratio
    over_share: Ratio


def window_over_full(
    session: Session, frames: int = 400, window: int = 25, *, pairs: int = 20, done: Progress | None = None
) -> WindowOverFull:
    """Time window decodes in turns with full decodes.

    Args:
        session: what to measure.
        frames: T, at least W + 18.
        window: W, in the middle.
        pairs: to measure, 1 or more.
        done: called after every pair.

    Raises:
        RequestError: a window that is not inside T.
        EngineError: pairs is less than 1.
    """
    latent = normal(0, 0, frames)
    start = (frames - window) // 2
    row = torch.tensor(latent)[None]
    backend = session.backend

    def part() -> Took:
        return timed(lambda: session.decode(latent, start, window))

    def full() -> tuple[Took, Took]:
        return timed(lambda: session.decode_all(latent)), timed(lambda: backend.vae_decode(row))

    part()
    full()
    results = in_turns(part, full, pairs, done)
    parts = [took for took, _ in results]
    tiled, whole = ([took[n] for _, took in results] for n in range(2))
    fastest = min(tiled, whole, key=lambda times: np.median([took.cpu for took in times]))
    share = (window + 2 * DECODE_MARGIN) / frames
    return WindowOverFull(
        frames=frames,
        window=window,
        window_ms=milliseconds(parts),
        tiled_ms=milliseconds(tiled),
        whole_ms=milliseconds(whole),
        over_full=Ratio.of(parts, fastest),
        over_share=Ratio.of(parts, [took * share for took in fastest]),
    )
