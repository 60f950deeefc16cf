"""What the DiT attends to: encoded prompt, lyrics and timbre."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.checks import frozen
from engine.errors import RequestError


@dataclass(frozen=True, eq=False)
class Conditioning:
    """Encoder states of one prompt. `Session.encode_text` makes them.

    Attributes:
        states: [L, D] float32, read-only; D is the checkpoint's encoder width.
        mask: [L] bool, read-only; False marks padding. The ACE-Step DiT attends to every row whatever the mask says,
            so conditioning is never padded here and the mask is all True.

    Raises:
        RequestError: wrong shape or not finite.
    """

    states: NDArray[np.float32]
    mask: NDArray[np.bool_]

    def __post_init__(self) -> None:
        states = frozen(self.states, (None, None), "conditioning.states")
        mask = np.array(self.mask, dtype=np.bool_)
        if mask.shape != (states.shape[0],):
            raise RequestError(
                "conditioning.mask",
                f"array{list(mask.shape)}",
                "does not match the states",
                f"Pass an array [{states.shape[0]}].",
            )
        mask.setflags(write=False)
        object.__setattr__(self, "states", states)
        object.__setattr__(self, "mask", mask)
