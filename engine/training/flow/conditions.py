"""What the DiT is told: prompts through the encoders, sources through the audio tokens. All of it with gradients."""

from typing import Any, cast

import torch
from diffusers.pipelines.ace_step import modeling_ace_step as ace_step
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from engine.training.flow.parts import Parts

MAX_TOKENS = 256  # of a prompt, as the pipeline truncates it


def encode(
    parts: Parts, tokenizer: PreTrainedTokenizerFast, prompts: list[str], lyrics: list[str], timbre: Tensor
) -> Tensor:
    """Encoder states [B, L, D] of a batch, padded as it falls: the DiT attends to padding, here and in the pipeline.

    Args:
        parts: the modules.
        tokenizer: of the text encoder.
        prompts: B texts.
        lyrics: B texts.
        timbre: [1 or B, 750, 64], references.
    """
    text, sung = (_tokens(tokenizer, texts) for texts in (prompts, lyrics))
    condition: Any = parts.condition_encoder
    states = condition.text_projector(parts.text_encoder(input_ids=text["input_ids"]).last_hidden_state)
    mask = sung["attention_mask"].bool()
    looked_up = parts.text_encoder.get_input_embeddings()(sung["input_ids"])
    words = condition.lyric_encoder(inputs_embeds=looked_up, attention_mask=mask)
    heard, heard_mask = condition.timbre_encoder(timbre, torch.arange(timbre.shape[0]))
    heard, heard_mask = heard.expand(len(prompts), -1, -1), heard_mask.expand(len(prompts), -1)
    pack = cast(Any, ace_step)._pack_sequences  # noqa: SLF001 -- the order in which the DiT expects them
    states_so_far, mask = pack(words, heard, mask, heard_mask)
    return pack(states_so_far, states, mask, text["attention_mask"].bool())[0].float()


def hints(parts: Parts, latent: Tensor, silence: Tensor) -> Tensor:
    """[B, T, 64] through the 5 Hz audio tokens and back, with a straight-through gradient.

    The stock quantiser rounds by `floor`, through which no gradient comes.
    """
    batch, frames, channels = latent.shape
    missing = -frames % 5
    padded = torch.cat((latent, silence[:, :missing].expand(batch, -1, -1)), 1)
    tokenizer: Any = parts.audio_tokenizer
    pooled = tokenizer.attention_pooler(tokenizer.audio_acoustic_proj(padded.reshape(batch, -1, 5, channels)))
    quantizer = tokenizer.quantizer
    levels = quantizer._levels.to(pooled.dtype)  # noqa: SLF001
    limit = 1.0 + 1.0 / (levels - 1.0)
    code = (quantizer.project_in(pooled) / limit).tanh() * limit
    rounded = code + (quantizer._quantize(code) - code).detach()  # noqa: SLF001
    return parts.audio_token_detokenizer(quantizer.project_out(rounded))[:, :frames].float()


def _tokens(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> dict[str, Tensor]:
    read: Any = tokenizer(texts, padding="longest", truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
    return {"input_ids": read["input_ids"], "attention_mask": read["attention_mask"]}
