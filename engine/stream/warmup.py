"""Warm-up: what the first tick would otherwise pay for, done ahead, part by part."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch

from engine.backends import DitBackend, Warmable
from engine.constants import LATENT_CHANNELS
from engine.request.conditioning import Conditioning


@dataclass(frozen=True, kw_only=True)
class WarmedPart:
    """One part of a warm-up.

    Attributes:
        name: what was done, such as "forward".
        seconds: how long it took.
    """

    name: str
    seconds: float


def timed(name: str, work: Callable[[], object]) -> WarmedPart:
    """Do one part."""
    start = perf_counter()
    work()
    return WarmedPart(name=name, seconds=perf_counter() - start)


def warm_up(backend: DitBackend, frames: int, conditioning_width: int) -> tuple[WarmedPart, ...]:
    """Have a backend do what it does once, such as compiling, and one forward of T = frames."""
    own: Mapping[str, float] = {}
    if isinstance(backend, Warmable):
        own = backend.warm_up(frames)
    parts = [WarmedPart(name=name, seconds=seconds) for name, seconds in own.items()]
    rows = 64  # a short prompt; its length is free in every backend
    states = np.zeros((rows, conditioning_width), np.float32)
    blank = Conditioning(states=states, mask=np.ones(rows, np.bool_))
    x, context = torch.zeros(1, frames, LATENT_CHANNELS), torch.zeros(1, frames, 2 * LATENT_CHANNELS)
    with torch.inference_mode():
        parts.append(timed("forward", lambda: backend.dit_step(x, 1.0, blank, context)))
    return tuple(parts)
