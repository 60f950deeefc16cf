"""Which layer of the DiT a tensor of a LoRA file belongs to, whatever tool wrote the file.

Written by: ACE-Step's own trainer and PEFT (`base_model.model.layers.0.self_attn.q_proj.lora_A.weight`, also with the
infix `.default.`), diffusers (`transformer.layers.0.self_attn.to_q.lora_A.weight`), ComfyUI-style trainers
(`diffusion_model.`), and kohya's scripts (`lora_unet_layers_0_self_attn_to_q.lora_down.weight` beside `.alpha`).
"""

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import Final


class Role(Enum):
    """What a tensor is to its layer: y = x W + s * scale * (x down^T) up^T."""

    DOWN = auto()
    UP = auto()
    ALPHA = auto()


_ROLES: Final[Mapping[str, Role]] = {
    ".lora_A.weight": Role.DOWN,
    ".lora_A.default.weight": Role.DOWN,
    ".lora_down.weight": Role.DOWN,
    ".lora.down.weight": Role.DOWN,
    ".lora_B.weight": Role.UP,
    ".lora_B.default.weight": Role.UP,
    ".lora_up.weight": Role.UP,
    ".lora.up.weight": Role.UP,
    ".alpha": Role.ALPHA,
}

# part of a tensor's name -> the method it belongs to, none of which is x W + s (x A) B on a linear layer
_FOREIGN: Final[Mapping[str, str]] = {
    "magnitude_vector": "DoRA",
    ".dora_scale": "DoRA",
    ".lokr_": "LoKr",
    ".hada_": "LoHa",
    ".oft_": "OFT",
    ".lora_mid": "a convolutional LoRA",
    ".lora_embedding_": "a LoRA of an embedding",
    ".lora_B.bias": "a LoRA with biases",
    ".lora_up.bias": "a LoRA with biases",
}

_PREFIXES: Final = ("base_model.model.", "transformer.", "diffusion_model.", "decoder.", "model.")
_FLAT_PREFIXES: Final = tuple(prefix.replace(".", "_") for prefix in _PREFIXES)
_KOHYA: Final = ("lora_unet_", "lora_transformer_")

# diffusers' names of the attention projections -> the names in ACE-Step's own code
_REFERENCE: Final[Mapping[str, tuple[str, ...]]] = {
    ".to_q": (".q_proj",),
    ".to_k": (".k_proj",),
    ".to_v": (".v_proj",),
    ".to_out.0": (".o_proj", ".to_out"),
}


def split(key: str) -> tuple[str, Role] | None:
    """A tensor's layer, as the file spells it, and its role; None for a tensor that is no LoRA factor."""
    for suffix, role in _ROLES.items():
        if key.endswith(suffix):
            return key.removesuffix(suffix), role
    return None


def foreign_method(key: str) -> str | None:
    """The method a tensor belongs to that this engine does not run, or None."""
    return next((method for part, method in _FOREIGN.items() if part in key), None)


class LayerNames:
    """The linear layers of one DiT, under every name a file may give them."""

    def __init__(self, layers: Iterable[str]) -> None:
        """Take the layers' names in diffusers' spelling."""
        self._dotted: dict[str, str] = {}
        for layer in layers:
            self._dotted.update(dict.fromkeys(_spellings(layer), layer))
        self._flat = {spelling.replace(".", "_"): layer for spelling, layer in self._dotted.items()}

    def find(self, spelling: str) -> str | None:
        """The layer's name in diffusers' spelling, or None where this DiT has no such layer."""
        for kohya in _KOHYA:
            if spelling.startswith(kohya):
                return self._flat.get(_stripped(spelling.removeprefix(kohya), _FLAT_PREFIXES))
        return self._dotted.get(_stripped(spelling, _PREFIXES))


def _spellings(layer: str) -> list[str]:
    for ours, theirs in _REFERENCE.items():
        if layer.endswith(ours):
            return [layer, *(layer.removesuffix(ours) + other for other in theirs)]
    return [layer]


def _stripped(spelling: str, prefixes: tuple[str, ...]) -> str:
    while True:
        prefix = next((prefix for prefix in prefixes if spelling.startswith(prefix)), None)
        if prefix is None:
            return spelling
        spelling = spelling.removeprefix(prefix)
