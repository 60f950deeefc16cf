"""How strongly a LoRA's factors count: alpha / r, or alpha / sqrt(r) for a rank-stabilised one.

Where alpha is looked for, the first that says it wins: the layer's own `.alpha` tensor (kohya); `adapter_config.json`
beside the file (PEFT); the safetensors header (`lora_adapter_metadata` as diffusers writes it, `ss_network_alpha` as
kohya does). Nothing at all means alpha = r, a scale of 1.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from engine.errors import LoraError

CONFIG_FILE: Final = "adapter_config.json"
_JSON_LIMIT: Final = 1 << 20  # PEFT writes some hundred bytes; patterns for every layer of the largest DiT stay below
_ALPHA_LIMIT: Final = 1e6
_FIX: Final = "Save the LoRA again with plain numbers, or remove the file that says it."

_Json = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """The rule of one file.

    Attributes:
        alpha: for every layer, or None for alpha = r.
        rank_stabilised: divide by sqrt(r) instead of r (PEFT's use_rslora).
        patterns: layer name or its ending -> alpha, for layers that differ.
    """

    alpha: float | None = None
    rank_stabilised: bool = False
    patterns: Mapping[str, float] | None = None

    def scale(self, layer: str, rank: int, own_alpha: float | None) -> float:
        """The factor on up @ down.

        Args:
            layer: as the file spells it, without prefixes or with them.
            rank: of the layer's factors.
            own_alpha: the layer's `.alpha` tensor, or None.
        """
        if own_alpha is not None:
            return own_alpha / rank
        alpha = next((value for name, value in (self.patterns or {}).items() if _names(name, layer)), self.alpha)
        if alpha is None:
            return 1.0
        return alpha / (math.sqrt(rank) if self.rank_stabilised else rank)


def scaling(path: Path, header: Mapping[str, str]) -> Scaling:
    """The rule of a file.

    Args:
        path: of the safetensors file.
        header: its metadata.

    Raises:
        LoraError: what is there cannot be read, holds something else than numbers, or asks for DoRA.
    """
    config = path.with_name(CONFIG_FILE)
    if config.is_file():
        return _from_config(config, _object(config, _read(config)))
    packed = header.get("lora_adapter_metadata")
    if packed is not None:
        # diffusers files the DiT's settings under the component's name
        settings = {key.removeprefix("transformer."): value for key, value in _object(path, packed).items()}
        return _from_config(path, settings)
    alpha = header.get("ss_network_alpha")
    return Scaling() if alpha in (None, "None") else Scaling(alpha=_number(path, "ss_network_alpha", alpha))


def _from_config(file: Path, settings: _Json) -> Scaling:
    if settings.get("use_dora"):
        raise LoraError(f"{file}: asks for DoRA.", "Train or convert it as a plain LoRA; DoRA is not supported.")
    alpha = settings.get("lora_alpha")
    patterns = settings.get("alpha_pattern")
    if patterns is not None and not isinstance(patterns, dict):
        raise LoraError(f"{file}: alpha_pattern is not an object.", _FIX)
    return Scaling(
        alpha=None if alpha is None else _number(file, "lora_alpha", alpha),
        rank_stabilised=settings.get("use_rslora") is True,
        patterns={
            _plain(file, name): _number(file, f"alpha_pattern.{name}", value)
            for name, value in cast(_Json, patterns or {}).items()
        },
    )


def _names(pattern: str, layer: str) -> bool:
    return layer == pattern or layer.endswith(f".{pattern}")


def _plain(file: Path, pattern: str) -> str:
    # PEFT takes these for regular expressions. A file from elsewhere may hold one that never ends, so only names do.
    name = pattern.removeprefix("^").removesuffix("$").replace(r"\.", ".")
    if not all(part.isidentifier() or part.isdigit() for part in name.split(".")):
        raise LoraError(
            f"{file}: alpha_pattern {pattern!r} is not the name of a layer.", "Write each layer's name out in full."
        )
    return name


def _number(file: Path, what: str, value: object) -> float:
    try:
        number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not abs(number) <= _ALPHA_LIMIT:
        raise LoraError(f"{file}: {what} is {value!r}, not a number up to {_ALPHA_LIMIT:g}.", _FIX)
    return number


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > _JSON_LIMIT:
            raise LoraError(f"{file}: is larger than {_JSON_LIMIT >> 20} MiB.", _FIX)
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LoraError(f"{file}: cannot be read ({error}).", _FIX) from error


def _object(file: Path, text: str) -> _Json:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LoraError(f"{file}: the LoRA's settings are not JSON ({error}).", _FIX) from error
    if not isinstance(content, dict):
        raise LoraError(f"{file}: the LoRA's settings are not a JSON object.", _FIX)
    return cast(_Json, content)
