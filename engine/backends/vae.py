"""The VAE as PyTorch runs it."""

import torch
from torch import Tensor

from engine.model.models import Models
from engine.model.prune import prune


class EagerVae:
    """The pruned VAE, B = 1, operation by operation."""

    def __init__(self, models: Models) -> None:
        """Take over the VAE; its weight norm is folded in place."""
        self._encoder, self._decoder = prune(models.vae)

    @torch.inference_mode()
    def vae_encode(self, audio: Tensor) -> Tensor:
        """See `engine.backends.VaeBackend.vae_encode`."""
        return self._encoder(audio).transpose(1, 2)

    @torch.inference_mode()
    def vae_decode(self, latent: Tensor) -> Tensor:
        """See `engine.backends.VaeBackend.vae_decode`."""
        return self._decoder(latent.transpose(1, 2).contiguous())
