"""The stream against diffusers' AceStepPipeline, one generation at a time, on the same weights."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from diffusers.pipelines.ace_step.pipeline_ace_step import AceStepPipeline
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler

from engine.bench.loads import load
from engine.bench.pairs import Percentiles, Progress, Ratio, Took, in_turns, milliseconds, now
from engine.model.models import load as load_models
from engine.session import Session

PROMPT = "techno, driving kick"


@dataclass(frozen=True, kw_only=True)
class StreamOverPipeline:
    """Generations per second of a stream over those of the pipeline, both from prompt to latent without decoding.

    Attributes:
        frames, depth, steps: T; slots in flight, of the stream only; denoising steps, shift 3, of both.
        stream_ms, pipeline_ms: one generation without encoding its prompt.
        stream_text_ms, pipeline_text_ms: encoding its prompt.
        throughput: pipeline time over stream time, prompts encoded beforehand; above 1 the stream is faster.
        throughput_with_text: the same with the prompt encoded anew for every generation by both.
    """

    frames: int
    depth: int
    steps: int
    stream_ms: Percentiles
    stream_text_ms: Percentiles
    pipeline_ms: Percentiles
    pipeline_text_ms: Percentiles
    throughput: Ratio
    throughput_with_text: Ratio


class _Pipeline:
    """The pipeline as it comes, with a stopwatch on its text and condition encoders."""

    def __init__(self, session: Session, frames: int, steps: int) -> None:
        models = load_models(session.checkpoint)
        kind: Any = AceStepPipeline
        self._pipe = kind(
            vae=models.vae,
            text_encoder=models.text_encoder,
            tokenizer=models.text_tokenizer,
            transformer=models.transformer,
            condition_encoder=models.condition_encoder,
            # what the pipeline saves beside its weights, and needs for its own schedule to be used as it is
            scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
            audio_tokenizer=models.audio_tokenizer,
            audio_token_detokenizer=models.audio_token_detokenizer,
        )
        self._pipe.set_progress_bar_config(disable=True)
        self._frames = frames
        self._steps = steps
        self._seed = 0
        self._text = Took(0.0, 0.0)
        self._since = now()
        encode = self._pipe.encode_prompt

        def watched(*args: object, **kwargs: object) -> object:
            self._start()
            made = encode(*args, **kwargs)
            self._stop()
            return made

        self._pipe.encode_prompt = watched
        self._pipe.condition_encoder.register_forward_pre_hook(self._start)
        self._pipe.condition_encoder.register_forward_hook(self._stop)

    def generate(self) -> tuple[Took, Took]:
        """How long one generation took without its text encoding, and that."""
        self._seed += 1
        self._text = Took(0.0, 0.0)
        start = now()
        self._pipe(
            prompt=PROMPT,
            lyrics="",
            audio_duration=self._frames / 25,
            num_inference_steps=self._steps,
            shift=3.0,
            guidance_scale=1.0,
            generator=torch.Generator().manual_seed(self._seed),
            output_type="latent",
        )
        return now() - start - self._text, self._text

    def _start(self, *_: object) -> None:
        self._since = now()

    def _stop(self, *_: object) -> None:
        self._text += now() - self._since


def stream_over_pipeline(
    session: Session, frames: int = 400, depth: int = 4, *, pairs: int = 20, done: Progress | None = None
) -> StreamOverPipeline:
    """Time generations of a full stream in turns with calls of the pipeline.

    Same weights, steps, shift, T and thread count, no guidance, a seed per generation drawn by each in its own way.

    Args:
        session: what to measure.
        frames: T.
        depth: slots in flight, 1 .. 8.
        pairs: generations to measure of each, 1 or more.
        done: called after every pair.

    Raises:
        RequestError: frames or depth.
        EngineError: pairs is less than 1.
    """
    asked = load(session, "plain", frames)
    requests = asked.requests()
    steps = asked.request.steps
    pipeline = _Pipeline(session, frames, steps)

    with session.open_stream(frames, depth) as stream:

        def generation() -> tuple[Took, Took]:
            start = now()
            prompt = session.encode_text(PROMPT, task="text2music", duration=frames / 25)
            encoded = now()
            while True:
                stream.submit(replace(next(requests), conditioning=prompt))
                if stream.tick():
                    return now() - encoded, encoded - start

        for _ in range(2 * depth):  # until results come evenly spaced
            generation()
        pipeline.generate()
        results = in_turns(generation, pipeline.generate, pairs, done)

    ours, our_text = zip(*[stream for stream, _ in results], strict=True)
    theirs, their_text = zip(*[pipeline for _, pipeline in results], strict=True)
    return StreamOverPipeline(
        frames=frames,
        depth=depth,
        steps=steps,
        stream_ms=milliseconds(ours),
        stream_text_ms=milliseconds(our_text),
        pipeline_ms=milliseconds(theirs),
        pipeline_text_ms=milliseconds(their_text),
        throughput=Ratio.of(theirs, ours),
        throughput_with_text=Ratio.of(_sums(theirs, their_text), _sums(ours, our_text)),
    )


def _sums(some: Sequence[Took], others: Sequence[Took]) -> list[Took]:
    return [one + other for one, other in zip(some, others, strict=True)]
