"""The compiled DiT: equal to the eager one, rows on their own, stream and one-shot the same bytes.

The first test to run compiles the shipped checkpoint's DiT, once per machine.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lora_files import STYLES, factors, write

from engine import Conditioning, EngineError, Request, Session
from engine.backends.compiled import CompiledBackend
from engine.lora.library import LoraLibrary
from engine.model.models import load

pytestmark = pytest.mark.timeout(1200)  # a compilation on busy cores


@pytest.fixture(scope="module")
def compiled() -> Iterator[Session]:
    with Session.open(backend="compiled") as opened:
        yield opened


def rows(seed: int, *shape: int) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape, dtype=np.float32))


def conditioning(seed: int, length: int) -> Conditioning:
    return Conditioning(rows(seed, length, 128).numpy(), np.ones(length, np.bool_))


# 3000: the longest that the program takes is above it; 30: fewer tokens than one block of the sliding window
@pytest.mark.parametrize("frames", [30, 62, 64, 66, 400, 1500, 3000])
@pytest.mark.parametrize("length", [1, 2, 300])
def test_it_computes_what_the_eager_backend_does(session: Session, compiled: Session, frames: int, length: int):
    row = (rows(1, 1, frames, 64), 0.37, conditioning(2, length), rows(3, 1, frames, 128))
    found, wanted = compiled.backend.dit_step(*row), session.backend.dit_step(*row)
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), atol=1e-5, rtol=0)


@settings(max_examples=10)
@given(st.lists(st.tuples(st.sampled_from([0.9, 0.5]), st.integers(0, 2), st.sampled_from([40, 134])), max_size=5))
def test_a_row_does_not_depend_on_what_ran_before_it(compiled: Session, before: list[tuple[float, int, int]]):
    def run(time: float, seed: int, frames: int) -> bytes:
        x, context = rows(seed, 1, frames, 64), rows(seed + 9, 1, frames, 128)
        return compiled.backend.dit_step(x, time, conditioning(seed, 20 + seed), context).numpy().tobytes()

    wanted = run(0.5, 1, 134)
    for row in before:
        run(*row)
    assert run(0.5, 1, 134) == wanted


@settings(max_examples=8)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(1, 4))
def test_a_stream_returns_the_bytes_of_one_shots(compiled: Session, order: list[int], depth: int):
    requests = [
        Request(conditioning=conditioning(n, 5 + n), frames=60 + 74 * (n == 9), seed=n, steps=2 + n) for n in range(4)
    ]
    alone = [compiled.generate(request).tobytes() for request in requests]
    done: dict[int, bytes] = {}
    asked: dict[int, int] = {}
    with compiled.open_stream(60, depth) as stream:
        for n in order:
            asked[stream.submit(requests[n])] = n
            done |= {one.request_id: one.latent.tobytes() for one in stream.tick()}
        done |= {one.request_id: one.latent.tobytes() for one in stream.flush()}
    assert done
    assert all(latent == alone[asked[number]] for number, latent in done.items())


def test_loras_act_as_in_the_eager_backend_and_leave_no_trace(session: Session, compiled: Session, tmp_path: Path):
    file = tmp_path / "one.safetensors"
    write(file, STYLES["peft"](factors(1)))
    row = (rows(1, 1, 134, 64), 0.6, conditioning(2, 40), rows(3, 1, 134, 128))
    bare = compiled.backend.dit_step(*row).numpy()
    for opened in (session, compiled):
        opened.loras.register(file)
    try:
        for strength in (0.5, -1.0):
            found, wanted = (s.backend.dit_step(*row, {"one": strength}).numpy() for s in (compiled, session))
            np.testing.assert_allclose(found, wanted, atol=2e-5, rtol=0)
            assert np.abs(found - bare).max() > 1e-2
        assert compiled.backend.dit_step(*row, {"one": 0.0}).numpy().tobytes() == bare.tobytes()
    finally:
        for opened in (session, compiled):
            opened.loras.forget("one")
    assert compiled.backend.dit_step(*row).numpy().tobytes() == bare.tobytes()


def test_a_session_opened_before_a_fork_runs_in_the_child(compiled: Session):
    with Session.open(backend="compiled") as fresh:
        row = (rows(1, 1, 60, 64), 0.5, conditioning(2, 9), rows(3, 1, 60, 128))
        reads, writes = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writes, fresh.backend.dit_step(*row).numpy().tobytes()[:4096])
            os._exit(0)
        os.close(writes)
        with os.fdopen(reads, "rb") as pipe:
            assert pipe.read() == compiled.backend.dit_step(*row).numpy().tobytes()[:4096]
        assert os.waitpid(child, 0)[1] == 0


def test_a_warm_up_loads_the_machine_code():
    with Session.open(backend="compiled") as fresh:
        parts = {part.name: part.seconds for part in fresh.warm_up(60)}
    assert {"load", "tables", "forward"} <= parts.keys()
    assert parts["load"] > 0.0


def test_auto_takes_what_was_compiled(compiled: Session):
    with Session.open(backend="auto") as opened:
        assert opened.backend.name == "compiled"


def test_a_package_that_cannot_be_loaded_is_named(session: Session, tmp_path: Path):
    models = load(session.checkpoint)
    broken = tmp_path / "broken.pt2"
    broken.write_bytes(b"not a package")
    backend = CompiledBackend(models, LoraLibrary(models.transformer), broken)
    with pytest.raises(EngineError, match=r"broken\.pt2 cannot be loaded.*Delete the file"):
        backend.dit_step(rows(1, 1, 60, 64), 0.5, conditioning(2, 9), rows(3, 1, 60, 128))
