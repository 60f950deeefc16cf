"""The networks as PyTorch runs them, operation by operation."""

import torch
from torch import Tensor

from engine.backends import NO_LORAS, Loras
from engine.lora.library import LoraLibrary
from engine.model.models import Models
from engine.model.prune import prune
from engine.request.conditioning import Conditioning


class EagerBackend:
    """diffusers' DiT and the pruned VAE, B = 1. See `engine.backends.Backend`."""

    name = "eager"

    def __init__(self, models: Models, loras: LoraLibrary) -> None:
        """Take over the DiT, its LoRAs and the VAE; the VAE's weight norm is folded in place."""
        self._loras = loras
        self._transformer = models.transformer
        self._encoder, self._decoder = prune(models.vae)

    @torch.inference_mode()
    def dit_step(
        self, x: Tensor, time: float, conditioning: Conditioning, context: Tensor, loras: Loras = NO_LORAS
    ) -> Tensor:
        """See `engine.backends.Backend.dit_step`."""
        self._loras.activate(loras)
        when = torch.full((1,), time, dtype=torch.float32)
        return self._transformer(
            hidden_states=x,
            timestep=when,
            timestep_r=when,  # r = t as in AceStepPipeline: no mean-flow jump
            encoder_hidden_states=torch.tensor(conditioning.states).unsqueeze(0),
            context_latents=context,
            return_dict=False,
        )[0]

    @torch.inference_mode()
    def vae_encode(self, audio: Tensor) -> Tensor:
        """See `engine.backends.Backend.vae_encode`."""
        return self._encoder(audio).transpose(1, 2)

    @torch.inference_mode()
    def vae_decode(self, latent: Tensor) -> Tensor:
        """See `engine.backends.Backend.vae_decode`."""
        return self._decoder(latent.transpose(1, 2).contiguous())
