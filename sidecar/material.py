"""Material: what one region of a pass is rendered from, prepared for the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine import Source
    from sidecar.fields import Clock
    from sidecar.prompts import Prompts
    from sidecar.region import Region


@dataclass(frozen=True, eq=False)
class Structure:
    """A structure reference over a region.

    Attributes:
        hints: [T, 64].
        there: [T] float32, 1 where the reference has audio, else 0: there the source keeps its own structure.
        otherwise: [T, 64], what stands for the structure of no source: silence.
    """

    hints: NDArray[np.float32]
    there: NDArray[np.float32]
    otherwise: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Material:
    """What one region is rendered from.

    Attributes:
        region: in song frames.
        source: over it; None is text to music, with denoise 1 throughout.
        prompts: those of the pass's beginning.
        clock: of the document.
        structure: a structure reference over it.
        noise_start: its first frame in the song's noise, which neighbouring regions share where they overlap.
    """

    region: Region
    source: Source | None
    prompts: Prompts
    clock: Clock
    structure: Structure | None = None
    noise_start: int = 0
