"""Same weights, same noise, same times: the engine and diffusers' AceStepPipeline agree."""

from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_oobleck import OobleckDiagonalGaussianDistribution
from diffusers.pipelines.ace_step.pipeline_ace_step import AceStepPipeline

import engine
from engine.step.noise import Purpose, normal
from engine.text.format import instruction

FRAMES = 60


@pytest.fixture(scope="module")
def pipeline(session: engine.Session) -> Any:
    made = AceStepPipeline.from_pretrained(session.checkpoint.folder, dtype=torch.float32, low_cpu_mem_usage=False)
    made.set_progress_bar_config(disable=True)
    return made


@pytest.fixture
def _mean_encoding(monkeypatch: pytest.MonkeyPatch):
    # the pipeline samples its sources from the global generator; the engine takes the mean
    monkeypatch.setattr(OobleckDiagonalGaussianDistribution, "sample", lambda self, generator=None: self.mean)


def _pipeline_latent(pipeline: Any, **arguments: object) -> np.ndarray:
    noise = torch.tensor(normal(11, Purpose.INITIAL, FRAMES))[None]
    made = pipeline(**{"lyrics": "", "latents": noise, "output_type": "latent", "guidance_scale": 1.0} | arguments)
    return made.audios[0].numpy()


@pytest.mark.parametrize(
    "fields",
    [
        {"bpm": 128, "key": "A minor", "time_signature": "4"},
        {},
        {"lyrics": "[verse]\nla la\n", "language": "de"},
    ],
)
@pytest.mark.parametrize("task", ["text2music", "cover", "repaint", "extract", "lego", "complete"])
def test_prompts_are_encoded_as_the_pipeline_does(
    session: engine.Session, pipeline: Any, task: str, fields: dict[str, Any]
):
    ours = session.encode_text("lofi, rhodes", task=task, duration=12.9, **fields)
    with torch.no_grad():
        text, text_mask, lyric, lyric_mask = pipeline.encode_prompt(
            prompt="lofi, rhodes",
            lyrics=fields.get("lyrics", ""),
            device=torch.device("cpu"),
            vocal_language=fields.get("language", "en"),
            audio_duration=12.9,
            instruction=pipeline._get_task_instruction(task),
            bpm=fields.get("bpm"),
            keyscale=fields.get("key"),
            timesignature=fields.get("time_signature"),
        )
        states, mask = pipeline.condition_encoder(
            text_hidden_states=text,
            text_attention_mask=text_mask,
            lyric_hidden_states=lyric,
            lyric_attention_mask=lyric_mask,
            refer_audio_acoustic_hidden_states_packed=pipeline.condition_encoder.silence_latent[:, :750],
            refer_audio_order_mask=torch.zeros(1, dtype=torch.long),
        )
    np.testing.assert_allclose(ours.states, states[0].numpy(), atol=1e-5)
    assert ours.mask.all()
    assert mask.all()


@pytest.mark.parametrize(
    ("task", "named", "theirs"),
    [
        ("extract", {"track": "backing_vocals"}, {"track_name": "backing_vocals"}),
        ("lego", {"track": "drums"}, {"track_name": "drums"}),
        ("complete", {"tracks": ["drums", "bass"]}, {"complete_track_classes": ["drums", "bass"]}),
        ("complete", {"tracks": ("fx",)}, {"complete_track_classes": ["fx"]}),
    ],
)
def test_tasks_name_their_tracks_as_the_pipeline_does(
    pipeline: Any, task: str, named: dict[str, Any], theirs: dict[str, Any]
):
    assert instruction(task, **named) == pipeline._get_task_instruction(task, **theirs)


@pytest.mark.usefixtures("_mean_encoding")
@pytest.mark.parametrize("seconds", [10.0, 30.0])  # lengths at which the pipeline's cuts in audio fall on whole periods
def test_a_timbre_reference_is_heard_as_in_the_pipeline(session: engine.Session, pipeline: Any, seconds: float):
    rng = np.random.default_rng(2)
    audio = rng.uniform(-0.4, 0.4, (2, int(seconds * 48_000))).astype(np.float32)
    fields = {"task": "cover", "duration": 12.0}
    ours = session.encode_text("lofi", timbre=session.prepare_source(audio), **fields)  # type: ignore[arg-type]
    with torch.no_grad():
        heard, order = pipeline.prepare_reference_audio_latents(
            torch.tensor(audio), 1, torch.device("cpu"), torch.float32
        )
        text, text_mask, lyric, lyric_mask = pipeline.encode_prompt(
            prompt="lofi",
            lyrics="",
            device=torch.device("cpu"),
            audio_duration=12.0,
            instruction=pipeline._get_task_instruction("cover"),
        )
        states, _ = pipeline.condition_encoder(text, text_mask, lyric, lyric_mask, heard, order)
    np.testing.assert_allclose(ours.states, states[0].numpy(), atol=1e-4)
    without = session.encode_text("lofi", **fields)  # type: ignore[arg-type]
    assert np.abs(ours.states - without.states).max() > 1e-2


@pytest.mark.usefixtures("_mean_encoding")
def test_cover_latents_agree(session: engine.Session, pipeline: Any, audio: np.ndarray):
    theirs = _pipeline_latent(
        pipeline,
        prompt="house, organ",
        task_type="cover",
        src_audio=torch.tensor(audio),
        audio_duration=FRAMES / 25,
        num_inference_steps=6,
        shift=2.0,
    )
    source = session.prepare_source(audio)
    prompt = session.encode_text("house, organ", task="cover", duration=FRAMES / 25)
    ours = session.generate(
        engine.Request(conditioning=prompt, source=source, frames=FRAMES, seed=11, steps=6, shift=2.0)
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.usefixtures("_mean_encoding")
def test_partial_denoise_agrees_with_the_pipeline_given_the_same_times(
    session: engine.Session, pipeline: Any, audio: np.ndarray
):
    source = session.prepare_source(audio)
    u = 0.6 * (1 - np.arange(9) / 8)
    t = 3.0 * u / (1.0 + 2.0 * u)
    start = torch.tensor(t[0] * normal(11, 0, FRAMES) + (1 - t[0]) * source.latent, dtype=torch.float32)[None]
    made = pipeline(
        prompt="house, organ",
        lyrics="",
        task_type="cover",
        src_audio=torch.tensor(audio),
        audio_duration=FRAMES / 25,
        timesteps=[float(value) for value in t[:-1]],
        latents=start,
        output_type="latent",
        guidance_scale=1.0,
    )
    prompt = session.encode_text("house, organ", task="cover", duration=FRAMES / 25)
    ours = session.generate(
        engine.Request(conditioning=prompt, source=source, frames=FRAMES, seed=11, denoise=0.6, shift=3.0)
    )
    np.testing.assert_allclose(ours, made.audios[0].numpy(), atol=1e-4)


@pytest.mark.parametrize("interval", [(0.0, 1.0), (0.1, 0.4)])
def test_guided_latents_agree(
    session: engine.Session, pipeline: Any, monkeypatch: pytest.MonkeyPatch, interval: tuple[float, float]
):
    monkeypatch.setattr(pipeline, "is_turbo", False)  # it ignores guidance on turbo weights
    theirs = _pipeline_latent(
        pipeline,
        prompt="techno, driving kick",
        audio_duration=FRAMES / 25,
        num_inference_steps=8,
        shift=3.0,
        guidance_scale=3.0,
        cfg_interval_start=interval[0],
        cfg_interval_end=interval[1],
    )
    prompt = session.encode_text("techno, driving kick", task="text2music", duration=FRAMES / 25)
    request = engine.Request(
        conditioning=prompt,
        negative=session.null_conditioning(prompt),
        guidance=3.0,
        guidance_interval=interval,
        frames=FRAMES,
        seed=11,
    )
    np.testing.assert_allclose(session.generate(request), theirs, atol=1e-4)


@pytest.mark.usefixtures("_mean_encoding")
@pytest.mark.parametrize(("start", "end"), [(0.8, 1.6), (0.0, 2.4)])
def test_repaint_latents_agree(session: engine.Session, pipeline: Any, audio: np.ndarray, start: float, end: float):
    theirs = _pipeline_latent(
        pipeline,
        prompt="house, organ",
        task_type="repaint",
        src_audio=torch.tensor(audio),
        repainting_start=start,
        repainting_end=end,
        audio_duration=FRAMES / 25,
        num_inference_steps=8,
        shift=3.0,
    )
    prompt = session.encode_text("house, organ", task="repaint", duration=FRAMES / 25)
    request = engine.Request(conditioning=prompt, source=session.prepare_source(audio), frames=FRAMES, seed=11)
    ours = session.generate(session.repaint(request, round(start * 25), round(end * 25), preserve=False))
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.usefixtures("_mean_encoding")
@pytest.mark.parametrize("guidance", [1.0, 4.0], ids=["unguided", "apg"])
@pytest.mark.parametrize("steps", [4, 8, 20])
@pytest.mark.parametrize("task", ["text2music", "cover", "repaint"])
def test_latents_agree_for_every_task_and_length_of_schedule(
    session: engine.Session,
    pipeline: Any,
    audio: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    task: str,
    steps: int,
    guidance: float,
):
    monkeypatch.setattr(pipeline, "is_turbo", False)  # it ignores guidance on turbo weights
    heard = {} if task == "text2music" else {"src_audio": torch.tensor(audio)}
    span = {"repainting_start": 0.4, "repainting_end": 1.6} if task == "repaint" else {}
    theirs = _pipeline_latent(
        pipeline,
        prompt="house, organ",
        task_type=task,
        audio_duration=FRAMES / 25,
        num_inference_steps=steps,
        shift=3.0,
        guidance_scale=guidance,
        **heard,
        **span,
    )
    prompt = session.encode_text("house, organ", task=task, duration=FRAMES / 25)
    request = engine.Request(
        conditioning=prompt,
        negative=session.null_conditioning(prompt),
        guidance=guidance,
        source=session.prepare_source(audio) if heard else None,
        frames=FRAMES,
        seed=11,
        steps=steps,
    )
    ours = session.generate(session.repaint(request, 10, 40, preserve=False) if span else request)
    assert float(np.abs(ours - theirs).max()) <= 1e-4
