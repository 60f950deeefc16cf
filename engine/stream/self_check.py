"""The self-check: whether streamed latents equal one-shot ones, bit for bit, on the machine that it runs on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from engine.constants import LATENT_CHANNELS
from engine.request.condition import Condition
from engine.request.conditioning import Conditioning
from engine.request.dcw import Dcw
from engine.request.request import Request
from engine.request.source import Source
from engine.stream.stream import Stream

PROVED: Final = "bit-exact on this machine, backend and thread count"
_STEPS: Final = 3  # so that every slot meets neighbours at other steps


@dataclass(frozen=True, kw_only=True)
class SelfCheck:
    """What a self-check found.

    Attributes:
        backend, frames, threads: what was checked; frames is T, threads are torch's.
        generations: how many streamed generations were compared with one-shot ones.
        differing: how many of them are not the same bytes.
        largest_difference: largest absolute difference of a latent's value; infinite where one was lost.
    """

    backend: str
    frames: int
    threads: int
    generations: int
    differing: int
    largest_difference: float

    @property
    def proved(self) -> bool:
        """Every generation came out as the same bytes."""
        return self.differing == 0

    @property
    def claim(self) -> str:
        """What may be said here about streamed and one-shot latents."""
        if self.proved:
            return PROVED
        return (
            f"not bit-exact here: {self.differing} of {self.generations} streamed generations differ from one-shot "
            f"ones, by up to {self.largest_difference:.1e}"
        )


def self_check(open_stream: Callable[[int], Stream], prompts: Sequence[Conditioning], frames: int) -> SelfCheck:
    """Stream unlike requests side by side, among them one that runs into infinity, and compare each with itself alone.

    Args:
        open_stream: a stream of T = frames and of the depth given.
        prompts: two, of different lengths.
        frames: T.
    """
    requests = _requests(prompts, frames)
    poison = Request(conditioning=prompts[0], frames=frames, steps=_STEPS, velocity_scale=3e38)
    alone = [_streamed(open_stream(1), [request])[0] for request in requests]
    differences: list[float] = []
    for depth, order in ((8, (0, 1, 2, 3, 4)), (2, (4, 2, 0, 3, 1))):
        together = _streamed(open_stream(depth), [poison, *(requests[n] for n in order)])
        differences += [_difference(alone[n], got) for n, got in zip(order, together[1:], strict=True)]
    return SelfCheck(
        backend=open_stream(1).stats().backend,
        frames=frames,
        threads=torch.get_num_threads(),
        generations=len(differences),
        differing=sum(difference > 0.0 for difference in differences),
        largest_difference=max(differences),
    )


def _requests(prompts: Sequence[Conditioning], frames: int) -> list[Request]:
    rng = np.random.default_rng(0)
    source = Source(*rng.standard_normal((2, frames, LATENT_CHANNELS)).astype(np.float32))
    wave = (0.5 + 0.5 * np.sin(np.arange(frames))).astype(np.float32)
    first, second = prompts

    def request(seed: int, conditioning: Conditioning, **fields: object) -> Request:
        return Request(conditioning=conditioning, frames=frames, seed=seed, steps=_STEPS, **fields)  # type: ignore[arg-type]

    return [
        request(1, first),
        request(2, second, source=source, denoise=0.6, mask=wave, solver="sde"),
        request(3, first, source=source, denoise=0.9, guidance=3.0 * wave, negative=second, cfg_rescale=0.5, dcw=Dcw()),
        request(4, second, guidance=2.0, guidance_mode="self", ode_noise=wave, channel_gain=np.linspace(0.5, 1.5, 64)),
        request(5, first, conditions=[Condition(conditioning=second, weight=wave)], velocity_scale=0.5 + wave),
    ]


def _streamed(stream: Stream, requests: Sequence[Request]) -> list[NDArray[np.float32] | None]:
    """Latents in the order of the requests, each submitted as soon as the one before was admitted."""
    latents: dict[int, NDArray[np.float32] | None] = {}
    with stream:
        for request in requests:
            stream.submit(request)
            while stream.stats().waiting:
                latents |= {done.request_id: done.latent for done in stream.tick()}
        latents |= {done.request_id: done.latent for done in stream.flush()}
    return [latents[number + 1] for number in range(len(requests))]


def _difference(alone: NDArray[np.float32] | None, streamed: NDArray[np.float32] | None) -> float:
    if alone is None or streamed is None:
        return float("inf")
    if alone.tobytes() == streamed.tobytes():
        return 0.0
    # bytes may differ where values do not: a zero's sign counts too
    return max(float(np.abs(alone - streamed).max()), float(np.finfo(np.float32).tiny))
