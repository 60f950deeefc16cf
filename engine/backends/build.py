"""Compiling the DiT's program with AOTInductor.

It runs as a process of its own, because the compiler brings threads, worker processes and memory that no session wants:

    python -m engine.backends.build CONFIG.json PACKAGE.pt2 THREADS
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

import torch
from diffusers.models.transformers.ace_step_transformer import AceStepTransformer1DModel
from torch import Tensor

from engine.backends.program import Program, inputs, leaves
from engine.constants import LATENT_CHANNELS
from engine.dit import linear
from engine.dit.cross import cross_of
from engine.dit.dit import Dit
from engine.dit.shape import DitShape
from engine.dit.weights import Reader

_FRAMES: Final = 400  # T of the example that the program is traced with; see `engine.backends.compiled` for what runs
_ROWS: Final = 75  # L of the example


def main(config: Path, package: Path, threads: int) -> None:
    """Write a package for a DiT of that configuration. Weights are not needed: they are inputs."""
    torch.set_num_threads(threads)  # Inductor writes loops for that many
    torch.set_grad_enabled(mode=False)
    settings = json.loads(config.read_text(encoding="utf-8"))
    transformer = cast(Any, AceStepTransformer1DModel).from_config(settings).eval()
    dit = Dit(Reader(transformer), DitShape.of(transformer))
    example = _example(dit)
    _trace_products_as_one_operator()
    windows = tuple(dit.positions(_FRAMES // dit.shape.patch).masks)
    program = torch.export.export(
        Program(dit.shape, dit.weights, windows),
        grouped(example, len(windows)),
        dynamic_shapes=_dynamic(len(windows), len(example)),
    )
    inductor: Any = import_module("torch._inductor")  # underscore and all, this is where torch documents it
    inductor.aoti_compile_and_package(program, package_path=str(package))


def _example(dit: Dit) -> list[Tensor]:
    x = torch.randn(1, _FRAMES, LATENT_CHANNELS)
    context = torch.randn(1, _FRAMES, 2 * LATENT_CHANNELS)
    states = torch.randn(1, _ROWS, dit.weights.condition.weight.shape[1])
    cross = cross_of(dit.weights, dit.shape, states)
    positions = dit.positions(_FRAMES // dit.shape.patch)
    return inputs(list(leaves(dit.weights)), x, context, dit.modulation(0.5), cross, positions)


def grouped(flat: list[Tensor], windows: int) -> tuple[Any, ...]:
    """The arguments of `Program.forward`: eight tensors, the masks, the weights."""
    return (*flat[:8], flat[8 : 8 + windows], flat[8 + windows :])


def _dynamic(windows: int, count: int) -> tuple[Any, ...]:
    free: Any = torch.export.Dim.AUTO
    frames, rows, tokens, fixed = {1: free}, {2: free}, {0: free}, dict[int, Any]()
    weights = count - 8 - windows
    return (frames, frames, fixed, fixed, rows, rows, tokens, tokens, [tokens] * windows, [fixed] * weights)


def _trace_products_as_one_operator() -> None:
    """Trace `engine.dit.linear.product` as an operator of ours, and tell Inductor to call oneDNN for it.

    Inductor has the oneDNN operator itself, but takes only constants for its weights. Here weights are inputs, and so
    are keys and values, whose products attention consists of.
    """
    lowering: Any = import_module("torch._inductor.lowering")
    kernels: Any = import_module("torch._inductor.mkldnn_ir")
    boxes: Any = import_module("torch._inductor.ir")

    def product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return linear.product(x, weight, bias)

    def fake(x: Tensor, weight: Tensor, _: Tensor | None) -> Tensor:
        return x.new_empty((*x.shape[:-1], weight.shape[0]))

    def lowered(x: Any, weight: Any, bias: Any) -> Any:
        return boxes.TensorBox.create(kernels.LinearUnary.create(x, weight, bias, "none", [], ""))

    operators: Any = torch.library
    library = operators.Library("demon", "FRAGMENT")
    library.define("product(Tensor x, Tensor weight, Tensor? bias) -> Tensor")
    library.impl("product", product, "CPU")
    operators.register_fake("demon::product", fake, lib=library)
    operator = torch.ops.demon.product.default
    lowering.register_lowering(operator, type_promotion_kind=None)(lowered)
    linear.trace_as(operator)
    _LIBRARIES.append(library)


_LIBRARIES: Final[list[Any]] = []  # an operator lives as long as its library


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
