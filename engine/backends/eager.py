"""The networks as PyTorch runs them, operation by operation."""

import torch
from torch import Tensor

from engine.backends import NO_LORAS, Loras
from engine.backends.variants import DitVariants
from engine.dit.forward import velocity
from engine.lora.library import LoraLibrary
from engine.model.models import Models
from engine.model.prune import prune
from engine.request.conditioning import Conditioning


class EagerBackend:
    """The DiT's forward (`engine.dit.forward`) and the pruned VAE, B = 1. See `engine.backends.Backend`."""

    name = "eager"

    def __init__(self, models: Models, loras: LoraLibrary) -> None:
        """Take over the DiT, its LoRAs and the VAE; the VAE's weight norm is folded in place."""
        self.dits = DitVariants(models.transformer, loras)
        self._encoder, self._decoder = prune(models.vae)

    @torch.inference_mode()
    def dit_step(
        self, x: Tensor, time: float, conditioning: Conditioning, context: Tensor, loras: Loras = NO_LORAS
    ) -> Tensor:
        """See `engine.backends.Backend.dit_step`."""
        dit = self.dits.under(loras)
        tokens = x.shape[1] // dit.shape.patch
        return velocity(
            dit.weights,
            dit.shape,
            x,
            context,
            dit.modulation(time),
            dit.cross(conditioning),
            dit.positions(tokens),
        )

    @torch.inference_mode()
    def vae_encode(self, audio: Tensor) -> Tensor:
        """See `engine.backends.Backend.vae_encode`."""
        return self._encoder(audio).transpose(1, 2)

    @torch.inference_mode()
    def vae_decode(self, latent: Tensor) -> Tensor:
        """See `engine.backends.Backend.vae_decode`."""
        return self._decoder(latent.transpose(1, 2).contiguous())
