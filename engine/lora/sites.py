"""Where LoRAs act: the DiT's linear layers, each y = x W^T + b + sum over LoRAs of s * scale * (x down^T) up^T.

A layer's own weight is never written. Its factors are stacked, so any number of LoRAs costs two small matrix products,
and a change of strength replaces one vector; a layer that no LoRA touches gets no factors at all.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import torch
from torch import Tensor, nn

from engine.dit.linear import LowRank
from engine.lora.file import LoraFile, Shapes

_KEPT_STACKS: Final = 8  # combinations of LoRAs that rows may alternate between without stacking anew

Acting = Sequence[tuple[LoraFile, float]]
"""LoRAs and their strengths, none of them 0, in a fixed order: it decides the order of the sum, and so its bits."""


@dataclass(frozen=True, eq=False)
class _Stack:
    """The factors of several LoRAs on one layer.

    Attributes:
        down: [R, in], R the sum of their ranks.
        up: [out, R], each LoRA's scale included.
        ranks: rank of each LoRA, 0 where it leaves the layer alone.
    """

    down: Tensor
    up: Tensor
    ranks: tuple[int, ...]


class Sites:
    """The linear layers of one DiT.

    Attributes:
        shapes: [out, in] of each by name.
    """

    def __init__(self, transformer: nn.Module) -> None:
        modules = cast("Iterable[tuple[str, nn.Module]]", transformer.named_modules())
        self._layers = {name: layer for name, layer in modules if isinstance(layer, nn.Linear)}
        self.shapes: Shapes = {name: (layer.out_features, layer.in_features) for name, layer in self._layers.items()}
        self._stacks: OrderedDict[tuple[str, ...], dict[str, _Stack]] = OrderedDict()

    def factors(self, acting: Acting) -> dict[str, LowRank]:
        """What these LoRAs add, by layer."""
        stacks = self._stacked([lora for lora, _ in acting])
        strengths = torch.tensor([strength for _, strength in acting], dtype=torch.float32)
        gains: dict[tuple[int, ...], Tensor] = {}
        for stack in stacks.values():
            if stack.ranks not in gains:
                gains[stack.ranks] = strengths.repeat_interleave(torch.tensor(stack.ranks)).to(stack.up)
        return {layer: LowRank(stack.down, stack.up, gains[stack.ranks]) for layer, stack in stacks.items()}

    def merged(self, acting: Acting, into: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Weights with the LoRAs added: W + sum of s * scale * up @ down, float32, of the layers that they touch.

        Args:
            acting: the LoRAs.
            into: what this made of the same LoRAs with other strengths, to be written to: as many megabytes anew take
                longer than the sum.
        """
        weights: dict[str, Tensor] = {}
        for layer in sorted({name for lora, _ in acting for name in lora.layers}):
            own, name = self._layers[layer].weight.detach(), f"{layer}.weight"
            weight = own.to("cpu", torch.float32, copy=True) if into is None else into[name].copy_(own)
            for lora, strength in acting:
                factors = lora.layers.get(layer)
                if factors is not None:
                    weight.addmm_(factors.up, factors.down, alpha=strength * factors.scale)
            weights[name] = weight
        return weights

    def drop_stacks(self) -> None:
        """Let go of stacked factors, but for those that act."""
        self._stacks.clear()

    def _stacked(self, loras: Sequence[LoraFile]) -> dict[str, _Stack]:
        if not loras:
            return {}
        key = tuple(lora.hash for lora in loras)
        stacks = self._stacks.pop(key, None) or {
            layer: self._stack(layer, loras) for layer in sorted({name for lora in loras for name in lora.layers})
        }
        self._stacks[key] = stacks
        if len(self._stacks) > _KEPT_STACKS:
            self._stacks.popitem(last=False)
        return stacks

    def _stack(self, layer: str, loras: Sequence[LoraFile]) -> _Stack:
        parts = [lora.layers.get(layer) for lora in loras]
        here = [part for part in parts if part is not None]
        weight = self._layers[layer].weight
        return _Stack(
            down=torch.cat([part.down for part in here]).to(weight),
            up=torch.cat([part.up * part.scale for part in here], dim=1).to(weight),
            ranks=tuple(0 if part is None else part.down.shape[0] for part in parts),
        )
