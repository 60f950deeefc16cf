"""Flow matching: the DiT learns the velocity from what it should make to noise.

x = t noise + (1 - t) latent, and the DiT predicts noise - latent (Liu et al. 2022; ACE-Step v1.5). Times are shifted as
the turbo schedule's are, t = 3 u / (1 + 2 u). Towards the end guidance is baked in (Tang et al. 2025, model guidance):
the target moves away from what the DiT makes of no prompt, so that a turbo checkpoint needs no second pass.
"""

from typing import Final, cast

import numpy as np
import torch
from msgspec import Struct, to_builtins
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import PreTrainedTokenizerFast

from engine.training.flow import conditions
from engine.training.flow.batch import BatchConfig, assemble, context, training_batch
from engine.training.flow.latents import Clips
from engine.training.flow.parts import Parts
from engine.training.run.log import Row
from engine.training.run.loop import Draw, Task

_SHIFT: Final = 3.0
_STEPS: Final = 8  # of the turbo schedule; a share of the times lies on it exactly


class FlowConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the DiT learns.

    Attributes:
        unprompted: share of clips whose prompt is the null embedding.
        on_schedule: share of times that are those of an 8-step schedule.
        bfloat16: whether the modules compute in it.
        hints: weight of the hints' own loss.
        guidance: how far the target moves, as guidance scale - 1.
        guided_from: step from which it does.
        guided_above: times above which it does; below, detail is all that is left to decide.
    """

    unprompted: float = 0.1
    on_schedule: float = 0.3
    bfloat16: bool = False
    hints: float = 0.3
    guidance: float = 0.6
    guided_from: int = 6000
    guided_above: float = 0.25


class FlowTask(Task):
    """All parts together."""

    def __init__(
        self, parts: Parts, tokenizer: PreTrainedTokenizerFast, clips: Clips, batches: BatchConfig, config: FlowConfig
    ) -> None:
        self.module = parts.train()
        self.matrices = parts.matrices
        self.settings = to_builtins({"batches": batches, "flow": config})
        self._parts, self._tokenizer, self._clips = parts, tokenizer, clips
        self._batches, self._config = batches, config

    def losses(self, draw: Draw) -> dict[str, Tensor]:
        # of torch's attention kernels for CPUs the plain one has the fastest gradient: 1.5 times as fast a step
        with sdpa_kernel(SDPBackend.MATH), torch.autocast("cpu", torch.bfloat16, enabled=self._config.bfloat16):
            return self._losses(draw)

    def _losses(self, draw: Draw) -> dict[str, Tensor]:
        config, parts, rng = self._config, self._parts, draw.rng
        frames = int(draw.shared.choice(self._batches.frames))
        batch = training_batch(self._clips, self._batches, frames, rng)
        told = conditions.encode(parts, self._tokenizer, batch.prompts, batch.lyrics, batch.timbre)
        null = parts.condition_encoder.null_condition_emb.expand_as(told)
        untold = torch.tensor(rng.random(len(batch.prompts)) < config.unprompted)
        told = torch.where(untold[:, None, None], null, told)
        hints = conditions.hints(parts, batch.latent, self._clips.silence)
        given = context(batch, hints, self._clips.silence, rng)
        noise = torch.randn(batch.latent.shape, generator=draw.noise)
        time = _times(len(batch.prompts), config.on_schedule, rng)
        noised = torch.lerp(batch.latent, noise, time[:, None, None])
        velocity = _velocity(parts, noised, time, told, given)
        target = noise - batch.latent
        plain = (velocity - target).square().mean()
        if config.guidance and draw.step >= config.guided_from:
            with torch.no_grad():
                away = velocity - _velocity(parts, noised, time, null, given)
                weight = config.guidance * (~untold & (time > config.guided_above)).float()
                target = target + weight[:, None, None] * away
        guided = (velocity - target).square().mean()
        own = (hints - batch.latent).square().mean()
        return {"velocity": plain, "hints": own, "total": guided + config.hints * own}

    @torch.no_grad()
    def evaluate(self, average: nn.Module) -> Row:
        """Error of the velocity at three times, of held-out clips without and with a source."""
        parts = cast(Parts, average)
        rng, generator = np.random.default_rng(5), torch.Generator().manual_seed(5)
        indices = list(range(min(16, self._batches.held_out_clips)))
        row: Row = {}
        for kind in ("silence", "hints"):
            batch = assemble(self._clips, "held-out", indices, [kind] * len(indices), 256, rng)
            told = conditions.encode(parts, self._tokenizer, batch.prompts, batch.lyrics, batch.timbre)
            hints = conditions.hints(parts, batch.latent, self._clips.silence)
            given = context(batch, hints, self._clips.silence, rng)
            for at in (1.0, 0.75, 0.3):
                noise = torch.randn(batch.latent.shape, generator=generator)
                time = torch.full((len(indices),), at)
                made = _velocity(parts, torch.lerp(batch.latent, noise, at), time, told, given)
                row[f"{kind} at {at}"] = float((made - (noise - batch.latent)).square().mean())
            row["hints"] = float((hints - batch.latent).square().mean())
        return row


def _velocity(parts: Parts, noised: Tensor, time: Tensor, told: Tensor, given: Tensor) -> Tensor:
    return parts.transformer(
        hidden_states=noised,
        timestep=time,
        timestep_r=time,
        encoder_hidden_states=told,
        context_latents=given,
        return_dict=False,
    )[0].float()


def _times(count: int, on_schedule: float, rng: np.random.Generator) -> Tensor:
    """[count] times, one from each equal part of the schedule, some moved to the schedule's own."""
    u = (rng.permutation(count) + rng.random(count)) / count
    steps = 1.0 - np.arange(_STEPS) / _STEPS
    u = np.where(rng.random(count) < on_schedule, rng.choice(steps, count), u)
    return torch.tensor(np.clip(_SHIFT * u / (1.0 + (_SHIFT - 1.0) * u), 1e-3, 1.0), dtype=torch.float32)
