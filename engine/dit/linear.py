"""Linear layers, and the matrix product that they all go through."""

from dataclasses import dataclass
from typing import Any, Final, cast

import torch
from torch import Tensor
from torch.nn import functional

_ONEDNN: Final = torch.backends.mkldnn.is_available()
_product: Any = torch.ops.mkldnn._linear_pointwise if _ONEDNN else None  # noqa: SLF001 - what Inductor itself emits

_traced: Any = None


@dataclass(frozen=True, eq=False)
class LowRank:
    """What LoRAs add to a linear layer: ((x down^T) * gains) up^T.

    Attributes:
        down: [R, K], R the sum of their ranks.
        up: [N, R], each LoRA's own scale included.
        gains: [R], the strengths; may be written to between forwards.
    """

    down: Tensor
    up: Tensor
    gains: Tensor

    def add_to(self, made: Tensor, x: Tensor) -> Tensor:
        """made [..., N] plus what the LoRAs make of x [..., K], in place.

        By torch's own products: at a rank of 4 what oneDNN does once per call is most of the work (docs/log.md).
        """
        narrow = functional.linear(x, self.down) * self.gains
        made.view(-1, made.shape[-1]).addmm_(narrow.view(-1, narrow.shape[-1]), self.up.t())
        return made


@dataclass(frozen=True, eq=False)
class Linear:
    """One linear layer: weight [N, K], bias [N] or None, and what LoRAs add to it."""

    weight: Tensor
    bias: Tensor | None = None
    lora: LowRank | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """[..., K] to [..., N]."""
        made = product(x, self.weight, self.bias)
        if self.lora is None:
            return made
        return self.lora.add_to(made, x)


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x [..., K] times weight [N, K] transposed, plus bias [N]: [..., N].

    In float32 on a CPU by oneDNN: torch would take MKL, which uses AVX-512 on Intel's processors only (docs/log.md,
    2026-11-22). Elsewhere it is torch's own product.
    """
    if not runs_onednn(x):
        return functional.linear(x, weight, bias)
    if _traced is not None and torch.compiler.is_exporting():
        return cast(Tensor, _traced(x, weight, bias))
    return cast(Tensor, _product(x, weight, bias, "none", [], ""))


def runs_onednn(x: Tensor) -> bool:
    """Whether products of this tensor are oneDNN's."""
    return _ONEDNN and x.device.type == "cpu" and x.dtype == torch.float32


def trace_as(operator: Any) -> None:
    """Have products written into exported programs as this operator, product(x, weight, bias)."""
    global _traced  # noqa: PLW0603 - set once, by the process that exports
    _traced = operator
