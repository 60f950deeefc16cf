"""The slots of a pass: those of each region that is under way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sidecar.slots import Slots

if TYPE_CHECKING:
    from engine import EngineError, Session
    from sidecar.prompts import Prompts
    from sidecar.score import Score

Latents = dict[int, NDArray[np.float32]]
"""The newest latent [T, 64] of each region, by its number."""


class RegionSlots:
    """Opens and closes the slots of regions; their generations are numbered together.

    Args:
        session: the engine.
        score: what the pass is rendered from.

    Attributes:
        error: why the last generation that failed did; the pass goes on with the one before.
    """

    def __init__(self, session: Session, score: Score) -> None:
        self._session = session
        self._score = score
        self._prompts = score.prompts
        self._slots: dict[int, Slots] = {}
        self._generations = 0
        self.error: EngineError | None = None

    @property
    def open_regions(self) -> list[int]:
        """The numbers of the regions that are under way, ascending."""
        return sorted(self._slots)

    def open(self, index: int) -> Slots:
        """The slots of a region, opened if need be."""
        if index not in self._slots:
            self._slots[index] = Slots(self._session, self._score, index, self._prompts)
        return self._slots[index]

    def among(self, indices: Iterable[int]) -> list[Slots]:
        """The slots of those of these regions that are under way."""
        return [self._slots[index] for index in indices if index in self._slots]

    def latents(self, indices: Iterable[int]) -> Latents:
        """The newest latents of these regions, as far as there are any."""
        newest = {index: self._slots[index].newest for index in indices if index in self._slots}
        return {index: done.latent for index, done in newest.items() if done is not None and done.latent is not None}

    def use(self, prompts: Prompts) -> None:
        """Generate from other prompts from now on."""
        self._prompts = prompts
        for slots in self._slots.values():
            slots.use(prompts)

    def step(self, slots: Slots) -> None:
        """One step of everything in flight in a region."""
        slots.tick(self._numbered)
        self.error = slots.error or self.error

    def leave(self, first: int) -> None:
        """Close the regions before this one."""
        for index in [index for index in self._slots if index < first]:
            self._slots.pop(index).close()

    def close(self) -> None:
        """Give the engine's memory back."""
        for slots in self._slots.values():
            slots.close()
        self._slots.clear()

    def _numbered(self) -> int:
        self._generations += 1
        return self._generations
