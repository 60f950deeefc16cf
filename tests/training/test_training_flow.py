"""Batches of the DiT's training, and what they are told."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.text.format import INSTRUCTIONS
from engine.training.codec.twin import Twin
from engine.training.flow import conditions, latents, prompts
from engine.training.flow.batch import KINDS, Batch, assemble, context, training_batch
from engine.training.flow.parts import Parts
from engine.training.music import compose
from engine.training.music.split import training
from engine.training.music.styles import DRUMS
from engine.training.recipe import Recipe
from engine.training.run.world import World


@pytest.fixture(scope="module")
def clips(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> latents.Clips:
    folder = tmp_path_factory.mktemp("latents")
    counts = {"held-out": 2, "training": 3}
    latents.encode(Twin(recipe.widths).eval(), folder, counts, World(), None)
    return latents.Clips(folder, counts)


@given(st.integers(0, 1 << 30), st.sampled_from(["text2music", "cover", "repaint"]))
def test_a_prompt_says_nothing_that_is_not_so(seed: int, task: str) -> None:
    rng = np.random.default_rng(seed)
    tags = compose(training(seed), 128).tags
    text = prompts.prompt(tags, 250, task, rng)
    assert INSTRUCTIONS[task] in text
    lines = dict(line[2:].split(": ", 1) for line in text.splitlines() if line.startswith("- "))
    assert lines["bpm"] in {str(tags.bpm), "N/A"}
    assert lines["keyscale"] == "N/A" or lines["keyscale"].endswith(tags.key.mode)
    if all(part in DRUMS for part in tags.parts):
        assert lines["keyscale"] == "N/A"


def test_any_text_can_be_read_and_a_tempo_is_one_token() -> None:
    tags = [compose(training(index), 128).tags for index in range(20)]
    tokenizer = prompts.tokenizer(prompts.vocabulary(tags, training(0)), 1024)
    for text in ("techno, 鼓, Ω!", "", "a" * 300):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    lengths = {len(tokenizer(f"- bpm: {bpm}\n")["input_ids"]) for bpm in range(80, 170)}
    assert lengths == {len(tokenizer("- bpm: 125\n")["input_ids"])}


def test_text_alone_begins_on_the_first_down_beat_and_sources_anywhere(clips: latents.Clips) -> None:
    rng = np.random.default_rng(0)
    first = clips.latent("training", 1, 0, 100)
    alone = [assemble(clips, "training", [1], ["silence"], 100, rng).latent[0] for _ in range(8)]
    assert all(torch.equal(latent, first) for latent in alone)
    covers = [assemble(clips, "training", [1], ["hints"], 100, rng).latent[0] for _ in range(16)]
    assert len({latent.numpy().tobytes() for latent in covers}) > 4


def test_a_context_is_silence_hints_a_mixture_or_the_clip_with_a_gap(clips: latents.Clips) -> None:
    rng = np.random.default_rng(0)
    batch = assemble(clips, "training", [0, 1, 2, 0], list(KINDS), 90, rng)
    hints = torch.randn(4, 90, 64, generator=torch.Generator().manual_seed(0))
    given, mask = context(batch, hints, clips.silence, rng).split(64, dim=2)
    silence = clips.silence[0, :90]
    assert torch.equal(given[0], silence)
    assert torch.equal(given[1], hints[1])
    share = (given[2] - silence) / (hints[2] - silence)
    assert float(share.std()) < 1e-3
    gap = mask[3, :, 0] > 0.5
    assert 15 <= int(gap.sum()) < 90
    assert torch.equal(given[3][~gap], batch.latent[3][~gap])
    assert torch.equal(given[3][gap], silence[gap])
    assert bool((mask[:3] == 1).all())


def test_a_batch_of_training_clips_has_one_length_and_may_hear_itself(clips: latents.Clips, recipe: Recipe) -> None:
    config = replace(recipe.batches, timbre=1.0, size=3)
    batch = training_batch(clips, config, 40, np.random.default_rng(1))
    assert batch.latent.shape[0] == len(batch.prompts) == len(batch.lyrics) == len(batch.kinds) == 3
    assert batch.latent.shape[1] == 40
    assert batch.timbre.shape == (3, 750, 64)
    silent = training_batch(clips, replace(config, timbre=0.0), 40, np.random.default_rng(1))
    assert torch.equal(silent.timbre, clips.silence[:, :750])


def test_states_and_hints_are_those_that_the_engine_computes(clips: latents.Clips, recipe: Recipe) -> None:
    parts = Parts(recipe.sizes, clips.silence).eval()
    tags = [compose(training(index), 128).tags for index in range(20)]
    tokenizer = prompts.tokenizer(prompts.vocabulary(tags, training(0)), recipe.sizes.vocabulary)
    batch = assemble(clips, "training", [0], ["hints"], 102, np.random.default_rng(0))
    with torch.inference_mode():
        told = conditions.encode(parts, tokenizer, batch.prompts, batch.lyrics, batch.timbre)
        sung, text = (tokenizer(texts, return_tensors="pt") for texts in (batch.lyrics, batch.prompts))
        expected, _ = parts.condition_encoder(
            text_hidden_states=parts.text_encoder(input_ids=text["input_ids"]).last_hidden_state,
            text_attention_mask=text["attention_mask"].bool(),
            lyric_hidden_states=parts.text_encoder.get_input_embeddings()(sung["input_ids"]),
            lyric_attention_mask=sung["attention_mask"].bool(),
            refer_audio_acoustic_hidden_states_packed=batch.timbre,
            refer_audio_order_mask=torch.zeros(1, dtype=torch.long),
        )
        torch.testing.assert_close(told, expected)
        hints = conditions.hints(parts, batch.latent, clips.silence)
        tokens, _ = parts.audio_tokenizer.tokenize(batch.latent, clips.silence)
        torch.testing.assert_close(hints, parts.audio_token_detokenizer(tokens)[:, :102])


def test_hints_can_be_learnt(clips: latents.Clips, recipe: Recipe) -> None:
    parts = Parts(recipe.sizes, clips.silence)
    latent = clips.latent("training", 0, 0, 40)[None]
    conditions.hints(parts, latent, clips.silence).square().sum().backward()
    assert float(parts.audio_tokenizer.audio_acoustic_proj.weight.grad.abs().sum()) > 0


def test_silence_begins_as_the_encoder_begins_it_and_then_stays(recipe: Recipe) -> None:
    twin = Twin(recipe.widths).eval()
    silence = latents.silence(twin)
    assert silence.shape == (1, 15_000, 64)
    with torch.inference_mode():
        encoded = twin.encode(torch.zeros(1, 2, 60 * 1920))[0].T.numpy()
    assert np.abs(silence[0, :40] - encoded[:40]).max() < 1e-5
    assert np.ptp(silence[0, 64:], axis=0).max() == 0.0


def test_what_is_encoded_stays_until_more_is_asked_for(recipe: Recipe, tmp_path: Path) -> None:
    twin = Twin(recipe.widths).eval()
    done: list[int] = []
    latents.encode(twin, tmp_path, {"held-out": 1}, World(), lambda count, _: done.append(count))
    latents.encode(twin, tmp_path, {"held-out": 1}, World(), lambda count, _: done.append(count))
    assert done == [1]
    latents.encode(twin, tmp_path, {"held-out": 2}, World(), lambda count, _: done.append(count))
    assert done == [1, 1, 2]


def test_batches_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Batch(torch.zeros(1), [], [], [], torch.zeros(1)).latent = torch.ones(1)  # type: ignore[misc]
