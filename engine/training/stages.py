"""The stages of a training, in order. Each goes on where it was left, in a folder of its own."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import torch

from engine.training.codec.task import CodecTask
from engine.training.codec.twin import Twin
from engine.training.flow import latents, prompts
from engine.training.flow.parts import Parts
from engine.training.flow.task import FlowTask
from engine.training.music.split import training
from engine.training.recipe import Recipe
from engine.training.run.loop import Report, run
from engine.training.run.state import averaged, reached
from engine.training.run.world import World

_torch: Any = torch

Reporter: TypeAlias = Callable[[str, int], Report]
"""Makes the report of a stage, given its name and its number of steps."""


def codec(world: World, recipe: Recipe, folder: Path, minutes: float, reporter: Reporter) -> None:
    """Train the VAE."""
    _torch.manual_seed(recipe.codec_run.seed)
    task = CodecTask(Twin(recipe.widths), recipe.codec, decoder_only=False)
    report = reporter("codec", recipe.codec_run.steps) if world.first else None
    run(task, recipe.codec_run, folder / "codec", world, minutes=minutes, report=report)


def decoder(world: World, recipe: Recipe, folder: Path, minutes: float, reporter: Reporter) -> None:
    """Train the decoder on, on latents that no longer move."""
    twin = Twin(recipe.widths)
    twin.load_state_dict(averaged(folder / "codec"))
    task = CodecTask(twin, recipe.decoder, decoder_only=True)
    report = reporter("decoder", recipe.decoder_run.steps) if world.first else None
    run(task, recipe.decoder_run, folder / "decoder", world, minutes=minutes, report=report)


def encode(world: World, recipe: Recipe, folder: Path, minutes: float, reporter: Reporter) -> None:
    """Encode the corpus, unless that was done."""
    _ = minutes
    twin = Twin(recipe.widths)
    twin.load_state_dict(averaged(folder / "codec"))
    counts = _counts(recipe)
    report = reporter("encode", sum(counts.values())) if world.first else None
    latents.encode(twin.eval(), folder / "latents", counts, world, report)


def flow(world: World, recipe: Recipe, folder: Path, minutes: float, reporter: Reporter) -> None:
    """Train the DiT and what surrounds it."""
    _torch.manual_seed(recipe.flow_run.seed)
    clips = latents.Clips(folder / "latents", _counts(recipe))
    texts = prompts.vocabulary(clips.tags["training"][:_READ], training(0))
    tokenizer = prompts.tokenizer(texts, recipe.sizes.vocabulary)
    if world.first:
        cast(Any, tokenizer).save_pretrained(folder / "tokenizer")
    task = FlowTask(Parts(recipe.sizes, clips.silence), tokenizer, clips, recipe.batches, recipe.flow)
    report = reporter("flow", recipe.flow_run.steps) if world.first else None
    run(task, recipe.flow_run, folder / "flow", world, minutes=minutes, report=report)


def complete(name: str, recipe: Recipe, folder: Path) -> bool:
    """Whether a stage reached its end. Encoding has no state: it does what is missing."""
    steps = {"codec": recipe.codec_run.steps, "decoder": recipe.decoder_run.steps, "flow": recipe.flow_run.steps}
    return name not in steps or reached(folder / name) == steps[name]


def _counts(recipe: Recipe) -> dict[str, int]:
    return {"held-out": recipe.batches.held_out_clips, "training": recipe.batches.training_clips}


_READ: Final = 2000  # clips whose prompts the tokenizer is made from

STAGES: Final[Mapping[str, Callable[[World, Recipe, Path, float, Reporter], None]]] = {
    "codec": codec,
    "encode": encode,
    "decoder": decoder,
    "flow": flow,
}
"""Stages by name, in the order in which they can run."""
