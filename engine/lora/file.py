"""Reading a LoRA file: safetensors only, bounded, checked against the DiT before anything of it is used."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.errors import LoraError
from engine.lora.names import LayerNames, Role, foreign_method, split
from engine.lora.scale import Scaling, scaling

MAX_BYTES: Final = 4 << 30  # every linear layer of the 5B DiT at rank 256 in float32 is about half of it
MAX_TENSORS: Final = 16_384  # 24 to 40 layers with 11 linear layers and 3 tensors each are about 1300
MAX_RANK: Final = 4_096

_DTYPES: Final = (torch.float32, torch.float16, torch.bfloat16, torch.float64)

Shapes = Mapping[str, tuple[int, int]]
"""[out, in] of every linear layer by name."""


@dataclass(frozen=True, eq=False)
class Factors:
    """One layer's addition: scale * up @ down.

    Attributes:
        down: [r, in] float32.
        up: [out, r] float32.
        scale: alpha / r.
    """

    down: Tensor
    up: Tensor
    scale: float


@dataclass(frozen=True, eq=False, kw_only=True)
class LoraFile:
    """What a file adds to one DiT.

    Attributes:
        layers: its factors by layer, in the layers' sorted order.
        skipped: layers it names that this DiT does not have.
        hash: "sha256:" and 64 hex digits over the layers' names, shapes, scales and float32 factors. Two files that
            add the same have the same hash, whatever their key style, dtype or metadata.
    """

    layers: Mapping[str, Factors]
    skipped: int
    hash: str

    @property
    def rank(self) -> int:
        """The largest rank of a layer."""
        return max(factors.down.shape[0] for factors in self.layers.values())


def read(path: Path, shapes: Shapes) -> LoraFile:
    """Read a LoRA.

    Args:
        path: of a safetensors file.
        shapes: the DiT's linear layers.

    Raises:
        LoraError: not readable, too large, another method than LoRA, not finite, made for a DiT of another shape, or
            made for none of this DiT's layers. Names the file and its first tensor at fault.
    """
    tensors, header = _tensors(path)
    parts, spellings, skipped = _by_layer(path, tensors, LayerNames(shapes))
    if not parts:
        raise LoraError(
            f"{path}: none of its {skipped} layers is a linear layer of this checkpoint's DiT.",
            "Use a LoRA that was trained for this checkpoint.",
        )
    rule = scaling(path, header)
    layers = {layer: _factors(path, spellings[layer], parts[layer], shapes[layer], rule) for layer in sorted(parts)}
    return LoraFile(layers=layers, skipped=skipped, hash=_digest(layers))


_Tensors = dict[str, Tensor]
_Part = dict[Role, tuple[str, Tensor]]


def _tensors(path: Path) -> tuple[_Tensors, Mapping[str, str]]:
    if path.suffix != ".safetensors":
        raise LoraError(f"{path}: is not a .safetensors file.", "Convert it to safetensors; pickle files are not read.")
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise LoraError(f"{path}: {size} bytes are more than {MAX_BYTES >> 30} GiB.", "Use a LoRA of lower rank.")
        with cast(Any, safe_open(path, framework="pt")) as file:
            keys = sorted(file.keys())
            if len(keys) > MAX_TENSORS:
                raise LoraError(f"{path}: {len(keys)} tensors are more than {MAX_TENSORS}.", "Use another LoRA.")
            _refuse_other_methods(path, keys)
            header = cast(Mapping[str, str], file.metadata() or {})
            return {key: file.get_tensor(key) for key in keys}, header
    except FileNotFoundError:
        raise LoraError(f"{path}: there is no such file.", "Check the path.") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise LoraError(f"{path}: is damaged or cut short ({error}).", "Copy or download it again.") from error


def _refuse_other_methods(path: Path, keys: list[str]) -> None:
    for key in keys:
        method = foreign_method(key)
        if method is not None:
            raise LoraError(
                f"{path}: {key} belongs to {method}, which is not supported.", "Use a plain LoRA of linear layers."
            )
        if split(key) is None:
            raise LoraError(
                f"{path}: {key} is no LoRA factor.", "Use a file with lora_A/lora_B or lora_down/lora_up tensors only."
            )


def _by_layer(path: Path, tensors: _Tensors, names: LayerNames) -> tuple[dict[str, _Part], dict[str, str], int]:
    parts: dict[str, _Part] = {}
    spellings: dict[str, str] = {}
    skipped: set[str] = set()
    for key, tensor in tensors.items():
        spelling, role = cast("tuple[str, Role]", split(key))
        layer = names.find(spelling)
        if layer is None:
            skipped.add(spelling)
            continue
        if spellings.setdefault(layer, spelling) != spelling or role in parts.get(layer, {}):
            raise LoraError(f"{path}: {key} is the second tensor of its kind for {layer}.", "Save the LoRA again.")
        parts.setdefault(layer, {})[role] = (key, tensor)
    return parts, spellings, len(skipped)


def _factors(path: Path, spelling: str, part: _Part, shape: tuple[int, int], rule: Scaling) -> Factors:
    if Role.DOWN not in part or Role.UP not in part:
        raise LoraError(f"{path}: {spelling} lacks one of its two factors.", "Copy or download the LoRA again.")
    wide, narrow = shape
    down = _checked(path, *part[Role.DOWN], (None, narrow))
    rank = down.shape[0]
    if rank > MAX_RANK:
        raise LoraError(f"{path}: {spelling} has rank {rank}, more than {MAX_RANK}.", "Use a LoRA of lower rank.")
    up = _checked(path, *part[Role.UP], (wide, rank))
    own = _alpha(path, *part[Role.ALPHA]) if Role.ALPHA in part else None
    return Factors(down, up, rule.scale(spelling, rank, own))


def _checked(path: Path, key: str, tensor: Tensor, shape: tuple[int | None, int]) -> Tensor:
    found = list(tensor.shape)
    if len(found) > 2:
        raise LoraError(
            f"{path}: {key} {found} belongs to a convolutional LoRA, which is not supported.",
            "Use a plain LoRA of linear layers.",
        )
    fits = len(found) == 2 and found[1] == shape[1] and (found[0] == shape[0] if shape[0] else found[0] >= 1)
    if not fits:
        wanted = [n or "r" for n in shape]
        raise LoraError(
            f"{path}: {key} is {found}, the layer needs [{wanted[0]}, {wanted[1]}].",
            "Use a LoRA that was trained for this checkpoint.",
        )
    if tensor.dtype not in _DTYPES:
        raise LoraError(f"{path}: {key} is {tensor.dtype}.", "Save the LoRA as float32, float16 or bfloat16.")
    values = tensor.to(torch.float32)
    if not bool(torch.isfinite(values).all()):
        raise LoraError(f"{path}: {key} holds NaN or infinite values.", "Copy or download it again, or use another.")
    return values.contiguous()


def _alpha(path: Path, key: str, tensor: Tensor) -> float:
    value = float(tensor) if tensor.numel() == 1 else math.nan
    if not abs(value) <= 1e6:
        raise LoraError(f"{path}: {key} is not one number up to 1e6.", "Save the LoRA again.")
    return value


def _digest(layers: Mapping[str, Factors]) -> str:
    total = hashlib.sha256()
    for layer, factors in layers.items():
        shape = (factors.up.shape[0], factors.down.shape[1], factors.down.shape[0])
        total.update(f"{layer}\0{shape}\0{factors.scale!r}\n".encode())
        for tensor in (factors.down, factors.up):
            total.update(tensor.numpy().astype("<f4", copy=False).tobytes())
    return f"sha256:{total.hexdigest()}"
