"""Streaming is one-shot generation, bit for bit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lora_files import STYLES, factors, write
from step_reference import controls, curve, with_fields

import engine
from engine.backends import NO_LORAS, Backend, Loras
from engine.stream.stream import Stream

FRAMES = 30


@pytest.fixture(scope="module")
def small_source(session: engine.Session) -> engine.Source:
    rng = np.random.default_rng(3)
    return session.prepare_source(rng.uniform(-0.4, 0.4, (2, FRAMES * 1920)).astype(np.float32))


@pytest.fixture(scope="module")
def small_lora(session: engine.Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("loras") / "grain.safetensors"
    (info,) = session.loras.register(write(path, STYLES["peft"](factors(rank=2))))
    yield info.name
    session.loras.forget(info.name)


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
def _moves(draw: st.DrawFn, prompts: list[engine.Conditioning], source: engine.Source, lora: str) -> list[Move]:
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


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_streamed_latent_is_the_one_shot_latent_bit_for_bit(
    session: engine.Session,
    prompt: engine.Conditioning,
    prompt_b: engine.Conditioning,
    small_source: engine.Source,
    small_lora: str,
    data: st.DataObject,
):
    short = engine.Conditioning(states=prompt.states[:7], mask=prompt.mask[:7])
    moves = data.draw(_moves([prompt, prompt_b, short], small_source, small_lora))
    session.loras.disable(small_lora)
    stream = session.open_stream(FRAMES, data.draw(st.integers(1, 8)))
    results = play(stream, moves, session.loras, small_lora)
    session.loras.disable(small_lora)  # what it was is in the changes
    assert differing(session, results) == []


WAVE = 0.5 + 0.4 * np.sin(np.arange(FRAMES))


def _kinds(source: engine.Source, other: engine.Conditioning, lora: str) -> list[dict[str, object]]:
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


@pytest.mark.parametrize("order", range(4))
def test_every_control_beside_every_other_changes_no_bit(
    session: engine.Session,
    prompt: engine.Conditioning,
    prompt_b: engine.Conditioning,
    small_source: engine.Source,
    small_lora: str,
    order: int,
):
    kinds = _kinds(small_source, prompt_b, small_lora)
    rng = np.random.default_rng(order)
    moves = [
        Move(
            request=with_fields(
                engine.Request(conditioning=prompt, frames=FRAMES, seed=int(kind), steps=8), kinds[kind]
            )
        )
        for kind in rng.permutation(len(kinds))
    ]
    results = play(session.open_stream(FRAMES, 8), moves)
    assert len(results) == len(kinds)  # each was admitted in its tick, so eight at a time were in flight
    assert differing(session, results) == []


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


def test_the_comparison_notices_a_backend_whose_rows_depend_on_each_other(
    session: engine.Session, prompt: engine.Conditioning
):
    requests = [engine.Request(conditioning=prompt, frames=FRAMES, seed=seed, steps=4) for seed in range(3)]
    leaky = Leaky(session.backend)
    stream = Stream(leaky, session.empty_latent(FRAMES), 4, session.checkpoint.conditioning_width)
    assert differing(session, play(stream, [Move(request=request) for request in requests]))


def _ticks_to_finish(stream: Stream, requests: list[engine.Request | None]) -> list[list[int]]:
    out: list[list[int]] = []
    for request in requests:
        if request is not None:
            stream.submit(request)
        out.append([finished.request_id for finished in stream.tick()])
    return out


def test_n_steps_finish_in_the_nth_tick_and_the_newest_request_is_the_one_admitted(
    session: engine.Session, prompt: engine.Conditioning
):
    request = engine.Request(conditioning=prompt, frames=FRAMES, steps=4)
    finished = _ticks_to_finish(session.open_stream(FRAMES, depth=2), [request] * 10)
    # admitted in ticks 0, 2, 4, 6 as requests 1, 3, 5, 7; each returned three ticks later
    assert finished == [[], [], [], [1], [], [3], [], [5], [], [7]]


@pytest.mark.parametrize(
    ("steps", "depth", "spacing"), [(8, 1, 8), (8, 2, 4), (8, 3, 3), (8, 8, 1), (5, 2, 3), (3, 8, 1)]
)
def test_admissions_are_evenly_spaced(
    session: engine.Session, prompt: engine.Conditioning, source: engine.Source, steps: int, depth: int, spacing: int
):
    # denoise 0 takes its ticks without forwards
    request = engine.Request(conditioning=prompt, source=source, denoise=0.0, frames=60, steps=steps)
    finished = _ticks_to_finish(session.open_stream(60, depth), [request] * (steps + 4 * spacing))
    when = [tick for tick, ids in enumerate(finished) if ids]
    assert when[0] == steps - 1
    assert set(np.diff(when)) == {spacing}


def test_requests_that_end_in_the_same_tick_are_all_returned_in_it(
    session: engine.Session, prompt: engine.Conditioning
):
    long = engine.Request(conditioning=prompt, frames=FRAMES, steps=3)
    short = replace(long, steps=2)
    finished = _ticks_to_finish(session.open_stream(FRAMES, depth=8), [long, short, None])
    assert finished == [[], [], [1, 2]]


def test_denoise_zero_returns_the_source_bit_for_bit_at_its_regular_tick_without_a_forward(
    session: engine.Session, prompt: engine.Conditioning, source: engine.Source
):
    latent = source.latent.copy()
    latent[0, :2] = -0.0, 1e-42  # values that arithmetic would not bring back
    kept = engine.Source(latent=latent, hints=source.hints)
    calls = Leaky(session.backend)
    stream = Stream(calls, session.empty_latent(60), 2, session.checkpoint.conditioning_width)
    stream.submit(
        engine.Request(conditioning=prompt, source=kept, denoise=0.0, frames=60, steps=3, velocity_scale=1e30)
    )
    assert [len(stream.tick()) for _ in range(2)] == [0, 0]
    (done,) = stream.tick()
    assert done.latent is not None
    assert done.latent.tobytes() == kept.latent.tobytes()
    assert calls.calls == 0


def test_blend_endpoints_are_exactly_one_prompt(
    session: engine.Session, prompt: engine.Conditioning, prompt_b: engine.Conditioning
):
    def made(**fields: object) -> bytes:
        request = engine.Request(conditioning=prompt, frames=FRAMES, steps=3, seed=9)
        return session.generate(replace(request, **fields)).tobytes()  # type: ignore[arg-type]

    assert made(conditioning_b=prompt_b, prompt_blend=0.0) == made()
    assert made(conditioning_b=prompt_b, prompt_blend=np.ones(7)) == made(conditioning=prompt_b)
    half = made(conditioning_b=prompt_b, prompt_blend=0.5)
    assert half not in {made(), made(conditioning=prompt_b)}


def test_curves_act_on_their_own_frames(session: engine.Session, prompt: engine.Conditioning, source: engine.Source):
    still = np.ones(60, np.float32)
    still[:30] = 0.0  # no velocity: these frames stay what they started as
    request = engine.Request(
        conditioning=prompt, source=source, frames=60, denoise=0.6, steps=2, velocity_scale=still, seed=4
    )
    scaled = session.generate(request)
    from engine.step.noise import normal
    from engine.step.schedule import times

    t = times(2, 3.0, 0.6)[0]
    start = t * normal(4, 0, 60) + (np.float32(1) - t) * source.latent
    np.testing.assert_allclose(scaled[:30], start[:30], atol=1e-6)
    assert np.abs(scaled[30:] - start[30:]).max() > 0.1


def test_hint_strength_zero_is_the_context_of_no_source(
    session: engine.Session, prompt: engine.Conditioning, source: engine.Source
):
    request = engine.Request(conditioning=prompt, frames=60, steps=2, seed=1)
    without = session.generate(request)
    np.testing.assert_array_equal(session.generate(replace(request, source=source, hint_strength=0.0)), without)
    assert not np.array_equal(session.generate(replace(request, source=source)), without)


def test_denoise_moves_away_from_the_source_monotonically(
    session: engine.Session, prompt: engine.Conditioning, source: engine.Source
):
    request = engine.Request(conditioning=prompt, source=source, frames=60, seed=2)
    distances = [
        float(np.abs(session.generate(replace(request, denoise=d)) - source.latent).mean())
        for d in (0.0, 0.1, 0.3, 0.6, 1.0)
    ]
    assert distances == sorted(distances)


def test_depth_changes_lose_nothing(session: engine.Session, prompt: engine.Conditioning, source: engine.Source):
    stream = session.open_stream(60, depth=4)
    request = engine.Request(conditioning=prompt, source=source, denoise=0.0, frames=60, steps=4)
    admitted = []
    for _ in range(3):
        admitted.append(stream.submit(request))
        stream.tick()
    stream.set_depth(1)
    late = stream.submit(request)
    assert [done.request_id for done in stream.flush()] == [*admitted, late]
    assert stream.stats().active == 0


def test_cancelled_and_superseded_requests_never_come_back(session: engine.Session, prompt: engine.Conditioning):
    stream = session.open_stream(FRAMES, depth=1)
    request = engine.Request(conditioning=prompt, frames=FRAMES, steps=2, tag=7, control_version=70)
    in_flight = stream.submit(request)
    stream.tick()
    superseded, waiting = stream.submit(request), stream.submit(request)
    assert stream.cancel(in_flight)
    assert not stream.cancel(in_flight)
    assert not stream.cancel(superseded)
    (done,) = stream.flush()
    assert (done.request_id, done.tag, done.control_version, done.generation) == (waiting, 7, 70, 1)
    stats = stream.stats()
    assert (stats.submitted, stats.superseded, stats.cancelled, stats.finished) == (3, 1, 1, 1)


def test_a_closed_stream_says_so(session: engine.Session, prompt: engine.Conditioning):
    stream = session.open_stream(FRAMES)
    stream.submit(engine.Request(conditioning=prompt, frames=FRAMES))
    stream.tick()
    stream.close()
    stream.close()
    with pytest.raises(engine.EngineError, match="closed"):
        stream.tick()
    assert stream.stats().active == 0
