"""What a stream hands out: finished generations."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.stream.changes import Change


@dataclass(frozen=True, eq=False, kw_only=True)
class Finished:
    """A generation that left its slot.

    Attributes:
        request_id: what `submit` returned.
        tag, control_version: copied from the request.
        latent: [T, 64] float32, read-only; None if it failed.
        generation: 1, 2, 3, ... in the order of completion within the stream; 0 if it failed.
        error: why it failed, or None.
        changes: what acted on it besides its request, oldest first: shared curves and strengths of LoRAs.
            `Session.generate(request, changes=changes)` brings the latent back bit for bit.
    """

    request_id: int
    tag: int
    control_version: int
    latent: NDArray[np.float32] | None
    generation: int
    error: EngineError | None
    changes: tuple[Change, ...] = ()
