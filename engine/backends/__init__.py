"""The seam between the engine and whatever runs the networks."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias, runtime_checkable

from torch import Tensor

from engine.request.conditioning import Conditioning

Loras: TypeAlias = Mapping[str, float]
"""Strength per LoRA name; a LoRA that is not named does not act."""

NO_LORAS: Final[Loras] = MappingProxyType({})


class DitBackend(Protocol):
    """Runs the DiT on one row at a time.

    Executor contract: the result of a row depends on that row alone. On a CPU that holds because every forward has
    B = 1; a backend that batches must fix its batch size and record it.
    """

    name: str

    def dit_step(
        self, x: Tensor, time: float, conditioning: Conditioning, context: Tensor, loras: Loras = NO_LORAS
    ) -> Tensor:
        """Velocity at one time.

        Args:
            x: [1, T, 64] float32, contiguous; T even.
            time: t in 0 .. 1.
            conditioning: what the DiT attends to. A backend may keep what it derives from one, by identity: they are
                immutable. Rows that its mask marks as padding have no influence.
            context: [1, T, 128] float32: 64 context channels, then 64 of chunk mask.
            loras: LoRAs that act in this forward, and how strongly.

        Returns:
            [1, T, 64] float32.
        """
        ...


class VaeBackend(Protocol):
    """Runs the VAE on one row at a time, under the same contract."""

    def vae_encode(self, audio: Tensor) -> Tensor:
        """Posterior mean [1, T, 64] float32 of audio [1, 2, 1920 T] float32."""
        ...

    def vae_decode(self, latent: Tensor) -> Tensor:
        """Audio [1, 2, 1920 T] float32 of a latent [1, T, 64] float32."""
        ...


class Backend(DitBackend, VaeBackend, Protocol):
    """Runs all networks of a session."""


@runtime_checkable
class Warmable(Protocol):
    """A backend that has work to do once, before its first forward."""

    def warm_up(self, frames: int) -> Mapping[str, float]:
        """Do it for T = frames, if it was not done.

        Returns:
            Seconds that each part took, by name, such as "compile".
        """
        ...
