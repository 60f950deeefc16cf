"""A source on its way through the encoder."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.backends import VaeBackend
from engine.codec.spans import Span
from engine.constants import FRAME_SAMPLES, LATENT_CHANNELS
from engine.request.source import Source


class Encoding:
    """A source that is encoded a tile at a time, so that other work finds its turn. Use `Session.begin_source`.

    Args:
        backend: encodes.
        audio: [1, 2, T x 1920] float32.
        tiles: spans whose kept frames cover it once, in order.
        hints: makes hints [T, 64] of a latent [1, T, 64].
    """

    def __init__(
        self, backend: VaeBackend, audio: Tensor, tiles: list[Span], hints: Callable[[Tensor], Tensor]
    ) -> None:
        self._backend = backend
        self._audio: Tensor | None = audio
        self._latent = torch.empty(1, audio.shape[2] // FRAME_SAMPLES, LATENT_CHANNELS)
        self._left = tiles
        self._hints = hints
        self._done = 0
        self.source: Source | None = None

    def advance(self) -> Source | None:
        """Encode the next tile; the source once it was the last. Calling it again does nothing."""
        if self.source is None and self._audio is not None:
            with torch.inference_mode():
                self._encode(self._audio, self._left.pop(0))
                if not self._left:
                    self.source = Source(latent=_copied(self._latent[0]), hints=_copied(self._hints(self._latent)))
                    self._audio = None
        return self.source

    def finish(self) -> Source:
        """Encode what is left."""
        while self.source is None:
            self.advance()
        return self.source

    def _encode(self, audio: Tensor, span: Span) -> None:
        piece = audio[:, :, span.first * FRAME_SAMPLES : (span.first + span.length) * FRAME_SAMPLES]
        encoded = self._backend.vae_encode(piece.contiguous())
        self._latent[:, self._done : self._done + span.keep] = encoded[:, span.lead : span.lead + span.keep]
        self._done += span.keep


def _copied(rows: Tensor) -> NDArray[np.float32]:
    return rows.numpy().copy()
