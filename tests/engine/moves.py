"""Ticks of a stream, drawn at random or with every control at once, and what comes back of them."""

from dataclasses import dataclass

import numpy as np
import torch
from hypothesis import strategies as st
from random_requests import controls, curve, with_fields

import engine
from engine.backends import NO_LORAS, Backend, Loras
from engine.stream.stream import Stream

FRAMES = 30


@dataclass(frozen=True)
class Move:
    """One tick: what is changed before it, an optional submit, then the tick."""

    depth: int | None = None
    request: engine.Request | None = None
    shared: tuple[str, object] | None = None
    enabled: float | None = None  # strength of the session's LoRA from here on; 0 disables it
    cancelled: int | None = None  # cancel the request that was submitted so many submits ago


def play(
    stream: Stream, moves: list[Move], loras: engine.LoraLibrary | None = None, name: str = ""
) -> dict[int, tuple[engine.Request, engine.Finished]]:
    sent: dict[int, engine.Request] = {}
    done: list[engine.Finished] = []
    gone: set[int] = set()
    for move in moves:
        if move.depth is not None:
            stream.set_depth(move.depth)
        if move.request is not None:
            sent[stream.submit(move.request)] = move.request
        if move.shared is not None:
            stream.set_shared(*move.shared)  # type: ignore[arg-type]
        if move.enabled is not None and loras is not None:
            loras.enable(name, move.enabled) if move.enabled else loras.disable(name)
        if move.cancelled is not None and stream.cancel(len(sent) - move.cancelled):
            gone.add(len(sent) - move.cancelled)
        done += stream.tick()
    done += stream.flush()
    stats = stream.stats()
    assert not gone & {finished.request_id for finished in done}
    assert len(done) == stats.submitted - stats.superseded - stats.cancelled  # nothing was lost
    return {finished.request_id: (sent[finished.request_id], finished) for finished in done}


def differing(session: engine.Session, results: dict[int, tuple[engine.Request, engine.Finished]]) -> list[int]:
    """Ids of requests whose streamed latent is not, bit for bit, the one-shot one with the same changes."""
    return [
        number
        for number, (request, finished) in results.items()
        if finished.latent is None
        or session.generate(request, changes=finished.changes).tobytes() != finished.latent.tobytes()
    ]


SHARED = [
    ("velocity_scale", curve(0.0, 2.0)),
    ("sde_denoise", curve(0.0, 1.0)),
    ("ode_noise", curve(0.0, 1.0)),
    ("x0_strength", curve(0.0, 1.0)),
    ("guidance", curve(0.0, 4.0)),
    ("apg_momentum", curve(-0.75, 0.5)),
    ("cfg_rescale", curve(0.0, 1.0)),
    ("dcw_scaler", curve(0.0, 0.5)),
    ("dcw_high_scaler", curve(0.0, 0.5)),
]


@st.composite
def _request(draw: st.DrawFn, prompts: list[engine.Conditioning], source: engine.Source, lora: str) -> engine.Request:
    fields: dict[str, object] = {
        "conditioning_b": prompts[1],
        "prompt_blend": draw(curve(0.0, 1.0)),
        "hint_strength": draw(curve(0.0, 1.0)),
        "velocity_scale": draw(curve(0.0, 2.0)),
        "denoise": draw(st.one_of(st.just(1.0), st.floats(0.0, 0.99), st.floats(0.01, 0.99))),
        "steps": draw(st.integers(1, 5)),
        "shift": draw(st.sampled_from([1.0, 3.0])),
    }
    if draw(st.booleans()):
        fields |= {"denoise": 1.0, "timesteps": draw(st.sampled_from([[1.0, 0.6, 0.3], [0.8, 0.5, 0.0], [0.4]]))}
    fields |= draw(st.one_of(st.just({}), controls(source.hints, prompts[1])))
    fields |= draw(st.fixed_dictionaries({}, optional={"loras": st.sampled_from([{}, {lora: 0.5}, {lora: 0.0}])}))
    plain = engine.Request(
        conditioning=prompts[draw(st.integers(0, len(prompts) - 1))],  # of different lengths
        source=source,
        seed=draw(st.integers(0, 2**64 - 1)),
        noise_start=draw(st.integers(0, 20_000)),
        frames=FRAMES,
    )
    return with_fields(plain, fields)


@st.composite
def any_moves(draw: st.DrawFn, prompts: list[engine.Conditioning], source: engine.Source, lora: str) -> list[Move]:
    shared = [st.tuples(st.just(name), st.none() | values) for name, values in SHARED]
    shared += [st.tuples(st.just(f"lora:{lora}"), st.none() | st.sampled_from([0.0, 0.3, 1.0]))]
    moves = [Move(request=draw(_request(prompts, source, lora)), enabled=draw(st.none() | st.just(0.8)))]
    for _ in range(draw(st.integers(2, 6))):
        request = draw(_request(prompts, source, lora)) if draw(st.integers(0, 3)) else None
        depth = draw(st.none() | st.integers(1, 8))
        changes = draw(st.none() | st.one_of(shared))
        enabled = draw(st.none() | st.sampled_from([0.0, 0.4]))
        moves.append(Move(depth, request, changes, enabled, draw(st.none() | st.integers(0, 3))))
    return moves


WAVE = 0.5 + 0.4 * np.sin(np.arange(FRAMES))


def every_kind(source: engine.Source, other: engine.Conditioning, lora: str) -> list[dict[str, object]]:
    """One control each, nowhere neutral, and two that ask for many at once."""
    kinds: list[dict[str, object]] = [
        {},
        {"source": source, "denoise": 0.0},
        {"source": source, "denoise": 0.7, "hint_strength": WAVE},
        {"velocity_scale": WAVE},
        {"solver": "sde"},
        {"source": source, "sde_denoise": WAVE},
        {"ode_noise": WAVE},
        {"source": source, "initial_noise": WAVE},
        {"x0_target": source.hints, "x0_strength": WAVE},
        {"x0_target": source.hints, "x0_curve": WAVE},
        {"source": source, "mask": WAVE},
        {"source": source, "mask": WAVE, "solver": "sde"},
        {"channel_gain": np.linspace(0.5, 1.5, 64)},
        {"guidance": 3.0 * WAVE, "negative": other},
        {"guidance": 3.0 * WAVE, "negative": other, "guidance_mode": "initialize", "cfg_rescale": WAVE},
        {"guidance": 3.0 * WAVE, "guidance_mode": "self", "apg_eta": 0.5, "guidance_interval": (0.2, 0.6)},
        {"dcw": engine.Dcw()},
        {"dcw": engine.Dcw(mode="high", wavelet="db2", scaler=0.2)},
        {"conditions": [engine.Condition(conditioning=other, weight=WAVE, steps=(0.2, 0.8))]},
        {"hints": source.hints, "chunk_mask": WAVE},
        {"timesteps": [1.0, 0.8, 0.7, 0.5, 0.2]},
        {"loras": {lora: 0.7}},
    ]
    many = {
        name: value
        for kind in kinds
        for name, value in kind.items()
        if name not in {"denoise", "timesteps", "guidance_interval", "x0_strength"}
    }
    return [*kinds, many, many | {"sde_denoise": None, "solver": "ode", "guidance_mode": "full"}]


class Leaky:
    """Negative control: a forward that remembers how often it ran, as one does that depends on its batch."""

    name = "leaky"

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        self.calls = 0

    def dit_step(
        self,
        x: torch.Tensor,
        time: float,
        conditioning: engine.Conditioning,
        context: torch.Tensor,
        loras: Loras = NO_LORAS,
    ) -> torch.Tensor:
        self.calls += 1
        return self.inner.dit_step(x, time, conditioning, context, loras) * (1.0 + 1e-6 * self.calls)
