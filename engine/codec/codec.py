"""Audio to latents and back, in spans of fixed shape."""

from typing import Final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from engine.backends import VaeBackend
from engine.checks import frozen, whole
from engine.codec import spans
from engine.codec.encoding import Encoding
from engine.constants import AUDIO_CHANNELS, FRAME_SAMPLES, LATENT_CHANNELS, MAX_FRAMES, MIN_FRAMES, SOURCE_GRID
from engine.errors import RequestError
from engine.model.models import Models
from engine.request.request import even_frames
from engine.request.source import Source

DECODE_MARGIN: Final = 9
"""Frames each side that make a window exact: a latent frame reaches 8.34 frames beyond its own span, as NaNs show."""

ENCODE_MARGIN: Final = 7
"""Frames each side that make an encoded frame exact: the stock encoder reads 7 frames beyond it, as NaNs show."""

_ENCODE_TILE: Final = 100  # 4 s: the widest stock activation, 128 channels at 48 kHz, stays near 115 MB
_DECODE_TILE: Final = 75  # 3 s: margins cost a quarter; measured cheapest per kept second up to here


class Codec:
    """Encodes sources and decodes latents of one checkpoint."""

    def __init__(self, models: Models, backend: VaeBackend) -> None:
        self._backend = backend
        self._tokenizer = models.audio_tokenizer
        self._detokenizer = models.audio_token_detokenizer
        self._silence: Tensor = models.condition_encoder.silence_latent

    def silence(self, frames: int) -> NDArray[np.float32]:
        """The checkpoint's encoded silence, [T, 64] float32, repeated where T exceeds its 15000 frames.

        Raises:
            RequestError: frames is not 1 or more.
        """
        wanted = whole("frames", frames, 1, MAX_FRAMES)
        silence = self._silence[0].numpy()
        return np.resize(silence, (wanted, LATENT_CHANNELS))

    def encode(self, audio: ArrayLike, frames: int | None) -> Source:
        """Encode audio [2, N] float32 at 48 kHz; see `Session.prepare_source`."""
        return self.begin(audio, frames).finish()

    def begin(self, audio: ArrayLike, frames: int | None) -> Encoding:
        """As `encode`, a tile at a time; see `Session.begin_source`."""
        samples = frozen(audio, (AUDIO_CHANNELS, None), "audio")
        total = _source_frames(samples.shape[1], frames)
        padded = torch.zeros(1, AUDIO_CHANNELS, total * FRAME_SAMPLES)
        used = min(samples.shape[1], total * FRAME_SAMPLES)
        padded[0, :, :used] = torch.tensor(samples[:, :used])
        tiles = list(spans.tiles(total, _ENCODE_TILE, ENCODE_MARGIN))
        return Encoding(self._backend, padded, tiles, self._hints)

    def hints(self, latent: ArrayLike) -> NDArray[np.float32]:
        """Hints of a latent; see `Session.extract_hints`."""
        checked = frozen(latent, (None, LATENT_CHANNELS), "latent")
        if checked.shape[0] > MAX_FRAMES:
            problem = f"is longer than {MAX_FRAMES} frames"
            raise RequestError("latent", f"array{list(checked.shape)}", problem, "Pass a part of it.")
        with torch.inference_mode():
            return self._hints(torch.tensor(checked).unsqueeze(0)).numpy().copy()

    def _hints(self, latent: Tensor) -> Tensor:
        tokens, _ = self._tokenizer.tokenize(latent, self._silence)  # pads a last, broken token with silence
        return self._detokenizer(tokens)[0, : latent.shape[1]]

    def decode(self, latent: ArrayLike, start: int, frames: int, cyclic: bool = False) -> NDArray[np.float32]:
        """Decode one window; see `Session.decode`."""
        checked = frozen(latent, (None, LATENT_CHANNELS), "latent")
        total = checked.shape[0]
        first = whole("start", start, 0, total - 1)
        kept = whole("frames", frames, 1, total)
        if cyclic:
            around = np.arange(first - DECODE_MARGIN, first + kept + DECODE_MARGIN) % total
            return self._decode_span(checked[around], spans.around(DECODE_MARGIN, kept, DECODE_MARGIN, around.size))
        if first + kept > total:
            problem = f"with frames = {kept} is not inside the latent's {total} frames"
            raise RequestError("start", first, problem, f"Keep start + frames <= {total}, or decode it as a loop.")
        return self._decode_span(checked, spans.around(first, kept, DECODE_MARGIN, total))

    def decode_all(self, latent: ArrayLike) -> NDArray[np.float32]:
        """Decode every frame; see `Session.decode_all`."""
        checked = frozen(latent, (None, LATENT_CHANNELS), "latent")
        parts = spans.tiles(checked.shape[0], _DECODE_TILE, DECODE_MARGIN)
        return np.concatenate([self._decode_span(checked, span) for span in parts], axis=1)

    def _decode_span(self, latent: NDArray[np.float32], span: spans.Span) -> NDArray[np.float32]:
        piece = torch.tensor(latent[span.first : span.first + span.length]).unsqueeze(0)
        audio = self._backend.vae_decode(piece)[0]
        kept = audio[:, span.lead * FRAME_SAMPLES : (span.lead + span.keep) * FRAME_SAMPLES]
        return kept.numpy().copy()


def _source_frames(samples: int, frames: int | None) -> int:
    if frames is None:
        grid = SOURCE_GRID * FRAME_SAMPLES
        frames = max(-(-samples // grid) * SOURCE_GRID, MIN_FRAMES)
        if frames > MAX_FRAMES:
            raise RequestError("audio", f"{samples} samples", "is longer than 600 s", f"Pass frames={MAX_FRAMES}.")
        return frames
    return even_frames(frames)
