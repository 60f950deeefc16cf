"""From trained parts to a checkpoint that any program reads which reads ACE-Step v1.5 in diffusers' layout."""

import shutil
from pathlib import Path
from typing import Any, cast

import torch
from diffusers import AceStepPipeline, FlowMatchEulerDiscreteScheduler  # pyright: ignore[reportPrivateImportUsage]
from transformers import PreTrainedTokenizerFast

from engine.training.codec.embed import embed
from engine.training.codec.twin import Twin
from engine.training.flow.parts import Parts
from engine.training.recipe import Recipe
from engine.training.run.state import averaged


def export(recipe: Recipe, folder: Path, out: Path) -> None:
    """Write the checkpoint, float16, in place of what was there.

    Args:
        recipe: what it was trained by.
        folder: of the training; the decoder's own stage counts where it was run.
        out: the checkpoint's folder. It appears whole or not at all.

    Raises:
        EngineError: a stage is missing.
    """
    twin = Twin(recipe.widths)
    twin.load_state_dict(averaged(folder / ("decoder" if (folder / "decoder").is_dir() else "codec")))
    weights = averaged(folder / "flow")
    parts = Parts(recipe.sizes, torch.zeros(1, 1, 1))
    parts.load_state_dict(weights)
    pipeline: Any = cast(Any, AceStepPipeline)(
        vae=embed(twin.eval(), recipe.widths, recipe.deviation),
        tokenizer=cast(Any, PreTrainedTokenizerFast).from_pretrained(folder / "tokenizer"),
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
        **dict(parts.eval().named_children()),
    )
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    pipeline.to(torch.float16).save_pretrained(part, safe_serialization=True)
    if out.is_dir():
        for kept in out.glob("*.md"):  # the model card
            shutil.copy2(kept, part)
        shutil.rmtree(out)
    part.replace(out)
