"""The networks as PyTorch runs them, operation by operation."""

import torch
from torch import Tensor

from engine.backends import NO_LORAS, Loras
from engine.backends.vae import EagerVae
from engine.backends.variants import DitVariants
from engine.dit.forward import velocity
from engine.lora.library import LoraLibrary
from engine.model.models import Models
from engine.request.conditioning import Conditioning


class EagerBackend(EagerVae):
    """The DiT's forward (`engine.dit.forward`) and the pruned VAE, B = 1. See `engine.backends.Backend`."""

    name = "eager"

    def __init__(self, models: Models, loras: LoraLibrary) -> None:
        """Take over the DiT, its LoRAs and the VAE."""
        super().__init__(models)
        self.dits = DitVariants(models.transformer, loras)

    @torch.inference_mode()
    def dit_step(
        self, x: Tensor, time: float, conditioning: Conditioning, context: Tensor, loras: Loras = NO_LORAS
    ) -> Tensor:
        """See `engine.backends.DitBackend.dit_step`."""
        dit = self.dits.under(loras)
        cross, positions = dit.cross(conditioning), dit.positions(x.shape[1] // dit.shape.patch)
        return velocity(dit.weights, dit.shape, x, context, dit.modulation(time), cross, positions)
