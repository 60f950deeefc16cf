"""Prompts: text, lyrics and timbre as the DiT attends to them."""

from typing import Final

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from engine.errors import RequestError
from engine.model.models import Models
from engine.request.conditioning import Conditioning
from engine.request.source import Source
from engine.text.embedding import TextEmbedding
from engine.text.timbre import TIMBRE_FRAMES, reference

MAX_PROMPT_TOKENS: Final = 256  # the lengths ACE-Step truncates at in training and in diffusers' pipeline
MAX_LYRIC_TOKENS: Final = 2048


class TextEncoder:
    """Encodes prompts with one checkpoint's text and condition encoders."""

    def __init__(self, models: Models) -> None:
        self._tokenizer = models.text_tokenizer
        self._encoder = models.text_encoder
        self._condition = models.condition_encoder

    def embed(self, prompt: str, lyrics: str) -> TextEmbedding:
        """Embed a prompt and lyrics in their templates (`engine.text.format`); see `Session.embed_text`."""
        text = self._tokens("prompt", prompt, MAX_PROMPT_TOKENS)
        sung = self._tokens("lyrics", lyrics, MAX_LYRIC_TOKENS)
        with torch.inference_mode():
            states = self._encoder(input_ids=text).last_hidden_state
            # lyrics are only looked up; their contextual encoder is part of the condition encoder
            looked_up = self._encoder.get_input_embeddings()(sung)
        return TextEmbedding(prompt=states[0].numpy().copy(), lyrics=looked_up[0].numpy().copy())

    def condition(self, embedding: TextEmbedding, timbre: Source | ArrayLike | None, strength: float) -> Conditioning:
        """Join an embedded prompt and a timbre; see `Session.condition_text`."""
        width: int = self._encoder.config.hidden_size
        if embedding.prompt.shape[1] != width:
            problem = f"is not {width} wide as this checkpoint needs"
            raise RequestError("embedding", f"{embedding.prompt.shape[1]}", problem, "Embed it with this session.")
        silence = self._condition.silence_latent[0, :TIMBRE_FRAMES].numpy()
        heard = np.array(reference(timbre, strength, silence))
        text, sung = torch.tensor(embedding.prompt).unsqueeze(0), torch.tensor(embedding.lyrics).unsqueeze(0)
        with torch.inference_mode():
            states, mask = self._condition(
                text_hidden_states=text,
                text_attention_mask=torch.ones(text.shape[:2], dtype=torch.bool),
                lyric_hidden_states=sung,
                lyric_attention_mask=torch.ones(sung.shape[:2], dtype=torch.bool),
                refer_audio_acoustic_hidden_states_packed=torch.tensor(heard).unsqueeze(0),
                refer_audio_order_mask=torch.zeros(1, dtype=torch.long),
            )
        return Conditioning(states=states[0].numpy().copy(), mask=mask[0].numpy().astype(bool))

    def null(self, conditioning: Conditioning) -> Conditioning:
        """The learned embedding of no prompt, repeated; see `Session.null_conditioning`."""
        states = self._condition.null_condition_emb.detach()[0].expand(conditioning.states.shape[0], -1)
        return Conditioning(states=states.numpy().copy(), mask=conditioning.mask)

    def _tokens(self, field: str, text: str, limit: int) -> Tensor:
        ids: list[int] = self._tokenizer(text)["input_ids"]
        if len(ids) > limit:
            raise RequestError(
                field, f"{len(ids)} tokens", f"is longer than the model's {limit} tokens", f"Shorten the {field}."
            )
        return torch.tensor([ids])
