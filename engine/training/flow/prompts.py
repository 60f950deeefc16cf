"""The texts of a clip: what a person, or the engine, may write about it."""

from typing import Any, Final, cast

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from engine.constants import FRAME_RATE
from engine.text.format import INSTRUCTIONS, format_lyrics, format_prompt
from engine.training.music import STYLES, Tags, caption
from engine.training.music.captions import key_name
from engine.training.music.styles import DRUMS

_SUNG: Final = ("light", "night", "love", "go", "fire", "time", "we", "run")
_END: Final = "<|endoftext|>"  # as the template has it
_LENGTHS: Final = (30, 60, 120, 240)  # seconds that a prompt may state although what is generated is shorter


def prompt(tags: Tags, frames: int, task: str, rng: np.random.Generator) -> str:
    """A prompt in ACE-Step's template, each field of which may be missing.

    Args:
        tags: of the clip.
        frames: length of what is trained on.
        task: a key of `INSTRUCTIONS`.
        rng: what is left out, and how the rest is worded.
    """
    pitched = any(part not in DRUMS for part in tags.parts)
    return format_prompt(
        caption(tags, rng),
        INSTRUCTIONS[task],
        bpm=tags.bpm if rng.random() < 0.75 else None,
        key=key_name(tags.key, rng) if pitched and rng.random() < 0.75 else None,
        time_signature="4" if rng.random() < 0.5 else None,
        duration=max(1, frames // FRAME_RATE) if rng.random() < 0.7 else int(rng.choice(_LENGTHS)),
    )


def lyrics(rng: np.random.Generator) -> str:
    """Mostly none: nothing in the corpus sings, so words must not matter."""
    draw = rng.random()
    words = "[verse]\n" + " ".join(rng.choice(_SUNG, 6)) if draw > 0.9 else "[Instrumental]" if draw > 0.75 else ""
    return format_lyrics(words, "en" if rng.random() < 0.9 else "unknown")


def tokenizer(texts: list[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE of some texts: it reads any other text too."""
    untyped = cast(Any, Tokenizer(models.BPE()))
    untyped.pre_tokenizer = cast(Any, pre_tokenizers).ByteLevel(add_prefix_space=False)
    untyped.decoder = decoders.ByteLevel()
    trainer = cast(Any, trainers).BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[_END],
        initial_alphabet=cast(Any, pre_tokenizers).ByteLevel.alphabet(),
        show_progress=False,
    )
    untyped.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=untyped,
        pad_token=_END,
        eos_token=_END,
        padding_side="right",
        model_max_length=2048,
    )


def vocabulary(tags: list[Tags], rng: np.random.Generator) -> list[str]:
    """Texts for a tokenizer: prompts of clips, and every tempo and length as often as it takes to be one token."""
    texts = [prompt(one, 400, task, rng) for one in tags for task in ("text2music", "cover", "repaint")]
    texts += [lyrics(rng) for _ in range(300)]
    texts += [f"bpm: {bpm}" for bpm in range(60, 200)] * 3 + [f" {length} seconds" for length in range(1, 241)] * 2
    return texts + list(STYLES) * 5
