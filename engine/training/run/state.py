"""What a run has reached, on disk, so that it can go on after a break."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.errors import EngineError
from engine.training.run.optimiser import Optimiser
from engine.training.run.world import World


class State:
    """A run's folder. The first worker keeps the weights, each keeps its own part of the optimiser."""

    def __init__(self, folder: Path, config: dict[str, Any], world: World) -> None:
        """Keep a run that depends on `config` in `folder`, which is made if it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self._weights = folder / "weights.pt"
        self._steps = folder / f"optimiser-{world.rank}-of-{world.size}.pt"
        self._config, self._world = config, world

    def load(self, module: nn.Module, average: nn.Module, optimiser: Optimiser) -> int:
        """Go on from the state that the folder holds, if any.

        Returns:
            The steps that were done; 0 in an empty folder.

        Raises:
            EngineError: the state is of a run with another configuration.
        """
        if not self._weights.is_file():
            return 0
        held = _read(self._weights)
        if held["config"] != self._config:
            changed = [name for name, value in self._config.items() if held["config"].get(name) != value]
            fix = "Use that configuration, or another folder."
            raise EngineError(f"{self._weights} is of a run with another {', '.join(changed)}.", fix)
        module.load_state_dict(held["module"])
        average.load_state_dict(held["average"])
        # a break between two files leaves an optimiser of another step: it starts anew, which costs some steps
        own: dict[str, Any] = _read(self._steps) if self._steps.is_file() else {"step": -1}
        if own["step"] == held["step"]:
            optimiser.restore(own["optimiser"])
        return int(held["step"])

    def save(self, step: int, module: nn.Module, average: nn.Module, optimiser: Optimiser) -> None:
        """Keep what was reached after `step` steps."""
        _write(self._steps, {"step": step, "optimiser": optimiser.state()})
        if self._world.first:
            weights = {"module": module.state_dict(), "average": average.state_dict()}
            _write(self._weights, {"step": step, "config": self._config, **weights})


def reached(folder: Path) -> int:
    """Steps of a run that were done."""
    path = folder / "weights.pt"
    return int(_read(path)["step"]) if path.is_file() else 0


def averaged(folder: Path) -> dict[str, Any]:
    """The averaged weights of a run.

    Raises:
        EngineError: the folder holds none.
    """
    path = folder / "weights.pt"
    if not path.is_file():
        raise EngineError(f"{folder} holds no weights.", "Train that part first.")
    return _read(path)["average"]


def _read(path: Path) -> dict[str, Any]:
    return torch.load(path, weights_only=True)


def _write(path: Path, content: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    torch.save(content, part)
    part.replace(path)
