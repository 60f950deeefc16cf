"""A graph that covers a loop, what is added to it, and the request that it comes to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import engine
from engine.graph import Audio, Graph, Model

FRAMES = 60
SECONDS = FRAMES / 25
COVER = {"model": "load.model", "positive": "prompt", "context_latent": "hints", "source_latent": "source"}


@contextmanager
def cover_graph(session: engine.Session, audio: np.ndarray) -> Iterator[Graph]:
    """A source and a prompt, ready for what generates from them."""
    with Graph() as made:
        made.add("song", "AudioInput")
        made.add("load", "LoadModel")
        made.add("source", "VAEEncodeAudio")
        made.add("hints", "SemanticExtract")
        made.add("text", "EncodeText", tags="techno, driving kick", duration=SECONDS, bpm=128, key="")
        made.add("prompt", "EncodeConditioning")
        made.add("ode", "OdeSolver")
        for source, target in (
            ("song", "source.audio"), ("load.vae", "source.vae"), ("load.model", "hints.model"),
            ("source", "hints.latent"), ("load.clip", "text.clip"), ("load.model", "prompt.model"),
            ("text", "prompt.text_embed"),
        ):  # fmt: skip
            made.connect(source, target)
        made.bind("song", "audio", Audio(audio))
        made.bind("load", "model", Model(session))
        yield made


def add(graph: Graph, name: str, kind: str, inputs: dict[str, str], **params: Any) -> str:
    graph.add(name, kind, **params)
    for port, source in inputs.items():
        graph.connect(source, f"{name}.{port}")
    return name


def frames(graph: Graph, node: str) -> np.ndarray:
    return graph.run(node)[node]["latent"].frames


def asked(session: engine.Session, source: engine.Source, **changes: Any) -> engine.Request:
    prompt = session.encode_text("techno, driving kick", duration=SECONDS, task="cover", bpm=128, time_signature="4")
    base = {"conditioning": prompt, "source": source, "frames": FRAMES, "seed": 9, "denoise": 0.7, "steps": 4}
    return engine.Request(**{**base, **changes})


def generated(session: engine.Session, source: engine.Source, **changes: Any) -> np.ndarray:
    return session.generate(asked(session, source, **changes))
