"""The modules that are trained together, in the classes that any ACE-Step v1.5 checkpoint has."""

from typing import Any

import torch
from diffusers.models.transformers.ace_step_transformer import AceStepTransformer1DModel
from diffusers.pipelines.ace_step.modeling_ace_step import (
    AceStepAudioTokenDetokenizer,
    AceStepAudioTokenizer,
    AceStepConditionEncoder,
)
from msgspec import Struct
from torch import Tensor, nn
from transformers import Qwen3Config, Qwen3Model

from engine.constants import LATENT_CHANNELS

_ROPE = 1e6  # ACE-Step v1.5's, and Qwen3's


class Sizes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How large they are.

    Attributes:
        width: of the DiT.
        layers: of the DiT.
        heads: of the DiT; it has half as many key-value heads.
        mlp: inner width of the DiT's feed-forward layers.
        window: tokens to each side that every second layer sees; a token is two frames.
        text_width: of the text encoder and of all that surrounds the DiT.
        text_layers: of the text encoder.
        vocabulary: tokens of text.
    """

    width: int = 192
    layers: int = 6
    heads: int = 6
    mlp: int = 512
    window: int = 64
    text_width: int = 128
    text_layers: int = 2
    vocabulary: int = 1024


class Parts(nn.Module):
    """All of them; their names are those of the folders of a checkpoint."""

    transformer: Any
    condition_encoder: Any
    text_encoder: Any
    audio_tokenizer: Any
    audio_token_detokenizer: Any

    def __init__(self, sizes: Sizes, silence: Tensor) -> None:
        """Random weights, but for the DiT's output and its reading of time, which begin small.

        Args:
            sizes: how large.
            silence: [1, 15000, 64], what the VAE makes of silence.
        """
        super().__init__()
        around: dict[str, Any] = {
            "hidden_size": sizes.text_width,
            "intermediate_size": 2 * sizes.text_width,
            "num_attention_heads": sizes.text_width // 32,
            "num_key_value_heads": max(1, sizes.text_width // 64),
            "head_dim": 32,
        }
        tokens: dict[str, Any] = {"audio_acoustic_hidden_dim": LATENT_CHANNELS, "num_attention_pooler_hidden_layers": 1}
        self.transformer = _transformer(sizes)
        self.condition_encoder = AceStepConditionEncoder(
            text_hidden_dim=sizes.text_width,
            timbre_hidden_dim=LATENT_CHANNELS,
            num_lyric_encoder_hidden_layers=1,
            num_timbre_encoder_hidden_layers=1,
            **around,
        )
        self.text_encoder = Qwen3Model(
            Qwen3Config(
                vocab_size=sizes.vocabulary,
                num_hidden_layers=sizes.text_layers,
                max_position_embeddings=2048,
                rope_parameters={"rope_type": "default", "rope_theta": _ROPE},
                tie_word_embeddings=True,
                use_cache=False,
                **around,
            )
        )
        self.audio_tokenizer = AceStepAudioTokenizer(fsq_dim=sizes.text_width, **tokens, **around)
        self.audio_token_detokenizer = AceStepAudioTokenDetokenizer(**tokens, **around)
        self._begin(silence)

    @torch.no_grad()
    def _begin(self, silence: Tensor) -> None:
        self.condition_encoder.silence_latent.copy_(silence)
        self.condition_encoder.null_condition_emb.mul_(0.1)
        self.transformer.proj_out_conv.weight.mul_(0.1)
        self.transformer.proj_out_conv.bias.zero_()
        for embedding in (self.transformer.time_embed, self.transformer.time_embed_r):
            embedding.time_proj.weight.mul_(0.1)
            embedding.time_proj.bias.zero_()

    @property
    def matrices(self) -> frozenset[str]:
        """Names of the weights that Muon takes: all but the first and last layers, as Jordan et al. advise."""
        return frozenset(name for name, weight in self.named_parameters() if _is_inner(name, weight))


_OUTER = (
    "embed_tokens", "scale_shift_table", "special_token", "null_condition", "proj_in_conv", "proj_out_conv",
    "time_embed", "quantizer",
)  # fmt: skip


def _is_inner(name: str, weight: Tensor) -> bool:
    large = weight.ndim >= 2 and weight.shape[0] > 8 and weight[0].numel() > 8
    return large and not any(part in name for part in _OUTER)


def _transformer(sizes: Sizes) -> AceStepTransformer1DModel:
    return AceStepTransformer1DModel(
        hidden_size=sizes.width,
        intermediate_size=sizes.mlp,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        num_key_value_heads=sizes.heads // 2,
        head_dim=32,
        in_channels=3 * LATENT_CHANNELS,
        audio_acoustic_hidden_dim=LATENT_CHANNELS,
        patch_size=2,
        rope_theta=_ROPE,
        sliding_window=sizes.window,
        encoder_hidden_size=sizes.text_width,
        is_turbo=True,
        model_version="turbo",
    )
