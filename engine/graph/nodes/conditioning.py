"""Prompts: embedding, timbre, and ways to join two."""

from dataclasses import replace
from typing import Annotated

import numpy as np

from engine.analysis.info import AudioInfo
from engine.errors import RequestError
from engine.graph.declare import Family, param, port
from engine.graph.request import Duration
from engine.graph.values import Clip, Conditions, FrameCurve, Latent, Model, TextEmbed
from engine.request.condition import Condition, combine_conditions
from engine.request.conditioning import Conditioning, average_conditionings, blend_conditionings
from engine.text.format import INSTRUCTIONS, LANGUAGES, MAX_BPM, MIN_BPM, TIME_SIGNATURES

family = Family("conditioning")


A = Annotated[Conditions, port("What 0 is.")]
B = Annotated[Conditions, port("What 1 is.")]


@family.node("EncodeText")
def encode_text(
    clip: Annotated[Clip, port("Which text encoder.")],
    info: Annotated[AudioInfo | None, port("What was heard in a source, in place of bpm and key.")],
    tags: Annotated[str, param("", "The prompt.")],
    lyrics: Annotated[str, param("", "What is sung.")],
    task_type: Annotated[str, param("cover", "What the model is told to do.", choices=tuple(INSTRUCTIONS))],
    bpm: Annotated[int, param(120, "Tempo.", low=MIN_BPM, high=MAX_BPM)],
    duration: Duration,
    key: Annotated[str, param("C major", 'Such as "F# minor"; empty is unknown.')],
    time_signature: Annotated[str, param("4", "Beats per bar; empty is unknown.", choices=("", *TIME_SIGNATURES))],
    language: Annotated[str, param("en", "Of the lyrics.", choices=LANGUAGES)],
) -> TextEmbed:
    """Embed a prompt and lyrics in the format the model was trained on."""
    heard_bpm, heard_key = (None, None) if info is None else (info.bpm, info.key)
    return TextEmbed(
        clip.session.embed_text(
            tags,
            duration=duration,
            lyrics=lyrics,
            task=task_type,
            bpm=heard_bpm or bpm,
            key=heard_key or key or None,
            time_signature=time_signature or None,
            language=language,
        )
    )


@family.node("EncodeConditioning")
def encode_conditioning(
    model: Annotated[Model, port("Whose condition encoder.")],
    text_embed: Annotated[TextEmbed, port("The prompt.")],
    timbre_ref: Annotated[Latent | None, port("Whose sound to take; silence without one.")],
) -> Conditions:
    """Join a prompt and a timbre to what the model attends to."""
    timbre = None if timbre_ref is None else timbre_ref.frames
    return _one(model.session.condition_text(text_embed.embedding, timbre=timbre))


@family.node("ConditioningZeroOut")
def conditioning_zero_out(conditioning: Annotated[Conditions, port("Whose shape.")]) -> Conditions:
    """Zeros in place of prompts: something to guide away from."""
    return Conditions(
        tuple(
            replace(
                entry,
                conditioning=Conditioning(
                    states=np.zeros_like(entry.conditioning.states), mask=entry.conditioning.mask
                ),
            )
            for entry in conditioning.entries
        )
    )


@family.node("ConditioningAverage")
def conditioning_average(
    conditioning_a: A,
    conditioning_b: B,
    weight: Annotated[float, param(0.5, "Share of b.", low=0.0, high=1.0)],
) -> Conditions:
    """Mix two prompts row by row, with the rows of a."""
    a, b = _single("conditioning_a", conditioning_a), _single("conditioning_b", conditioning_b)
    return _one(average_conditionings(a, b, weight))


@family.node("ConditioningBlend")
def conditioning_blend(
    conditioning_a: A,
    conditioning_b: B,
    alpha: Annotated[float, param(0.5, "Share of b.", low=0.0, high=1.0)],
) -> Conditions:
    """Mix two prompts row by row, with the rows of both; 0 and 1 are exactly a and b."""
    a, b = _single("conditioning_a", conditioning_a), _single("conditioning_b", conditioning_b)
    return _one(blend_conditionings(a, b, alpha))


@family.node("ConditioningCombine")
def conditioning_combine(
    conditioning_a: Annotated[Conditions, port("Prompts that weigh 1 - w.")],
    conditioning_b: Annotated[Conditions, port("Prompts that weigh w.")],
    temporal_weight_b: Annotated[FrameCurve | None, port("w per frame, 0 to 1; a half without one.")],
    step_range_start_b: Annotated[float, param(0.0, "Share of the steps at which b begins.", low=0.0, high=1.0)],
    step_range_end_b: Annotated[float, param(1.0, "Share of the steps at which b ends.", low=0.0, high=1.0)],
) -> Conditions:
    """Let prompts act together: their velocities are averaged, per frame by weight."""
    weight = 0.5 if temporal_weight_b is None else temporal_weight_b.values
    steps = (step_range_start_b, step_range_end_b)
    return Conditions(combine_conditions(conditioning_a.entries, conditioning_b.entries, weight, steps))


def _one(conditioning: Conditioning) -> Conditions:
    return Conditions((Condition(conditioning=conditioning),))


def _single(field: str, conditions: Conditions) -> Conditioning:
    if len(conditions.entries) != 1:
        problem = "are several prompts, and rows are mixed of one each"
        raise RequestError(field, len(conditions.entries), problem, "Mix prompts first and combine them after.")
    return conditions.entries[0].conditioning
