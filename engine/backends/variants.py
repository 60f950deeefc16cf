"""One DiT under the LoRA sets that rows ask for."""

from typing import Final, TypeAlias

from diffusers.models.transformers.ace_step_transformer import AceStepTransformer1DModel

from engine.backends import Loras
from engine.dit.dit import Dit
from engine.dit.recent import Recent
from engine.dit.shape import DitShape
from engine.dit.weights import Reader
from engine.lora.library import LoraLibrary

_KEPT_BESIDE: Final = 8  # sets that rows may alternate between; a set holds references and a few vectors
_KEPT_INSIDE: Final = 2  # a set holds a copy of every weight that it touches

_Identity: TypeAlias = tuple[tuple[str, float], ...]


class DitVariants:
    """The DiT without LoRAs, and with those of each set that was asked for last."""

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
        self.plain = Dit(Reader(transformer), DitShape.of(transformer))
        self._kept: Recent[_Identity, Dit] = Recent(_KEPT_INSIDE if merged else _KEPT_BESIDE)
        self._removals = loras.removals

    def under(self, loras: Loras) -> Dit:
        """The DiT with exactly these LoRAs.

        Raises:
            RequestError, LoraError: as `LoraLibrary.checked`.
        """
        if self._removals != self._loras.removals:
            self._kept.clear()  # removed LoRAs are to leave the memory
            self._removals = self._loras.removals
        identity = self._loras.identity(loras) if loras else ()
        return self._kept.get(identity, lambda: self._made(loras)) if identity else self.plain

    def _made(self, loras: Loras) -> Dit:
        if self._merged:
            reader = Reader(self._transformer, inside=self._loras.merged(loras))
        else:
            reader = Reader(self._transformer, beside=self._loras.factors(loras))
        return Dit(reader, self.plain.shape, self.plain)
