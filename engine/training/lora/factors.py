"""Trainable factors on a frozen DiT."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn.functional import linear


class TrainableFactors:
    """LoRA factors on the linear layers of a DiT's blocks, added by forward hooks; the DiT itself stays frozen.

    They start as Hu et al. 2021 (LoRA) start them: down random, up zero, so training starts at the checkpoint.
    """

    def __init__(
        self, transformer: nn.Module, targets: tuple[str, ...], rank: int, alpha: float, generator: torch.Generator
    ) -> None:
        """Hook every linear layer whose name ends in one of `targets`."""
        self._rank, self._alpha = rank, alpha
        self._down: dict[str, nn.Parameter] = {}
        self._up: dict[str, nn.Parameter] = {}
        modules = cast("Iterable[tuple[str, nn.Module]]", transformer.named_modules())
        for name, layer in modules:
            if isinstance(layer, nn.Linear) and name.startswith("layers.") and name.endswith(targets):
                self._add(name, layer, generator)
        self.parameters = [*self._down.values(), *self._up.values()]
        self._ema = [parameter.detach().clone() for parameter in self.parameters]

    def _add(self, name: str, layer: nn.Linear, generator: torch.Generator) -> None:
        bound = layer.in_features**-0.5
        start = torch.rand(self._rank, layer.in_features, generator=generator) * 2 * bound - bound
        down = self._down[name] = nn.Parameter(start)
        up = self._up[name] = nn.Parameter(torch.zeros(layer.out_features, self._rank))

        def add(_layer: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
            return output + (self._alpha / self._rank) * linear(linear(args[0], down), up)

        layer.register_forward_hook(add)

    @torch.no_grad()
    def average(self, decay: float) -> None:
        """Follow the parameters: average = decay * average + (1 - decay) * parameter."""
        for average, parameter in zip(self._ema, self.parameters, strict=True):
            average.lerp_(parameter, 1.0 - decay)

    def save(self, path: Path) -> None:
        """Write the averaged factors as diffusers does, float16, alpha in the header."""
        half = [average.to(torch.float16).contiguous() for average in self._ema]
        count = len(self._down)
        tensors = {f"transformer.{name}.lora_A.weight": half[index] for index, name in enumerate(self._down)}
        tensors |= {f"transformer.{name}.lora_B.weight": half[count + index] for index, name in enumerate(self._up)}
        # one entry only: safetensors writes several in an order that changes from file to file
        settings = {"transformer.r": self._rank, "transformer.lora_alpha": self._alpha}
        cast(Any, safetensors.torch).save_file(tensors, path, {"lora_adapter_metadata": json.dumps(settings)})
