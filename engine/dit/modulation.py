"""What the DiT makes of the time t: scales, shifts and gates of every block."""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from engine.dit.linear import Linear
from engine.dit.weights import Reader

_SINUSOID: Final = 256  # width of the sinusoid, and the factor on t below: fixed in ACE-Step v1.5, as in diffusers
_TIME_SCALE: Final = 1000.0
_LONGEST_PERIOD: Final = 10_000.0


@dataclass(frozen=True, eq=False)
class Modulation:
    """Everything in a forward that depends on t alone. B rows may have B different times.

    Attributes:
        blocks: [blocks, 6, B, 1, H]: scale, shift and gate of the self-attention, then of the MLP. A norm's own weight
            is part of its scale.
        out: [2, B, 1, H]: scale and shift before the last layer.
    """

    blocks: Tensor
    out: Tensor


@dataclass(frozen=True, eq=False)
class _Embedding:
    first: Linear
    second: Linear
    projection: Linear

    @classmethod
    def read(cls, reader: Reader, name: str) -> "_Embedding":
        return cls(
            reader.linear(f"{name}.linear_1"), reader.linear(f"{name}.linear_2"), reader.linear(f"{name}.time_proj")
        )

    def __call__(self, time: float) -> tuple[Tensor, Tensor]:
        """[1, H] for the last norm and [1, 6 H] for the blocks."""
        embedded = self.second(functional.silu(self.first(_sinusoid(time))))
        return embedded, self.projection(functional.silu(embedded))


class TimeEmbedding:
    """Makes a `Modulation` of a time."""

    def __init__(self, reader: Reader, blocks: int) -> None:
        """Read what the modulation is made from."""
        self._embedding = _Embedding.read(reader, "time_embed")
        # r = t as in AceStepPipeline (no mean-flow jump), so what the second embedding makes of t - r never changes
        self._still = _Embedding.read(reader, "time_embed_r")(0.0)
        self._blocks = torch.stack([reader.tensor(f"layers.{n}.scale_shift_table")[0] for n in range(blocks)])
        names = [(f"layers.{n}.self_attn_norm.weight", f"layers.{n}.mlp_norm.weight") for n in range(blocks)]
        self._norms = [(reader.tensor(own), reader.tensor(mlp)) for own, mlp in names]
        self._out = reader.tensor("scale_shift_table")[0]
        self._out_norm = reader.tensor("norm_out.weight")

    def __call__(self, time: float) -> Modulation:
        """The modulation at t, for one row."""
        embedded, projected = self._embedding(time)
        embedded, projected = embedded + self._still[0], projected + self._still[1]
        tables = self._blocks + projected.view(6, -1)  # [blocks, 6, H]: shift, scale, gate, twice
        blocks = torch.empty_like(tables)
        for n, (own, mlp) in enumerate(self._norms):
            shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = tables[n]
            torch.stack((own * (1 + scale), shift, gate, mlp * (1 + mlp_scale), mlp_shift, mlp_gate), out=blocks[n])
        shift, scale = self._out + embedded
        out = torch.stack((self._out_norm * (1 + scale), shift))
        return Modulation(blocks[:, :, None, None], out[:, None, None])


def _sinusoid(time: float) -> Tensor:
    """[1, 256]: cosines, then sines, of t at falling frequencies."""
    half = _SINUSOID // 2
    frequency = torch.exp(-torch.log(torch.tensor(_LONGEST_PERIOD)) * torch.arange(half, dtype=torch.float32) / half)
    angle = torch.tensor(time, dtype=torch.float32) * _TIME_SCALE * frequency
    return torch.cat((angle.cos(), angle.sin()))[None]
