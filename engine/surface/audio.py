"""Audio to latents and back."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.analysis.info import AudioInfo, audio_info
from engine.codec.encoding import Encoding
from engine.request.curves import Curve
from engine.request.latents import blend_latents
from engine.request.source import Source
from engine.surface.opened import Opened


class Audio(Opened):
    """The part of a session that is about audio and latents."""

    def prepare_source(self, audio: ArrayLike, frames: int | None = None) -> Source:
        """Encode source audio. Deterministic: the posterior's mean, not a sample.

        Args:
            audio: [2, N] float32 at 48 kHz, N >= 1.
            frames: T, even, 30 .. 15000. None: enough for all of it, a multiple of 10, at least 30. Missing audio is
                silence, audio beyond T frames of 1920 samples is not used.

        Raises:
            RequestError: wrong shape, not finite, or a length that cannot be used.
        """
        return self._open.codec.encode(audio, frames)

    def begin_source(self, audio: ArrayLike, frames: int | None = None) -> Encoding:
        """As `prepare_source`, 4 s of audio at a time: `Encoding.advance` until it returns the source, the same bytes.

        Raises:
            RequestError: as `prepare_source`.
        """
        return self._open.codec.begin(audio, frames)

    def extract_hints(self, latent: ArrayLike) -> NDArray[np.float32]:
        """A latent [T, 64] through the 5 Hz audio tokens and back: what `Source.hints` and `Request.hints` hold.

        Args:
            latent: T is 1 .. 15000; a broken last token of 5 frames is filled up with silence.

        Returns:
            [T, 64] float32.

        Raises:
            RequestError: wrong shape, too long or not finite.
        """
        return self._open.codec.hints(latent)

    @staticmethod
    def audio_info(audio: ArrayLike) -> AudioInfo:
        """Estimate tempo and key of audio [2, N] at 48 kHz; see `engine.audio_info`."""
        return audio_info(audio)

    @staticmethod
    def blend_latents(a: ArrayLike, b: ArrayLike, alpha: Curve = 0.5) -> NDArray[np.float32]:
        """Mix two latents per frame; see `engine.blend_latents`."""
        return blend_latents(a, b, alpha)

    def empty_latent(self, frames: int) -> NDArray[np.float32]:
        """The checkpoint's encoded silence [T, 64] float32."""
        return self._open.codec.silence(frames)

    def decode(self, latent: ArrayLike, start: int, frames: int, cyclic: bool = False) -> NDArray[np.float32]:
        """Decode frames [start, start + frames) of a latent [T, 64]: audio [2, frames * 1920] float32 at 48 kHz.

        The canonical window decode: nine more frames on each side, which is mathematically exact, in a span of one
        length that near the ends is moved inside the latent. Spans of equal length agree bit for bit where they
        overlap; with another length they agree to about 1e-6.

        Args:
            latent: [T, 64].
            start: first frame, 0 .. T - 1.
            frames: 1 .. T.
            cyclic: the latent is a loop: frame T is frame 0 again, for the window as for what is decoded around it.

        Raises:
            RequestError: wrong shape, not finite, or a window that is not inside the latent.
        """
        return self._open.codec.decode(latent, start, frames, cyclic)

    def decode_all(self, latent: ArrayLike) -> NDArray[np.float32]:
        """Decode a whole latent [T, 64] in tiles of one size: audio [2, T * 1920] float32 at 48 kHz.

        Raises:
            RequestError: wrong shape or not finite.
        """
        return self._open.codec.decode_all(latent)
