"""A DiT ready to run: its weights under one set of LoRAs, and the tables that its forwards share."""

from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

import torch

from engine.dit.cross import Cross, cross_of
from engine.dit.modulation import Modulation, TimeEmbedding
from engine.dit.positions import Positions
from engine.dit.recent import Recent
from engine.dit.shape import DitShape
from engine.dit.weights import DitWeights, Reader
from engine.request.conditioning import Conditioning

_KEPT_TIMES: Final = 128  # eight slots with schedules of their own, 8 steps each, twice over
_KEPT_LENGTHS: Final = 4  # a stream has one T, beside it a one-shot or two
_KEPT_CROSS_BYTES: Final = 256 << 20  # 2 MB a prompt with the shipped checkpoint, 60 MB at ACE-Step's 2B


class Dit:
    """One set of weights.

    What it keeps is a function of its key alone, so a forward's bits do not depend on what is kept.

    Attributes:
        shape: sizes.
        weights: what the forward multiplies with.
        crosses: what was made of conditionings.
    """

    def __init__(self, reader: Reader, shape: DitShape, plain: "Dit | None" = None) -> None:
        """
        Args:
            reader: of the transformer's parameters and of the LoRAs that act.
            shape: of the transformer.
            plain: the same transformer without LoRAs; what these LoRAs do not touch is shared with it.
        """
        self.shape = shape
        self.weights = DitWeights.read(reader, shape)
        self._embed: TimeEmbedding
        if plain is None or reader.touches("time_embed"):
            self._embed = TimeEmbedding(reader, len(self.weights.blocks))
            self._modulations: Recent[float, Modulation] = Recent(_KEPT_TIMES)
        else:
            self._embed, self._modulations = plain._embed, plain._modulations  # noqa: SLF001 - another of this class
        if plain is None or reader.touches("condition_embedder", "cross_attn.to_k", "cross_attn.to_v"):
            self.crosses = Crosses()
        else:
            self.crosses = plain.crosses
        self._own_times = plain is None or self._modulations is not plain._modulations  # noqa: SLF001
        self._own_crosses = plain is None or self.crosses is not plain.crosses
        self._positions: Recent[int, Positions] = Recent(_KEPT_LENGTHS) if plain is None else plain._positions  # noqa: SLF001

    def under_others(self) -> bool:
        """Forget what was made of the weights, whose LoRAs have other strengths now; False where that cannot be done.

        A LoRA on the embedding of t is part of more than the weights.
        """
        if self._own_times:
            return False
        if self._own_crosses:
            self.crosses = Crosses()
        return True

    def modulation(self, time: float) -> Modulation:
        """What the DiT makes of t, for one row."""
        return self._modulations.get(time, lambda: self._embed(time))

    def cross(self, conditioning: Conditioning) -> Cross:
        """What the DiT makes of a conditioning, for one row. Rows that its mask hides are left out."""
        return self.crosses.get(conditioning, lambda: self._project(conditioning))

    def positions(self, tokens: int) -> Positions:
        """The tables of S tokens."""
        return self._positions.get(tokens, lambda: Positions.of(self.shape, tokens))

    def _project(self, conditioning: Conditioning) -> Cross:
        states = conditioning.states if conditioning.mask.all() else conditioning.states[conditioning.mask]
        return cross_of(self.weights, self.shape, torch.tensor(states)[None])


class Crosses:
    """Projected conditionings, as long as they live and up to a number of bytes."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Conditioning, Cross] = WeakKeyDictionary()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, conditioning: Conditioning, make: Callable[[], Cross]) -> Cross:
        """The projection of a conditioning, made now if it is not there."""
        found = self._kept.pop(conditioning, None) or make()
        self._kept[conditioning] = found  # last in order: the one asked for most recently
        while len(self._kept) > 1 and sum(cross.bytes for cross in self._kept.values()) > _KEPT_CROSS_BYTES:
            del self._kept[next(iter(self._kept.keys()))]
        return found
