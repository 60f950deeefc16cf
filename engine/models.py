"""Loading the checkpoint's modules, as diffusers and transformers define them."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AceStepTransformer1DModel, AutoencoderOobleck
from diffusers.pipelines.ace_step import AceStepAudioTokenDetokenizer, AceStepAudioTokenizer, AceStepConditionEncoder
from diffusers.utils import logging as diffusers_logging
from transformers import AutoTokenizer, PreTrainedTokenizerBase, Qwen3Model
from transformers.utils import logging as transformers_logging

from engine.checkpoint import CheckpointInfo
from engine.errors import CheckpointError


@dataclass(frozen=True, eq=False, kw_only=True)
class Models:
    """The checkpoint's modules: float32, evaluation mode, no gradients."""

    transformer: AceStepTransformer1DModel
    vae: AutoencoderOobleck
    condition_encoder: AceStepConditionEncoder
    audio_tokenizer: AceStepAudioTokenizer
    audio_token_detokenizer: AceStepAudioTokenDetokenizer
    text_encoder: Qwen3Model
    text_tokenizer: PreTrainedTokenizerBase


def load(info: CheckpointInfo) -> Models:
    """Load every module of a checked checkpoint.

    Global random state is left as it was.

    Raises:
        CheckpointError: weights do not match the configuration beside them.
    """
    with _quiet(), torch.random.fork_rng(devices=[]):
        return Models(
            transformer=_module(info, AceStepTransformer1DModel, "transformer"),
            vae=_module(info, AutoencoderOobleck, "vae"),
            condition_encoder=_module(info, AceStepConditionEncoder, "condition_encoder"),
            audio_tokenizer=_module(info, AceStepAudioTokenizer, "audio_tokenizer"),
            audio_token_detokenizer=_module(info, AceStepAudioTokenDetokenizer, "audio_token_detokenizer"),
            text_encoder=_module(info, Qwen3Model, "text_encoder"),
            text_tokenizer=_text_tokenizer(info, info.folder / "tokenizer"),
        )


def _module(info: CheckpointInfo, kind: type[Any], component: str) -> Any:
    options: dict[str, Any] = {"output_loading_info": True, "use_safetensors": True, "local_files_only": True}
    if kind is Qwen3Model:
        options |= {"dtype": torch.float32}
    else:
        # low_cpu_mem_usage needs accelerate, which nothing else here does
        options |= {"torch_dtype": torch.float32, "low_cpu_mem_usage": False}
    folder = info.folder / component
    try:
        module, report = kind.from_pretrained(folder, **options)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise _mismatch(info, folder, str(error).splitlines()[0]) from error
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        names = sorted(str(name) for name in report.get(what, ()))
        if names:
            raise _mismatch(info, folder, f"{what.replace('_', ' ')}: {', '.join(names[:3])}")
    return module.eval().requires_grad_(False)


def _text_tokenizer(info: CheckpointInfo, folder: Path) -> PreTrainedTokenizerBase:
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _mismatch(info, folder, str(error).splitlines()[0]) from error


def _mismatch(info: CheckpointInfo, folder: Path, problem: str) -> CheckpointError:
    return CheckpointError(
        f"Checkpoint {info.name}: {folder}: does not load ({problem}).",
        f"Fetch it again with `demon checkpoint fetch {info.name}`; if it stays, it is not an ACE-Step v1.5 checkpoint.",
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and no deprecation notes of the libraries' own code; their settings are put back."""
    restore = []
    for log in (diffusers_logging, transformers_logging):
        if log.is_progress_bar_enabled():
            log.disable_progress_bar()
            restore.append(log.enable_progress_bar)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch\.nn\.utils\.weight_norm")
        try:
            yield
        finally:
            for enable in restore:
                enable()
