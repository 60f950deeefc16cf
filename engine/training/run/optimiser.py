"""The optimiser: Muon for what is a matrix, AdamW for the rest, with one learning rate.

Muon (Jordan et al. 2024) orthogonalises a matrix's momentum. Its steps are scaled to AdamW's size (Liu et al. 2025,
"Muon is scalable"), so that one learning rate serves both. Its products cost as much as a third of a training step on
a CPU, so each worker makes those of its own share of the matrices.
"""

from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn

from engine.training.run.config import LoopConfig
from engine.training.run.world import World


class Optimiser:
    """Steps of a module's parameters."""

    def __init__(self, module: nn.Module, matrices: frozenset[str], config: LoopConfig, world: World) -> None:
        """Optimise every parameter of `module` that wants a gradient.

        Args:
            module: what is trained.
            matrices: names of the parameters that Muon takes, read as a row per output.
            config: of the run.
            world: the workers; each calls `step` with equal gradients.
        """
        wanted = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
        self._world = world
        self._kept = [parameter for name, parameter in wanted if name in matrices]
        # Muon takes matrices only; these share memory with the parameters
        self._flat = [nn.Parameter(parameter.detach().flatten(1)) for parameter in self._kept]
        self._mine = _share(self._flat, world)
        rest = [parameter for name, parameter in wanted if name not in matrices]
        self._adam = torch.optim.AdamW(rest, betas=config.betas, weight_decay=0.0, foreach=True)
        mine = [self._flat[index] for index in self._mine[world.rank]]
        settings: dict[str, Any] = {"weight_decay": config.decay, "momentum": config.momentum}
        self._muon = torch.optim.Muon(mine, adjust_lr_fn="match_rms_adamw", **settings) if mine else None

    def step(self, rate: float) -> None:
        """One step with a learning rate."""
        for flat, parameter in zip(self._flat, self._kept, strict=True):
            flat.grad = None if parameter.grad is None else parameter.grad.flatten(1)
        for optimiser in (self._adam, self._muon):
            if optimiser is not None:
                for group in cast("Iterable[dict[str, Any]]", optimiser.param_groups):
                    group["lr"] = rate
                cast(Any, optimiser).step()
        self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        """Give every worker the matrices that the others stepped."""
        for rank, indices in enumerate(self._mine):
            self._world.hand_out([self._flat[index] for index in indices], rank)

    def state(self) -> dict[str, Any]:
        """What this worker's steps depend on."""
        return {"adam": self._adam.state_dict(), "muon": self._muon.state_dict() if self._muon else None}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a `state` of the worker of the same number."""
        self._adam.load_state_dict(state["adam"])
        if self._muon:
            self._muon.load_state_dict(state["muon"])


def _share(matrices: list[nn.Parameter], world: World) -> list[list[int]]:
    """Numbers of the matrices per worker, so that all have about the same work."""
    load = [0] * world.size
    shares: list[list[int]] = [[] for _ in range(world.size)]
    for index in sorted(range(len(matrices)), key=lambda number: -_cost(matrices[number])):
        rank = load.index(min(load))
        load[rank] += _cost(matrices[index])
        shares[rank].append(index)
    return [sorted(share) for share in shares]


def _cost(matrix: Tensor) -> int:
    short, long = sorted(matrix.shape)
    return short * short * (long + short)
