"""One DiT under the LoRA sets that rows ask for."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from diffusers.models.transformers.ace_step_transformer import AceStepTransformer1DModel
from torch import Tensor

from engine.backends import Loras
from engine.dit.dit import Dit
from engine.dit.linear import LowRank
from engine.dit.shape import DitShape
from engine.dit.weights import Reader
from engine.lora.library import LoraLibrary

_KEPT_BESIDE: Final = 8  # sets that rows may alternate between; a set holds references and a few vectors
_KEPT_INSIDE: Final = 2  # a set holds a copy of every weight that it touches

_Identity: TypeAlias = tuple[tuple[str, float], ...]


@dataclass(frozen=True, eq=False)
class _Variant:
    dit: Dit
    beside: Mapping[str, LowRank]
    inside: Mapping[str, Tensor]


class DitVariants:
    """The DiT without LoRAs, and with those of each set that was asked for last.

    Strengths that move make a new set at every step. It takes over the tensors of the set that was used longest ago, if
    that one has the same LoRAs: only the strengths in them are written anew.
    """

    def __init__(self, transformer: AceStepTransformer1DModel, loras: LoraLibrary, *, merged: bool = False) -> None:
        """
        Args:
            transformer: stays as it is.
            loras: stays as it is.
            merged: add LoRAs to copies of the weights, instead of running them beside the weights.
        """
        self._transformer = transformer
        self._loras = loras
        self._merged = merged
        self._limit = _KEPT_INSIDE if merged else _KEPT_BESIDE
        self.plain = Dit(Reader(transformer), DitShape.of(transformer))
        self._kept: OrderedDict[_Identity, _Variant] = OrderedDict()
        self._removals = loras.removals

    def under(self, loras: Loras) -> Dit:
        """The DiT with exactly these LoRAs, until the next call.

        Raises:
            RequestError, LoraError: as `LoraLibrary.checked`.
        """
        if self._removals != self._loras.removals:
            self._kept.clear()  # removed LoRAs are to leave the memory
            self._removals = self._loras.removals
        identity = self._loras.identity(loras) if loras else ()
        if not identity:
            return self.plain
        if identity not in self._kept:
            self._kept[identity] = self._taken_over(identity, loras) or self._made(loras)
        self._kept.move_to_end(identity)
        return self._kept[identity].dit

    def _taken_over(self, identity: _Identity, loras: Loras) -> _Variant | None:
        if len(self._kept) < self._limit:
            return None
        oldest, variant = self._kept.popitem(last=False)
        if [name for name, _ in oldest] != [name for name, _ in identity] or not variant.dit.under_others():
            return None
        if self._merged:
            self._loras.merged(loras, variant.inside)
        else:
            wanted = self._loras.factors(loras)
            # layers that the same LoRAs touch share one vector of strengths
            shared = {id(low.gains): (low.gains, wanted[layer].gains) for layer, low in variant.beside.items()}
            for gains, strengths in shared.values():
                gains.copy_(strengths)
        return variant

    def _made(self, loras: Loras) -> _Variant:
        beside = {} if self._merged else self._loras.factors(loras)
        inside = self._loras.merged(loras) if self._merged else {}
        reader = Reader(self._transformer, beside=beside, inside=inside)
        return _Variant(Dit(reader, self.plain.shape, self.plain), beside, inside)
