"""Prompts: the text format ACE-Step v1.5 was trained on, and its encoding."""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from engine import checks
from engine.errors import RequestError
from engine.model.models import Models
from engine.request.conditioning import Conditioning

# Instruction per task, as in ACE-Step's constants; the model knows these sentences and no others.
INSTRUCTIONS: Final[Mapping[str, str]] = {
    "text2music": "Fill the audio semantic mask based on the given conditions:",
    "cover": "Generate audio semantic tokens based on the given conditions:",
    "repaint": "Repaint the mask area based on the given conditions:",
    "extract": "Extract the track from the audio:",
    "lego": "Generate the track based on the audio context:",
    "complete": "Complete the input track:",
}
MAX_PROMPT_TOKENS: Final = 256  # the lengths ACE-Step truncates at in training and in diffusers' pipeline
MAX_LYRIC_TOKENS: Final = 2048
_TIMBRE_FRAMES: Final = 750  # 30 s of silence is the timbre reference when there is none


class TextEncoder:
    """Encodes prompts with one checkpoint's text and condition encoders."""

    def __init__(self, models: Models) -> None:
        self._tokenizer = models.text_tokenizer
        self._encoder = models.text_encoder
        self._condition = models.condition_encoder

    def encode(
        self,
        prompt: str,
        *,
        lyrics: str,
        task: str,
        bpm: int | None,
        key: str | None,
        time_signature: str | None,
        duration: float,
        language: str,
    ) -> Conditioning:
        """Encode one prompt; see `Session.encode_text`."""
        text = self._tokens(
            "prompt", format_prompt(prompt, task, bpm, key, time_signature, duration), MAX_PROMPT_TOKENS
        )
        sung = self._tokens("lyrics", format_lyrics(lyrics, language), MAX_LYRIC_TOKENS)
        with torch.inference_mode():
            states, mask = self._condition(
                text_hidden_states=self._encoder(input_ids=text).last_hidden_state,
                text_attention_mask=torch.ones_like(text, dtype=torch.bool),
                # lyrics are only looked up; their contextual encoder is part of the condition encoder
                lyric_hidden_states=self._encoder.get_input_embeddings()(sung),
                lyric_attention_mask=torch.ones_like(sung, dtype=torch.bool),
                refer_audio_acoustic_hidden_states_packed=self._condition.silence_latent[:, :_TIMBRE_FRAMES],
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


def format_prompt(
    prompt: str, task: str, bpm: int | None, key: str | None, time_signature: str | None, duration: float
) -> str:
    """The caption template of ACE-Step v1.5. Unknown metadata is "N/A"; the duration is in whole seconds, rounded down.

    Raises:
        RequestError: a field is of the wrong type or out of range.
    """
    if checks.text("task", task) not in INSTRUCTIONS:
        raise RequestError("task", task, "is not a task", f"Use one of {', '.join(INSTRUCTIONS)}.")
    tempo = "N/A" if bpm is None else checks.whole("bpm", bpm, 1, 999)
    seconds = checks.number("duration", duration, "Pass the length in seconds.")
    if seconds <= 0.0:
        raise RequestError("duration", seconds, "is not above 0", "Pass the length in seconds.")
    metas = (
        f"- bpm: {tempo}\n"
        f"- timesignature: {_meta('time_signature', time_signature)}\n"
        f"- keyscale: {_meta('key', key)}\n"
        f"- duration: {int(seconds)} seconds\n"
    )
    caption = checks.text("prompt", prompt)
    return f"# Instruction\n{INSTRUCTIONS[task]}\n\n# Caption\n{caption}\n\n# Metas\n{metas}<|endoftext|>\n"


def format_lyrics(lyrics: str, language: str) -> str:
    """The lyric template of ACE-Step v1.5.

    Raises:
        RequestError: not a string.
    """
    return f"# Languages\n{checks.text('language', language)}\n\n# Lyric\n{checks.text('lyrics', lyrics)}<|endoftext|>"


def _meta(field: str, value: str | None) -> str:
    return "N/A" if value is None or not checks.text(field, value).strip() else value
