"""In place of a session's backend: what counts forwards, what keeps them, and what computes a window of them."""

import torch
from torch import Tensor

from engine.backends import NO_LORAS, Loras
from engine.backends.variants import DitVariants
from engine.dit.forward import velocity, whole_song
from engine.errors import EngineError
from engine.request.conditioning import Conditioning
from engine.song.context import Kept, in_context, keeping


class Counter:
    """Runs no network: counts the forwards that a request takes."""

    name = "counter"

    def __init__(self) -> None:
        self.forwards = 0

    def dit_step(
        self, x: Tensor, time: float, conditioning: Conditioning, context: Tensor, loras: Loras = NO_LORAS
    ) -> Tensor:
        """See `engine.backends.DitBackend.dit_step`; a velocity of 0."""
        del time, conditioning, context, loras
        self.forwards += 1
        return torch.zeros_like(x)


class Keeper:
    """Runs whole songs, one generation of them, and keeps every forward of it."""

    name = "keeper"

    def __init__(self, dits: DitVariants) -> None:
        self.kept: list[Kept] = []
        self._dits = dits

    def dit_step(
        self, x: Tensor, time: float, conditioning: Conditioning, context: Tensor, loras: Loras = NO_LORAS
    ) -> Tensor:
        """See `engine.backends.DitBackend.dit_step`."""
        dit = self._dits.under(loras)
        positions = dit.positions(x.shape[1] // dit.shape.patch)
        keys: list[Tensor] = []
        values: list[Tensor] = []
        made = velocity(
            dit.weights,
            dit.shape,
            x,
            context,
            dit.modulation(time),
            dit.cross(conditioning),
            positions,
            keeping(keys, values, whole_song(dit.shape, positions)),
        )
        self.kept.append(Kept(time, tuple(keys), tuple(values), made))
        return made


class WindowForwards:
    """Runs one generation of a song of which it computes a window; elsewhere velocities are those that were kept."""

    name = "window"

    def __init__(self, dits: DitVariants, kept: list[Kept], first: int, frames: int) -> None:
        """
        Args:
            dits: run the window.
            kept: every forward of the full generation, in order.
            first, frames: the window, whole patches.
        """
        self._dits = dits
        self._kept = kept
        self._frames = slice(first, first + frames)
        self._next = 0

    @property
    def complete(self) -> bool:
        """Whether as many forwards ran as were kept."""
        return self._next == len(self._kept)

    def dit_step(
        self, x: Tensor, time: float, conditioning: Conditioning, context: Tensor, loras: Loras = NO_LORAS
    ) -> Tensor:
        """See `engine.backends.DitBackend.dit_step`.

        Raises:
            EngineError: the full generation had no such forward here.
        """
        if self.complete or self._kept[self._next].time != time:
            raise other_forwards()
        kept = self._kept[self._next]
        self._next += 1
        dit = self._dits.under(loras)
        window = self._frames
        made = kept.velocity.clone()
        made[:, window] = velocity(
            dit.weights,
            dit.shape,
            x[:, window].contiguous(),
            context[:, window].contiguous(),
            dit.modulation(time),
            dit.cross(conditioning),
            dit.positions(x.shape[1] // dit.shape.patch),
            in_context(kept, dit.shape, window.start, window.stop),
            window.start // dit.shape.patch,
        )
        return made


def other_forwards() -> EngineError:
    """The request runs other forwards than the context was made with."""
    return EngineError(
        "The request runs other prompts or guidance per step than its frozen context did.",
        "Call refresh with it, or keep prompts, their step ranges and the guidance mode as they were.",
        code="stale_context",
    )
