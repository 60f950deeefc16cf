"""What the VAE is trained on, and how well it does."""

from typing import Any, Final, cast

import numpy as np
import torch
from msgspec import Struct, to_builtins
from torch import Tensor, nn

from engine.constants import FRAME_SAMPLES, LATENT_CHANNELS
from engine.training.codec.losses import log_mels, log_spectra, mid_side, phases
from engine.training.codec.twin import Twin
from engine.training.music import Bank, compose, render
from engine.training.music.split import held_out, training
from engine.training.music.waves import Wave
from engine.training.run.log import Row
from engine.training.run.loop import Draw, Task

_CLIP: Final = 512  # frames of a clip: 20 s, in which parts come in
_CLIPS: Final = 1 << 20
_HELD_OUT: Final = 16
_HELD_OUT_FRAMES: Final = 64


class CodecConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The VAE's batches and losses.

    Attributes:
        batch: pieces of audio per step and worker.
        frames: length of a piece.
        noise: deviation of what is added to the latent, whose own is 1. What the DiT makes is never quite a latent of
            the encoder's; this teaches the decoder to bear it.
        spectra: weight of `log_spectra`.
        mels: weight of `log_mels`.
        phases: weight of `phases`.
        wave: weight of the mean absolute difference of samples.
        compiled: whether to compile the twin: a step then takes half as long.
        bfloat16: whether the twin computes in it: 1.7 times as fast where the processor can, good to 50 dB.
        aligned: share of pieces that begin on a frame of their clip.
    """

    batch: int = 2
    frames: int = 24
    noise: float = 0.15
    spectra: float = 1.0
    mels: float = 0.5
    phases: float = 6.0
    wave: float = 20.0
    compiled: bool = True
    bfloat16: bool = False
    aligned: float = 0.5


class CodecTask(Task):
    """Encoder and decoder together, or the decoder on an encoder that stays."""

    def __init__(self, twin: Twin, config: CodecConfig, *, decoder_only: bool) -> None:
        """Train `twin`; where the recipe says so, compiled, which takes a minute."""
        self.module = twin.train()
        self._config, self._bank = config, Bank()
        self.settings = to_builtins(config)
        self._decoder_only = decoder_only
        if decoder_only:
            twin.encoder.requires_grad_(False)
            twin.norm.eval()
        self.matrices = frozenset(name for name, weight in twin.named_parameters() if _is_matrix(weight))
        self._forward: Any = cast(Any, torch).compile(twin, dynamic=False) if config.compiled else twin

    def losses(self, draw: Draw) -> dict[str, Tensor]:
        config = self._config
        audio = torch.tensor(np.stack([self._piece(draw.rng) for _ in range(config.batch)]))
        shape = (config.batch, LATENT_CHANNELS, config.frames)
        with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
            heard, _ = self._forward(audio, config.noise * torch.randn(shape, generator=draw.noise))
        losses = _compare(audio, heard.float())
        weights = {name: getattr(config, name) for name in losses}
        return losses | {"total": cast(Tensor, sum(weights[name] * loss for name, loss in losses.items()))}

    @torch.no_grad()
    def evaluate(self, average: nn.Module) -> Row:
        twin = cast(Twin, average)
        audio = torch.tensor(np.stack([_held_out(index, self._bank) for index in range(_HELD_OUT)]))
        noise = torch.Generator().manual_seed(0)
        shape = (1, LATENT_CHANNELS, _HELD_OUT_FRAMES)
        heard = torch.cat(
            [twin(one[None], self._config.noise * torch.randn(shape, generator=noise))[0] for one in audio]
        )
        figures = {name: float(loss) for name, loss in _compare(audio, heard).items()}
        return figures | {"SI-SDR": float(si_sdr(audio, heard).median())}

    def _piece(self, rng: np.random.Generator) -> Wave:
        count = self._config.frames * FRAME_SAMPLES
        score = compose(training(int(rng.integers(_CLIPS))), _CLIP)
        start = int(rng.integers(_CLIP * FRAME_SAMPLES - count))
        if rng.random() < self._config.aligned:
            start -= start % FRAME_SAMPLES
        piece = render(score, self._bank, start, count) * np.float32(rng.uniform(0.4, 1.1))
        chance = rng.random()
        if chance < 0.02:
            return np.zeros_like(piece)  # silence has a latent too
        return piece[::-1].copy() if chance < 0.25 else piece


def si_sdr(audio: Tensor, heard: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio [B] in dB of [B, 2, N] (Le Roux et al. 2019)."""
    a, b = audio.flatten(1), heard.flatten(1)
    scale = (a * b).sum(1, keepdim=True) / a.square().sum(1, keepdim=True).clamp_min(1e-8)
    distortion = (scale * a - b).square().sum(1).clamp_min(1e-9)
    return 10.0 * torch.log10((scale * a).square().sum(1) / distortion)


def _compare(audio: Tensor, heard: Tensor) -> dict[str, Tensor]:
    a, b = mid_side(audio), mid_side(heard)
    wave = (audio - heard).abs().mean()
    return {"spectra": log_spectra(a, b), "mels": log_mels(a, b), "phases": phases(a, b), "wave": wave}


def _held_out(index: int, bank: Bank) -> Wave:
    first = 40 * FRAME_SAMPLES  # where the parts that begin late have begun
    return render(compose(held_out(index), _CLIP), bank, first, _HELD_OUT_FRAMES * FRAME_SAMPLES)


def _is_matrix(weight: Tensor) -> bool:
    return weight.ndim == 3 and min(weight.shape[:2]) >= 8
