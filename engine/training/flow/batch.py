"""Batches: clips, how they are told, and what context they are made from."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from msgspec import Struct
from torch import Tensor

from engine.training.flow.latents import FRAMES, Clips
from engine.training.flow.prompts import lyrics, prompt

KINDS: Final = ("silence", "hints", "blend", "repaint")
"""The context of a clip: none, its hints, a mixture of both, or itself with a gap."""

_TIMBRE: Final = 750  # frames: 30 s, what the timbre encoder hears


class BatchConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What batches are drawn from.

    Attributes:
        size: clips per step and worker.
        frames: lengths, one of which is drawn for each step.
        kinds: shares of `KINDS`.
        timbre: share of batches that hear their own clips as a reference.
        training_clips: how many there are.
        held_out_clips: how many there are.
    """

    size: int = 8
    frames: tuple[int, ...] = (128, 160, 200, 256, 256, 400)
    kinds: tuple[float, ...] = (0.5, 0.32, 0.1, 0.08)
    timbre: float = 0.08
    training_clips: int = 3000
    held_out_clips: int = 64


@dataclass(frozen=True, eq=False)
class Batch:
    """One batch.

    Attributes:
        latent: [B, T, 64].
        prompts: B texts.
        lyrics: B texts.
        kinds: B of `KINDS`.
        timbre: [1 or B, 750, 64].
    """

    latent: Tensor
    prompts: list[str]
    lyrics: list[str]
    kinds: list[str]
    timbre: Tensor


def training_batch(clips: Clips, config: BatchConfig, frames: int, rng: np.random.Generator) -> Batch:
    """A batch of training clips of a length."""
    kinds = [str(kind) for kind in rng.choice(KINDS, config.size, p=config.kinds)]
    indices = [int(index) for index in rng.integers(config.training_clips, size=config.size)]
    batch = assemble(clips, "training", indices, kinds, frames, rng)
    if rng.random() >= config.timbre:
        return batch
    whole = [clips.latent("training", index, 0, FRAMES).repeat(2, 1)[:_TIMBRE] for index in indices]
    return Batch(batch.latent, batch.prompts, batch.lyrics, batch.kinds, torch.stack(whole))


def assemble(
    clips: Clips, name: str, indices: list[int], kinds: list[str], frames: int, rng: np.random.Generator
) -> Batch:
    """A batch of certain clips. Without a source they begin on the first down-beat, so that a beat has its place."""
    latents: list[Tensor] = []
    prompts: list[str] = []
    sung: list[str] = []
    for index, kind in zip(indices, kinds, strict=True):
        first = kind == "silence" or rng.random() < 0.5
        start = 0 if first else int(rng.integers(FRAMES - frames + 1))
        latents.append(clips.latent(name, index, start, frames))
        prompts.append(prompt(clips.tags[name][index], frames, _task(kind, rng), rng))
        sung.append(lyrics(rng))
    return Batch(torch.stack(latents), prompts, sung, kinds, clips.silence[:, :_TIMBRE])


def _task(kind: str, rng: np.random.Generator) -> str:
    if kind == "repaint":
        return "repaint"
    return "text2music" if kind == "silence" or rng.random() < 0.3 else "cover"


def context(batch: Batch, hints: Tensor, silence: Tensor, rng: np.random.Generator) -> Tensor:
    """[B, T, 128]: what is given and where it may change, beside each other, as the DiT reads them."""
    frames = batch.latent.shape[1]
    rows: list[Tensor] = []
    for index, kind in enumerate(batch.kinds):
        mask = torch.ones(frames, 64)
        given = silence[0, :frames]
        if kind == "hints":
            given = hints[index]
        elif kind == "blend":
            given = torch.lerp(given, hints[index], float(rng.random()))
        elif kind == "repaint":
            start = int(rng.integers(frames - 20))
            mask = torch.zeros(frames, 64)
            mask[start : int(rng.integers(start + 15, frames + 1))] = 1.0
            given = torch.where(mask > 0.5, given, batch.latent[index])
        rows.append(torch.cat((given, mask), dim=1))
    return torch.stack(rows)
