"""The DiT's weights as its forward reads them: the checkpoint's own tensors under the forward's names."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Self

from diffusers.models.transformers.ace_step_transformer import AceStepTransformer1DModel
from torch import Tensor

from engine.dit.linear import Linear, LowRank
from engine.dit.shape import DitShape

_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


class Reader:
    """Reads a transformer's parameters by name, with LoRAs beside or inside its linear layers."""

    def __init__(
        self,
        transformer: AceStepTransformer1DModel,
        beside: Mapping[str, LowRank] = _NONE,
        inside: Mapping[str, Tensor] = _NONE,
    ) -> None:
        """
        Args:
            transformer: stays as it is.
            beside: what LoRAs add, by the layer's name in diffusers, such as "layers.0.cross_attn.to_k".
            inside: weights with LoRAs added, by the parameter's name, such as "layers.0.cross_attn.to_k.weight".
        """
        self._parameters: dict[str, Tensor] = dict(transformer.named_parameters()) | dict(inside)
        self._loras = beside
        self._touched = frozenset(beside) | frozenset(inside)

    def tensor(self, name: str) -> Tensor:
        """A parameter."""
        return self._parameters[name].detach()

    def touches(self, *parts: str) -> bool:
        """Whether LoRAs act on a layer with one of these words in its name."""
        return any(part in name for name in self._touched for part in parts)

    def linear(self, layer: str) -> Linear:
        """A linear layer."""
        bias = self._parameters.get(f"{layer}.bias")
        return Linear(self.tensor(f"{layer}.weight"), None if bias is None else bias.detach(), self._loras.get(layer))


@dataclass(frozen=True, eq=False, kw_only=True)
class Attention:
    """One attention: projections, and the weights [D] of the norms over each head of its queries and keys.

    The factor 1 / sqrt(D) of the scores is part of `query_norm`: queries leave their norm scaled.
    """

    query: Linear
    key: Linear
    value: Linear
    out: Linear
    query_norm: Tensor
    key_norm: Tensor

    @classmethod
    def read(cls, reader: Reader, layer: str, width: int) -> Self:
        """The attention of that name; width is D."""
        return cls(
            query=reader.linear(f"{layer}.to_q"),
            key=reader.linear(f"{layer}.to_k"),
            value=reader.linear(f"{layer}.to_v"),
            out=reader.linear(f"{layer}.to_out.0"),
            query_norm=reader.tensor(f"{layer}.norm_q.weight") * width**-0.5,
            key_norm=reader.tensor(f"{layer}.norm_k.weight"),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """One transformer block. The weights of its two modulated norms are in `engine.dit.modulation`."""

    own: Attention  # over the song itself
    cross: Attention  # over the conditioning
    cross_norm: Tensor  # [H]
    gate: Linear
    up: Linear
    down: Linear

    @classmethod
    def read(cls, reader: Reader, layer: str, width: int) -> Self:
        """The block of that name; width is D."""
        return cls(
            own=Attention.read(reader, f"{layer}.self_attn", width),
            cross=Attention.read(reader, f"{layer}.cross_attn", width),
            cross_norm=reader.tensor(f"{layer}.cross_attn_norm.weight"),
            gate=reader.linear(f"{layer}.mlp.gate_proj"),
            up=reader.linear(f"{layer}.mlp.up_proj"),
            down=reader.linear(f"{layer}.mlp.down_proj"),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class DitWeights:
    """What a forward multiplies with. The patch layers, strided convolutions in diffusers, are linear layers here."""

    patch_in: Linear  # [H, patch * 192]
    patch_out: Linear  # [patch * 64, H]
    condition: Linear  # [H, width of the conditioning]
    blocks: tuple[Block, ...]

    @classmethod
    def read(cls, reader: Reader, shape: DitShape) -> Self:
        """All weights of a forward. Only the patch layers and the query norms are copies."""
        into = reader.tensor("proj_in_conv.weight").transpose(1, 2)  # [H, patch, 192]
        out = reader.tensor("proj_out_conv.weight").permute(2, 1, 0)  # [patch, 64, H]
        bias = reader.tensor("proj_out_conv.bias").repeat(shape.patch)
        return cls(
            patch_in=Linear(into.flatten(1).contiguous(), reader.tensor("proj_in_conv.bias")),
            patch_out=Linear(out.flatten(0, 1).contiguous(), bias),
            condition=reader.linear("condition_embedder"),
            blocks=tuple(Block.read(reader, f"layers.{n}", shape.width) for n in range(len(shape.windows))),
        )
