"""The networks as PyTorch runs them, operation by operation."""

import torch
from torch import Tensor

from engine.models import Models
from engine.prune import prune


class EagerBackend:
    """diffusers' DiT and the pruned VAE, B = 1. See `engine.backends.Backend`."""

    name = "eager"

    def __init__(self, models: Models) -> None:
        """Take over the DiT and the VAE; the VAE's weight norm is folded in place."""
        self._transformer = models.transformer
        self._encoder, self._decoder = prune(models.vae)

    @torch.inference_mode()
    def dit_step(self, x: Tensor, time: float, states: Tensor, context: Tensor) -> Tensor:
        """See `engine.backends.Backend.dit_step`."""
        when = torch.full((1,), time, dtype=torch.float32)
        return self._transformer(
            hidden_states=x,
            timestep=when,
            timestep_r=when,  # r = t as in AceStepPipeline: no mean-flow jump
            encoder_hidden_states=states,
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
