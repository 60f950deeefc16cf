"""The loop of a training: the same for every part of the model."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec import to_builtins
from torch import Tensor, nn

from engine.errors import EngineError
from engine.training.run.config import LoopConfig
from engine.training.run.log import Log, Row
from engine.training.run.optimiser import Optimiser
from engine.training.run.state import State
from engine.training.run.world import World

Report = Callable[[int, Row], None]
"""Called by the first worker after each step, with the number of steps done and the losses of the last."""

_SAVE_EVERY = 120.0  # seconds: what a power cut costs


@dataclass(frozen=True)
class Draw:
    """What one step of one worker is drawn from.

    Attributes:
        step: its number, from 0.
        shared: for choices that all workers make alike, so that none waits for another.
        rng: for other choices.
        noise: for tensors.
    """

    step: int
    shared: np.random.Generator
    rng: np.random.Generator
    noise: torch.Generator


class Task(ABC):
    """What is trained.

    Attributes:
        module: its parameters.
        matrices: names of those that Muon takes.
        settings: what a run of it depends on, beside its own configuration.
    """

    module: nn.Module
    matrices: frozenset[str]
    settings: dict[str, Any]

    @abstractmethod
    def losses(self, draw: Draw) -> dict[str, Tensor]:
        """The losses of one batch, "total" among them, which is the one that is minimised."""

    @abstractmethod
    def evaluate(self, average: nn.Module) -> Row:
        """Figures of the averaged module on held-out data."""


def run(
    task: Task,
    config: LoopConfig,
    folder: Path,
    world: World,
    *,
    minutes: float = math.inf,
    report: Report | None = None,
) -> bool:
    """Train until the last step, or until the time is over; go on where the folder's state ends.

    Args:
        task: what is trained.
        config: of the whole run; a run is resumed with the one that it began with.
        folder: holds the state and the log.
        world: the workers; all call this.
        minutes: time that this call may take.
        report: progress.

    Returns:
        Whether the run is complete.

    Raises:
        EngineError: a loss is not finite, or the folder's state is of another run.
    """
    average = deepcopy(task.module).eval().requires_grad_(False)
    optimiser = Optimiser(task.module, task.matrices, config, world)
    state = State(folder, {**to_builtins(config), **task.settings}, world)
    step = state.load(task.module, average, optimiser)
    log = Log(folder / "log.jsonl")
    began = saved = time.monotonic()
    while step < config.steps and world.agree(time.monotonic() - began) < 60.0 * minutes:
        row = _step(task, config, step, optimiser, world)
        _follow(average, task.module, min(config.average, (1 + step) / (10 + step)))
        step += 1
        if world.first:
            if step % config.evaluate == 0 or step == config.steps:
                row |= {f"held-out {name}": value for name, value in task.evaluate(average).items()}
            log.add({"step": step, "seconds": time.monotonic() - began, **row})
            if report:
                report(step, row)
        if world.agree(time.monotonic() - saved) > _SAVE_EVERY:
            saved = time.monotonic()
            state.save(step, task.module, average, optimiser)
    state.save(step, task.module, average, optimiser)
    return step == config.steps


def _step(task: Task, config: LoopConfig, step: int, optimiser: Optimiser, world: World) -> Row:
    rng = np.random.default_rng((config.seed, step, world.rank))
    noise = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
    task.module.zero_grad(set_to_none=False)
    losses = task.losses(Draw(step, np.random.default_rng((config.seed, step)), rng, noise))
    total: Any = losses["total"]
    total.backward()
    parameters = [parameter for parameter in task.module.parameters() if parameter.grad is not None]
    world.mean(parameter.grad for parameter in parameters if parameter.grad is not None)
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, config.clip))
    if not math.isfinite(norm):
        raise EngineError(f"The gradient of step {step + 1} is not finite.", "Resume with a lower learning rate.")
    optimiser.step(config.rate_at(step))
    return {name: float(loss.detach()) for name, loss in losses.items()} | {"gradient": norm}


@torch.no_grad()
def _follow(average: nn.Module, module: nn.Module, keep: float) -> None:
    for old, new in zip(average.parameters(), module.parameters(), strict=True):
        old.lerp_(new, 1.0 - keep)
    for old, new in zip(average.buffers(), module.buffers(), strict=True):
        old.copy_(new)
