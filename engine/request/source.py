"""Source audio as the model sees it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.checks import frozen
from engine.constants import LATENT_CHANNELS
from engine.errors import RequestError


@dataclass(frozen=True, eq=False)
class Source:
    """An encoded source. `Session.prepare_source` makes it.

    Attributes:
        latent: [T, 64] float32, read-only: the VAE's posterior mean.
        hints: [T, 64] float32, read-only: the latent through the 5 Hz audio tokens and back, the DiT's cover context.

    Raises:
        RequestError: wrong shape, not finite, or latent and hints of different length.
    """

    latent: NDArray[np.float32]
    hints: NDArray[np.float32]

    def __post_init__(self) -> None:
        latent = frozen(self.latent, (None, LATENT_CHANNELS), "source.latent")
        hints = frozen(self.hints, (None, LATENT_CHANNELS), "source.hints")
        if latent.shape != hints.shape:
            raise RequestError(
                "source.hints",
                f"array{list(hints.shape)}",
                "is not as long as the latent",
                f"Pass hints {list(latent.shape)}.",
            )
        object.__setattr__(self, "latent", latent)
        object.__setattr__(self, "hints", hints)

    @property
    def frames(self) -> int:
        """T, the number of latent frames."""
        return self.latent.shape[0]
