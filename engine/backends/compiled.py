"""The DiT as machine code for this machine, compiled once by AOTInductor and loaded at first use."""

from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any, Final
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from engine.backends import NO_LORAS, Loras
from engine.backends.program import inputs, leaves
from engine.backends.vae import EagerVae
from engine.backends.variants import DitVariants
from engine.dit.dit import Dit
from engine.dit.forward import velocity
from engine.errors import EngineError
from engine.lora.library import LoraLibrary
from engine.model.models import Models
from engine.request.conditioning import Conditioning

_MOST_SCORES: Final = 1 << 24  # of one attention, 64 MB; the program holds them at once, the eager forward in parts


class CompiledBackend(EagerVae):
    """A compiled DiT and the eager VAE, B = 1. See `engine.backends.Backend`.

    LoRAs act through weights that they were added to. A row that the program cannot take (a conditioning of one row,
    or more tokens than its attention has room for) runs eagerly: which of both runs depends on that row alone.
    """

    name = "compiled"

    def __init__(self, models: Models, loras: LoraLibrary, package: Path) -> None:
        """
        Args:
            models: their DiT and VAE are taken over.
            loras: of the session.
            package: what `engine.backends.packages` made for this DiT. Read at first use: a session that was opened
                may still be forked.
        """
        super().__init__(models)
        self.dits = DitVariants(models.transformer, loras, merged=True)
        self._package = package
        self._loader: Any = None
        self._weights: WeakKeyDictionary[Dit, list[Tensor]] = WeakKeyDictionary()

    @torch.inference_mode()
    def dit_step(
        self, x: Tensor, time: float, conditioning: Conditioning, context: Tensor, loras: Loras = NO_LORAS
    ) -> Tensor:
        """See `engine.backends.DitBackend.dit_step`."""
        dit = self.dits.under(loras)
        tokens = x.shape[1] // dit.shape.patch
        modulation, cross, positions = dit.modulation(time), dit.cross(conditioning), dit.positions(tokens)
        scores = tokens * tokens * dit.shape.heads // dit.shape.groups
        if cross.keys.shape[2] == 1 or scores > _MOST_SCORES:
            return velocity(dit.weights, dit.shape, x, context, modulation, cross, positions)
        given = inputs(self._weights_of(dit), x, context, modulation, cross, positions)
        return self._loaded().run(given)[0]

    def warm_up(self, frames: int) -> dict[str, float]:
        """Load the machine code, and make the tables of T = frames. See `engine.backends.Warmable`."""
        start = perf_counter()
        self._loaded()
        loaded = perf_counter()
        self.dits.plain.positions(frames // self.dits.plain.shape.patch)
        return {"load": loaded - start, "tables": perf_counter() - loaded}

    def _weights_of(self, dit: Dit) -> list[Tensor]:
        found = self._weights.get(dit)
        if found is None:
            # kept: walking the dataclasses anew in every forward took 2 % of it (docs/log.md)
            found = self._weights[dit] = list(leaves(dit.weights))
        return found

    def _loaded(self) -> Any:
        if self._loader is None:
            try:
                # the loader itself takes the tensors as they are; the object around it sorts them anew at every call
                inductor: Any = import_module("torch._inductor")
                self._loader = inductor.aoti_load_package(str(self._package)).loader
            except (RuntimeError, OSError) as error:
                raise EngineError(
                    f"The compiled DiT {self._package} cannot be loaded ({str(error).splitlines()[0]}).",
                    'Delete the file and open the session again, or use backend="eager".',
                    code="backend",
                ) from error
        return self._loader
