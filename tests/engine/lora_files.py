"""LoRA files as the tools that people use write them, made from plain numpy factors."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

Factors = dict[str, tuple[np.ndarray, np.ndarray]]
"""Layer in diffusers' spelling -> down [r, in] and up [out, r]."""

SHAPES = {
    "layers.0.self_attn.to_q": (192, 192),
    "layers.3.cross_attn.to_k": (96, 192),
    "layers.3.cross_attn.to_out.0": (192, 192),
    "layers.5.mlp.down_proj": (192, 512),
    "time_embed.time_proj": (1152, 192),
}


def factors(seed: int = 1, rank: int = 4, layers: tuple[str, ...] = tuple(SHAPES), size: float = 0.05) -> Factors:
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return (size * rng.standard_normal(shape)).astype(np.float32)

    return {layer: (draw(rank, SHAPES[layer][1]), draw(SHAPES[layer][0], rank)) for layer in layers}


def _reference(layer: str) -> str:
    for ours, theirs in ((".to_q", ".q_proj"), (".to_k", ".k_proj"), (".to_v", ".v_proj"), (".to_out.0", ".o_proj")):
        if layer.endswith(ours):
            return layer.removesuffix(ours) + theirs
    return layer


def _dotted(prefix: str, spell: Callable[[str], str] = str, infix: str = "") -> Callable[[Factors], dict]:
    def tensors(parts: Factors) -> dict[str, np.ndarray]:
        named = {}
        for layer, (down, up) in parts.items():
            named[f"{prefix}{spell(layer)}.lora_A{infix}.weight"] = down
            named[f"{prefix}{spell(layer)}.lora_B{infix}.weight"] = up
        return named

    return tensors


def kohya(parts: Factors, alpha: float | None = None, spell: Callable[[str], str] = str) -> dict[str, np.ndarray]:
    named = {}
    for layer, (down, up) in parts.items():
        flat = "lora_unet_" + spell(layer).replace(".", "_")
        named[f"{flat}.lora_down.weight"] = down
        named[f"{flat}.lora_up.weight"] = up
        if alpha is not None:
            named[f"{flat}.alpha"] = np.array(alpha, np.float32)
    return named


STYLES: dict[str, Callable[[Factors], dict[str, np.ndarray]]] = {
    "peft": _dotted("base_model.model.", _reference),
    "peft-default": _dotted("base_model.model.", _reference, ".default"),
    "peft-diffusers-names": _dotted("base_model.model."),
    "reference": _dotted("", _reference),
    "diffusers": _dotted("transformer."),
    "diffusion-model": _dotted("diffusion_model."),
    "decoder": _dotted("decoder.", _reference),
    "model": _dotted("model.decoder.", _reference),
    "kohya": kohya,
    "kohya-reference-names": lambda parts: kohya(parts, spell=_reference),
    "kohya-decoder": lambda parts: kohya(parts, spell=lambda layer: "decoder." + _reference(layer)),
}


def write(path: Path, tensors: dict[str, np.ndarray], header: dict[str, str] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: np.ascontiguousarray(tensor) for key, tensor in tensors.items()}, path, header)
    return path


def config(folder: Path, **settings: object) -> None:
    (folder / "adapter_config.json").write_text(json.dumps(settings), encoding="utf-8")
