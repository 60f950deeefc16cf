"""Finding and checking a checkpoint folder in the diffusers layout, before anything heavy is imported."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from safetensors import SafetensorError, safe_open

from engine.constants import AUDIO_CHANNELS, FRAME_SAMPLES, LATENT_CHANNELS, SAMPLE_RATE
from engine.errors import CheckpointError

BUNDLED: Final = "demon-tiny-1"
HUB_ID: Final = re.compile(r"(?P<repo>[\w.-]{1,96}/[\w.-]{1,96})(@(?P<revision>[\w./-]{1,255}))?", re.ASCII)
_JSON_LIMIT = 64 << 20  # a Qwen3 tokenizer.json, the largest there is, has 11 MB
_BUNDLE_ROOT = Path(__file__).parent.parent / "checkpoints"

# component -> (class in model_index.json, stem of its weight files)
_MODELS: Final[Mapping[str, tuple[str, str]]] = {
    "transformer": ("AceStepTransformer1DModel", "diffusion_pytorch_model"),
    "vae": ("AutoencoderOobleck", "diffusion_pytorch_model"),
    "condition_encoder": ("AceStepConditionEncoder", "diffusion_pytorch_model"),
    "audio_tokenizer": ("AceStepAudioTokenizer", "diffusion_pytorch_model"),
    "audio_token_detokenizer": ("AceStepAudioTokenDetokenizer", "diffusion_pytorch_model"),
    "text_encoder": ("Qwen3Model", "model"),
}

_Json = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class CheckpointInfo:
    """A checked checkpoint.

    Attributes:
        name: as it was asked for: a bundled name, a folder's name, or the hub id.
        id: name + "@" + 12 hex digits of a SHA-256 over its weight files; equal ids mean equal weights.
        folder: where it lies.
        is_turbo: guidance is distilled into the weights; 8 steps at shift 3 are enough.
        conditioning_width: D of its conditioning.
        weight_bytes: size of its weight files.
    """

    name: str
    id: str
    folder: Path
    is_turbo: bool
    conditioning_width: int
    weight_bytes: int


def bundled(name: str) -> Path | None:
    """Folder of a checkpoint that ships with the package, or None."""
    return _BUNDLE_ROOT / name if name == BUNDLED else None


def is_hub_id(name: str) -> bool:
    """True for "owner/name" and "owner/name@revision"."""
    return HUB_ID.fullmatch(name) is not None


def broken(name: str, path: Path, problem: str) -> CheckpointError:
    """The error for a file or folder of a checkpoint, with the command that mends it."""
    if name == BUNDLED:
        fix = "Reinstall demon-bridge."
    elif is_hub_id(name):
        fix = f"Run `demon checkpoint fetch {name}`, or use {BUNDLED}."
    else:
        fix = f"Copy the checkpoint again and run `demon checkpoint check` on its folder, or use {BUNDLED}."
    return CheckpointError(f"Checkpoint {name}: {path}: {problem}.", fix)


def inspect(folder: Path, name: str) -> CheckpointInfo:
    """Check a checkpoint folder file by file and hash its weights.

    Reads JSON, safetensors headers and raw bytes only; no weight becomes a tensor and no code is imported from it.

    Raises:
        CheckpointError: names the file that is missing or wrong, and what to run.
    """
    if not folder.is_dir():
        raise broken(name, folder, "there is no such folder")
    index = _read_json(name, folder / "model_index.json")
    weights: list[Path] = []
    for component, (wanted, stem) in _MODELS.items():
        _check_class(name, folder, index, component, wanted)
        weights += _weight_files(name, folder / component, stem)
    _check_text_tokenizer(name, folder / "tokenizer")
    transformer = _read_json(name, folder / "transformer" / "config.json")
    _check_shapes(name, folder, transformer)
    digest = _digest(folder, weights)
    return CheckpointInfo(
        name=name,
        id=f"{name}@{digest[:12]}",
        folder=folder,
        is_turbo=bool(transformer.get("is_turbo")) or transformer.get("model_version") == "turbo",
        conditioning_width=_whole(transformer.get("encoder_hidden_size") or transformer.get("hidden_size")),
        weight_bytes=sum(file.stat().st_size for file in weights),
    )


def _read_json(name: str, path: Path) -> _Json:
    try:
        if path.stat().st_size > _JSON_LIMIT:
            raise broken(name, path, f"is larger than {_JSON_LIMIT >> 20} MiB")
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise broken(name, path, "the file is missing") from None
    except (OSError, ValueError, RecursionError) as error:
        raise broken(name, path, f"cannot be read as JSON ({error})") from error
    if not isinstance(content, dict):
        raise broken(name, path, "is not a JSON object")
    return cast(_Json, content)


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _check_class(name: str, folder: Path, index: _Json, component: str, wanted: str) -> None:
    entry = index.get(component)
    found = cast(list[object], entry)[1] if isinstance(entry, list) and len(cast(list[object], entry)) == 2 else None
    if found != wanted:
        raise broken(
            name,
            folder / "model_index.json",
            f"{component} is {found!r}, not {wanted!r}, so this is not an ACE-Step v1.5 checkpoint",
        )
    config = _read_json(name, folder / component / "config.json")
    said = config.get("_class_name", wanted)
    if said != wanted:
        raise broken(name, folder / component / "config.json", f"_class_name is {said!r}, not {wanted!r}")


def _weight_files(name: str, folder: Path, stem: str) -> list[Path]:
    single = folder / f"{stem}.safetensors"
    shards = folder / f"{stem}.safetensors.index.json"
    files = _shards(name, shards) if shards.is_file() and not single.is_file() else [single]
    for file in files:
        _check_header(name, file)
    return files


def _shards(name: str, index: Path) -> list[Path]:
    table = _read_json(name, index).get("weight_map")
    names = {str(value) for value in cast(dict[str, object], table).values()} if isinstance(table, dict) else set[str]()
    # A shard is a plain file beside its index; anything else could point outside the checkpoint.
    if not names or any(Path(shard).name != shard or not shard.endswith(".safetensors") for shard in names):
        raise broken(name, index, "weight_map does not name safetensors files beside it")
    return [index.parent / shard for shard in sorted(names)]


def _check_header(name: str, file: Path) -> None:
    if not file.is_file():
        raise broken(name, file, "the file is missing")
    try:
        with cast(Any, safe_open(file, framework="numpy")) as tensors:
            empty = not tensors.keys()
    except (SafetensorError, OSError) as error:
        raise broken(name, file, f"is damaged or cut short ({error})") from error
    if empty:
        raise broken(name, file, "holds no tensors")


def _check_text_tokenizer(name: str, folder: Path) -> None:
    for file in ("tokenizer_config.json", "tokenizer.json"):
        _read_json(name, folder / file)


def _check_shapes(name: str, folder: Path, transformer: _Json) -> None:
    vae = _read_json(name, folder / "vae" / "config.json")
    ratios = vae.get("downsampling_ratios")
    hop = math.prod(_whole(ratio) for ratio in cast(list[object], ratios)) if isinstance(ratios, list) else 0
    wanted = (
        ("vae", "sampling_rate", _whole(vae.get("sampling_rate")), SAMPLE_RATE),
        ("vae", "downsampling_ratios (product)", hop, FRAME_SAMPLES),
        ("vae", "audio_channels", _whole(vae.get("audio_channels")), AUDIO_CHANNELS),
        ("vae", "decoder_input_channels", _whole(vae.get("decoder_input_channels")), LATENT_CHANNELS),
        (
            "transformer",
            "audio_acoustic_hidden_dim",
            _whole(transformer.get("audio_acoustic_hidden_dim")),
            LATENT_CHANNELS,
        ),
    )
    for component, key, found, expected in wanted:
        if found != expected:
            raise broken(name, folder / component / "config.json", f"{key} is {found}, not {expected}")


def _digest(folder: Path, weights: list[Path]) -> str:
    total = hashlib.sha256()
    for file in sorted(weights):
        with file.open("rb") as stream:
            part = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{file.relative_to(folder).as_posix()}\0{part}\n".encode())
    return total.hexdigest()
