"""The DiT's own forward: equal to diffusers', a function of its row alone, blind to padding."""

import gc
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Conditioning, Session
from engine.backends.eager import EagerBackend
from engine.dit.band import attend_band, band_mask
from engine.dit.cross import Cross, cross_of
from engine.dit.dit import Dit
from engine.dit.forward import velocity
from engine.dit.modulation import Modulation
from engine.dit.recent import Recent
from engine.dit.shape import DitShape
from engine.dit.weights import Reader
from engine.lora.library import LoraLibrary
from engine.model.models import Models, load


@pytest.fixture(scope="module")
def models(session: Session) -> Models:
    return load(session.checkpoint)


@pytest.fixture(scope="module")
def dit(models: Models) -> Dit:
    return Dit(Reader(models.transformer), DitShape.of(models.transformer))


@pytest.fixture(scope="module")
def backend(models: Models) -> EagerBackend:
    return EagerBackend(models, LoraLibrary(models.transformer))


def rows(seed: int, *shape: int) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape, dtype=np.float32))


def conditioning(dit: Dit, seed: int, length: int, hidden: int = 0) -> Conditioning:
    width = dit.weights.condition.weight.shape[1]
    mask = np.arange(length + hidden) < length
    states = np.concatenate([rows(seed, length, width).numpy(), 9.0 * rows(seed + 1, hidden, width).numpy()])
    return Conditioning(states, mask)


# 30: fewer tokens than one block; 130, 132: the window of 64 tokens just reaches over everything, and just does not
@pytest.mark.parametrize("frames", [30, 60, 130, 132, 250, 400])
@pytest.mark.parametrize("time", [1.0, 0.4321, 0.0])
def test_the_forward_is_that_of_diffusers(backend: EagerBackend, models: Models, dit: Dit, frames: int, time: float):
    x, context, prompt = rows(1, 1, frames, 64), rows(2, 1, frames, 128), conditioning(dit, 3, 75)
    stock: Any = models.transformer
    when = torch.tensor([time])
    with torch.inference_mode():
        (wanted,) = stock(x, when, when, torch.tensor(prompt.states)[None], context, return_dict=False)
    found = backend.dit_step(x, time, prompt, context)
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), atol=1e-5, rtol=0)


@settings(max_examples=10)
@given(
    st.lists(st.tuples(st.sampled_from([0.9, 0.5, 0.25]), st.integers(0, 2), st.sampled_from([40, 134])), max_size=4)
)
def test_a_row_does_not_depend_on_what_ran_before_it(
    backend: EagerBackend, models: Models, dit: Dit, before: list[tuple[float, int, int]]
):
    def run(on: EagerBackend, time: float, seed: int, frames: int) -> bytes:
        x, context = rows(seed, 1, frames, 64), rows(seed + 9, 1, frames, 128)
        return on.dit_step(x, time, conditioning(dit, seed, 20 + seed), context).numpy().tobytes()

    for row in before:
        run(backend, *row)
    cold = EagerBackend(models, LoraLibrary(models.transformer))
    for row in [(0.5, 1, 134), *before]:
        assert run(backend, *row) == run(cold, *row)


@settings(max_examples=10)
@given(st.integers(1, 90), st.integers(1, 40), st.integers(0, 99))
def test_hidden_rows_of_a_conditioning_are_bit_exactly_absent(
    backend: EagerBackend, dit: Dit, length: int, hidden: int, seed: int
):
    x, context = rows(1, 1, 60, 64), rows(2, 1, 60, 128)
    alone, padded = conditioning(dit, seed, length), conditioning(dit, seed, length, hidden)
    wanted = backend.dit_step(x, 0.5, alone, context).numpy()
    assert backend.dit_step(x, 0.5, padded, context).numpy().tobytes() == wanted.tobytes()


def _batched(dit: Dit, lengths: list[int], times: list[float], padding: float) -> torch.Tensor:
    """Rows of different conditionings and times in one forward, padded to one length."""
    longest = max(lengths)
    width = dit.weights.condition.weight.shape[1]
    states = torch.full((len(lengths), longest, width), padding)
    for row, length in enumerate(lengths):
        states[row, :length] = torch.tensor(conditioning(dit, row, length).states)
    mask = torch.arange(longest)[None] < torch.tensor(lengths)[:, None]
    made = [dit.modulation(time) for time in times]
    modulation = Modulation(torch.cat([m.blocks for m in made], dim=2), torch.cat([m.out for m in made], dim=1))
    x, context = rows(1, len(lengths), 134, 64), rows(2, len(lengths), 134, 128)
    cross = cross_of(dit.weights, dit.shape, states, mask)
    return velocity(dit.weights, dit.shape, x, context, modulation, cross, dit.positions(67))


@settings(max_examples=8)
@given(
    st.lists(st.tuples(st.integers(1, 60), st.floats(0, 1, width=32)), min_size=1, max_size=3),
    st.floats(-1e3, 1e3, width=32),
)
def test_a_batch_with_a_mask_gives_each_row_what_it_gets_alone(
    backend: EagerBackend, dit: Dit, batch: list[tuple[int, float]], padding: float
):
    lengths, times = [length for length, _ in batch], [time for _, time in batch]
    found = _batched(dit, lengths, times, padding)
    assert torch.equal(found, _batched(dit, lengths, times, 0.0))
    x, context = rows(1, len(lengths), 134, 64), rows(2, len(lengths), 134, 128)
    for row, (length, time) in enumerate(batch):
        alone = backend.dit_step(x[row : row + 1], time, conditioning(dit, row, length), context[row : row + 1])
        np.testing.assert_allclose(found[row].numpy(), alone[0].numpy(), atol=1e-5, rtol=0)


@settings(max_examples=25)
@given(st.integers(2, 130), st.integers(1, 50), st.integers(1, 2), st.sampled_from([(6, 3), (4, 4), (4, 1)]))
def test_attention_in_blocks_is_attention_with_a_window(tokens: int, window: int, batch: int, heads: tuple[int, int]):
    queries, keys, values = (rows(n, batch, tokens, heads[n > 0], 8) for n in range(3))
    found = attend_band(queries, keys, values, window, band_mask(tokens, window)).numpy()

    q, k, v = (part.numpy().astype(np.float64) for part in (queries, keys, values))
    k, v = (np.repeat(part, heads[0] // heads[1], axis=2) for part in (k, v))
    scores = np.einsum("bihd,bjhd->bhij", q, k)
    distance = np.abs(np.arange(tokens)[:, None] - np.arange(tokens))
    weights = np.where(distance <= window, np.exp(scores), 0.0)
    wanted = np.einsum("bhij,bjhd->bihd", weights / weights.sum(-1, keepdims=True), v).reshape(found.shape)
    np.testing.assert_allclose(found, wanted, atol=1e-5, rtol=0)


def test_what_was_made_of_a_conditioning_goes_with_it(dit: Dit):
    prompt = conditioning(dit, 50, 5)
    made = dit.cross(prompt)
    assert dit.cross(prompt) is made
    assert isinstance(made, Cross)
    kept = len(dit.crosses)
    del prompt
    gc.collect()
    assert len(dit.crosses) == kept - 1


def test_what_is_kept_is_bounded_and_what_was_used_last_stays():
    cache: Recent[int, int] = Recent(3)
    for key in (1, 2, 3, 1, 4, 5):
        cache.get(key, lambda key=key: 10 * key)
    assert len(cache) == 3
    assert [cache.get(key, lambda: 0) for key in (1, 4, 5)] == [10, 40, 50]
    assert cache.get(2, lambda: 0) == 0
