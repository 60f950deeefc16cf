"""The DiT's forward as a program to compile: tensors in, velocity out, no state.

Weights are inputs too, so that one program serves every checkpoint of its shape and every set of LoRAs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast

from torch import Tensor, nn

from engine.dit.cross import Cross
from engine.dit.forward import velocity
from engine.dit.modulation import Modulation
from engine.dit.positions import Positions
from engine.dit.shape import DitShape
from engine.dit.weights import DitWeights

_Tree = TypeVar("_Tree")


def inputs(
    weights: Sequence[Tensor], x: Tensor, context: Tensor, modulation: Modulation, cross: Cross, positions: Positions
) -> list[Tensor]:
    """What the program takes, in its order. Weights are the `leaves` of a DiT's: the same in every call."""
    variable = (x, context, modulation.blocks, modulation.out, cross.keys, cross.values)
    tables = (positions.cosine, positions.sine, *positions.masks.values())
    return [*variable, *tables, *weights]


class Program(nn.Module):
    """The forward of one shape, as `torch.export` wants it."""

    def __init__(self, shape: DitShape, weights: DitWeights, windows: tuple[int, ...]) -> None:
        """
        Args:
            shape: of the DiT.
            weights: in the structure that the inputs are put back into; the values do not matter.
            windows: keys of `Positions.masks`, in their order.
        """
        super().__init__()
        self._shape = shape
        self._structure = weights
        self._windows = windows

    def forward(
        self,
        x: Tensor,
        context: Tensor,
        blocks: Tensor,
        out: Tensor,
        keys: Tensor,
        values: Tensor,
        cosine: Tensor,
        sine: Tensor,
        masks: list[Tensor],
        weights: list[Tensor],
    ) -> Tensor:
        """Velocity [1, T, 64]."""
        return velocity(
            filled(self._structure, iter(weights)),
            self._shape,
            x,
            context,
            Modulation(blocks, out),
            Cross(keys, values, None),
            Positions(cosine, sine, dict(zip(self._windows, masks, strict=True))),
        )


def leaves(tree: object) -> Iterator[Tensor]:
    """The tensors of nested dataclasses and tuples, in the order of their fields."""
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, tuple):
        for part in cast("tuple[object, ...]", tree):
            yield from leaves(part)
    elif is_dataclass(tree):
        for field in fields(tree):
            yield from leaves(getattr(tree, field.name))


def filled(tree: _Tree, tensors: Iterator[Tensor]) -> _Tree:
    """The same structure with other tensors, taken in the order of `leaves`."""
    made: Any = tree
    if isinstance(tree, Tensor):
        made = next(tensors)
    elif isinstance(tree, tuple):
        made = tuple(filled(part, tensors) for part in cast("tuple[object, ...]", tree))
    elif is_dataclass(tree) and not isinstance(tree, type):
        kind: Any = type(tree)
        made = kind(**{field.name: filled(getattr(tree, field.name), tensors) for field in fields(tree)})
    return made
