"""Training a LoRA: flow matching on the factors alone. `python -m engine.training.lora --help`.

The DiT predicts v = noise - x0 at x = t noise + (1 - t) x0, as in its own training; its weights stay as they are.
"""

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from engine.checks import number, whole
from engine.errors import EngineError, RequestError
from engine.model.checkpoint import BUNDLED
from engine.model.models import load
from engine.session import Session
from engine.training.lora import restyle
from engine.training.lora.examples import Example, encode, folder
from engine.training.lora.factors import TrainableFactors

Report = Callable[[int, float], None]
"""Called after each step with its number and the smoothed loss."""

ALL_LINEAR: Final = ("to_q", "to_k", "to_v", "to_out.0", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, kw_only=True)
class LoraConfig:
    """The recipe.

    Attributes:
        rank: r of every layer, 1 .. 256.
        alpha: the factors count alpha / r times.
        targets: endings of the names of the layers to adapt.
        steps: optimiser steps.
        batch: examples per step; they run one by one, so memory does not grow with it.
        frames: length of the stretch that is cut from an example for a step.
        learning_rate: at its highest: it rises over the first 5 % and falls to 5 % on a cosine.
        ema: decay of the average that is saved.
        silence: share of examples that get no hints, as in text-to-music.
        shift: of the times that are drawn, t = shift u / (1 + (shift - 1) u); 3 is the turbo schedule's.
        seed: equal seeds on one machine give equal files.
    """

    rank: int = 4
    alpha: float = 8.0
    targets: tuple[str, ...] = ALL_LINEAR
    steps: int = 600
    batch: int = 4
    frames: int = 128
    learning_rate: float = 2e-3
    ema: float = 0.99
    silence: float = 0.3
    shift: float = 3.0
    seed: int = 0

    def __post_init__(self) -> None:
        whole("rank", self.rank, 1, 256)
        whole("steps", self.steps, 1, 1_000_000)
        whole("batch", self.batch, 1, 1_024)
        if whole("frames", self.frames, 30, 15_000) % 2:
            raise RequestError("frames", self.frames, "is odd", "Use an even number; a DiT patch is 2 frames.")
        for field in ("alpha", "learning_rate", "shift"):
            if number(field, getattr(self, field), "Pass a number above 0.") <= 0.0:
                raise RequestError(field, getattr(self, field), "is not above 0", "Pass a number above 0.")


def train(
    session: Session,
    examples: Sequence[Example],
    out: Path,
    config: LoraConfig | None = None,
    report: Report | None = None,
) -> list[float]:
    """Train a LoRA and write it.

    Args:
        session: on the checkpoint that it is for. Its own weights and LoRAs are not touched.
        examples: each at least `config.frames` long.
        out: the safetensors file to write.
        config: the recipe.
        report: progress.

    Returns:
        The loss of every step.

    Raises:
        EngineError: no examples, one is too short, or the loss is not finite.
    """
    config = config or LoraConfig()
    short = min((example.latent.shape[0] for example in examples), default=0)
    if short < config.frames:
        raise EngineError(f"The shortest example has {short} frames.", f"Use examples of {config.frames} or more.")
    transformer = load(session.checkpoint).transformer
    factors = TrainableFactors(
        transformer, config.targets, config.rank, config.alpha, torch.Generator().manual_seed(config.seed)
    )
    optimiser: Any = torch.optim.AdamW(
        factors.parameters, lr=config.learning_rate, betas=(0.9, 0.99), weight_decay=1e-2
    )
    rng = np.random.default_rng(config.seed)
    silence = torch.tensor(session.empty_latent(config.frames))
    losses: list[float] = []
    for step in range(config.steps):
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * _schedule(step / config.steps)
        optimiser.zero_grad()
        total = 0.0
        for time_ in _times(rng, config):
            row = _row(rng, examples[int(rng.integers(len(examples)))], silence, time_, config)
            loss: Any = _loss(transformer, *row) / config.batch
            loss.backward()
            total += float(loss.detach())
        if not math.isfinite(total):
            raise EngineError(f"The loss of step {step + 1} is not finite.", "Use a lower learning rate.")
        torch.nn.utils.clip_grad_norm_(factors.parameters, 1.0)
        optimiser.step()
        factors.average(min(config.ema, (1 + step) / (10 + step)))
        losses.append(total)
        if report is not None:
            report(step + 1, float(np.mean(losses[-50:])))
    factors.save(out)
    return losses


def _schedule(progress: float) -> float:
    rise = min(progress / 0.05 + 0.01, 1.0)
    return rise * (0.05 + 0.95 * 0.5 * (1.0 + math.cos(math.pi * progress)))


def _times(rng: np.random.Generator, config: LoraConfig) -> list[float]:
    """One time per row, one from each equal part of the schedule, so that a small batch sees all of it."""
    u = (np.arange(config.batch) + rng.random(config.batch)) / config.batch
    times: list[float] = (config.shift * u / (1.0 + (config.shift - 1.0) * u)).tolist()
    return times


def _row(
    rng: np.random.Generator, example: Example, silence: Tensor, time_: float, config: LoraConfig
) -> tuple[Tensor, Tensor, float, Tensor, Tensor]:
    """x0 [1, T, 64], noise, t, context [1, T, 128] and encoder states [1, L, D]."""
    spare: int = example.latent.shape[0] - config.frames
    start = 2 * int(rng.integers(spare // 2 + 1))
    cut = slice(start, start + config.frames)
    clean = torch.tensor(example.latent[cut])
    alone = rng.random() < config.silence
    cover = silence if alone else torch.tensor(example.hints[cut])
    noise = torch.tensor(rng.standard_normal(clean.shape, dtype=np.float32))
    context = torch.cat((cover, torch.ones_like(cover)), dim=1)
    prompt = example.text2music if alone else example.cover
    return clean[None], noise[None], time_, context[None], torch.tensor(prompt.states)[None]


def _loss(
    transformer: torch.nn.Module, clean: Tensor, noise: Tensor, time_: float, context: Tensor, states: Tensor
) -> Tensor:
    when = torch.full((1,), time_)
    velocity = transformer(
        hidden_states=time_ * noise + (1.0 - time_) * clean,
        timestep=when,
        timestep_r=when,
        encoder_hidden_states=states,
        context_latents=context,
        return_dict=False,
    )[0]
    return (velocity - (noise - clean)).square().mean()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.training.lora",
        description="Train a LoRA on a synthesised style, or on a folder of audio with .txt captions beside it.",
    )
    parser.add_argument("data", help=f"{', '.join(restyle.STYLES)}, or a folder")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--checkpoint", default=BUNDLED, help="name, folder or hub id (default %(default)s)")
    parser.add_argument("--trigger", default="", help="word to put before every second caption")
    parser.add_argument("--clips", type=int, default=96, help="clips of a synthesised style (default %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="torch threads (default %(default)s)")
    for field in ("rank", "steps", "batch", "frames", "seed"):
        parser.add_argument(f"--{field}", type=int, default=getattr(LoraConfig, field), help="default %(default)s")
    for field in ("alpha", "learning_rate", "ema", "silence", "shift"):
        option = f"--{field.replace('_', '-')}"
        parser.add_argument(option, type=float, default=getattr(LoraConfig, field), help="default %(default)s")
    given = parser.parse_args(arguments)
    names = ("rank", "steps", "batch", "frames", "seed", "alpha", "learning_rate", "ema", "silence", "shift")
    try:
        _run(given, LoraConfig(**{name: getattr(given, name) for name in names}))
    except EngineError as error:
        parser.exit(1, f"{error}\n")


def _run(given: argparse.Namespace, config: LoraConfig) -> None:
    began = time.monotonic()

    def report(step: int, loss: float) -> None:
        if step % 25 == 0 or step == config.steps:
            print(f"step {step} of {config.steps}  loss {loss:.4f}  {time.monotonic() - began:.0f} s", flush=True)

    with Session.open(given.checkpoint, threads=given.threads) as session:
        if given.data in restyle.STYLES:
            clips = restyle.clips(given.data, given.clips, config.frames * 5 // 4, config.seed)
        else:
            clips = folder(Path(given.data), config.frames / 25)
        train(session, list(encode(session, clips, given.trigger)), given.out, config, report)
        (info,) = session.loras.register(given.out)
        size = given.out.stat().st_size >> 10
        print(f"{given.out}: {info.matched} layers, rank {info.rank}, {size} KiB, {info.hash}")
