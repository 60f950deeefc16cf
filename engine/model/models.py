"""Loading the checkpoint's modules, as diffusers and transformers define them."""

import os
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_oobleck import AutoencoderOobleck
from diffusers.models.transformers.ace_step_transformer import AceStepTransformer1DModel
from diffusers.pipelines.ace_step.modeling_ace_step import (
    AceStepAudioTokenDetokenizer,
    AceStepAudioTokenizer,
    AceStepConditionEncoder,
)
from diffusers.utils import logging as diffusers_logging
from transformers import AutoTokenizer, PreTrainedTokenizerBase, Qwen3Model
from transformers.utils import logging as transformers_logging

from engine.model.checkpoint import CheckpointInfo, broken

_ASYNC_LOAD = "HF_DEACTIVATE_ASYNC_LOAD"


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
    with _quiet(), _same_random_state(), _no_loader_threads():
        return Models(
            transformer=_module(info, AceStepTransformer1DModel, "transformer"),
            vae=_module(info, AutoencoderOobleck, "vae"),
            condition_encoder=_module(info, AceStepConditionEncoder, "condition_encoder"),
            audio_tokenizer=_module(info, AceStepAudioTokenizer, "audio_tokenizer"),
            audio_token_detokenizer=_module(info, AceStepAudioTokenDetokenizer, "audio_token_detokenizer"),
            text_encoder=_module(info, Qwen3Model, "text_encoder"),
            text_tokenizer=_text_tokenizer(info, info.folder / "tokenizer"),
        )


def _module(info: CheckpointInfo, kind: Any, component: str) -> Any:
    folder = info.folder / component
    options: dict[str, Any] = {"dtype": torch.float32, "output_loading_info": True, "local_files_only": True}
    if component != "text_encoder":
        # low_cpu_mem_usage needs accelerate, which nothing else here does
        options["low_cpu_mem_usage"] = False
    try:
        module, report = kind.from_pretrained(folder, use_safetensors=True, **options)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise broken(info.name, folder, f"does not load ({_first_line(error)})") from error
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        names = sorted(str(name) for name in report.get(what, ()))
        if names:
            raise broken(info.name, folder, f"does not match its configuration ({what}: {', '.join(names[:3])})")
    return module.eval().requires_grad_(False)


def _text_tokenizer(info: CheckpointInfo, folder: Path) -> PreTrainedTokenizerBase:
    try:
        tokenizers: Any = AutoTokenizer
        return tokenizers.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise broken(info.name, folder, f"does not load ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


@contextmanager
def _same_random_state() -> Generator[None]:
    """Modules draw initial weights before the checkpoint's replace them; put torch's generator back."""
    state = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(state)


@contextmanager
def _no_loader_threads() -> Generator[None]:
    """transformers leaves its loader's thread pool behind without waiting; a fork right after would copy its locks."""
    before = os.environ.get(_ASYNC_LOAD)
    os.environ[_ASYNC_LOAD] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_ASYNC_LOAD]
        else:
            os.environ[_ASYNC_LOAD] = before


@contextmanager
def _quiet() -> Generator[None]:
    """No progress bars and no deprecation notes of the libraries' own code; their settings are put back."""
    restore: list[Callable[[], None]] = []
    libraries: tuple[Any, ...] = (diffusers_logging, transformers_logging)
    for log in libraries:
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
