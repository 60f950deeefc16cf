"""The self-check proves the claim where it holds, and says so where it does not."""

import numpy as np
import torch

import engine
from engine.backends import NO_LORAS, Backend, Loras
from engine.stream.self_check import PROVED, SelfCheck, self_check
from engine.stream.stream import UNCHECKED, Stream

FRAMES = 30


class Neighbourly:
    """Negative control: a row picks up a little of the row before it, as in a batch whose kernels mix rows."""

    name = "neighbourly"

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        self.before: torch.Tensor | None = None

    def dit_step(
        self,
        x: torch.Tensor,
        time: float,
        conditioning: engine.Conditioning,
        context: torch.Tensor,
        loras: Loras = NO_LORAS,
    ) -> torch.Tensor:
        velocity = self.inner.dit_step(x, time, conditioning, context, loras)
        seen, self.before = self.before, x.nan_to_num().clamp(-4.0, 4.0)
        return velocity if seen is None else velocity + 1e-6 * seen


class Refusing(Neighbourly):
    """Negative control: cannot run with a neighbour at another time."""

    name = "refusing"

    def dit_step(
        self,
        x: torch.Tensor,
        time: float,
        conditioning: engine.Conditioning,
        context: torch.Tensor,
        loras: Loras = NO_LORAS,
    ) -> torch.Tensor:
        last, self.last = getattr(self, "last", time), time
        if time > last and time < 1.0:
            raise MemoryError("no room")
        return self.inner.dit_step(x, time, conditioning, context, loras)


def _checked(session: engine.Session, backend: object, prompts: list[engine.Conditioning]) -> SelfCheck:
    width = session.checkpoint.conditioning_width
    silence = session.empty_latent(FRAMES)
    return self_check(lambda depth: Stream(backend, silence, depth, width), prompts, FRAMES)


def test_it_proves_the_claim_and_every_stream_says_so_from_then_on():
    with engine.Session.open() as session:
        before = session.open_stream(FRAMES, 1)
        assert before.stats().claim == UNCHECKED
        found = session.self_check(FRAMES)
        assert found.proved
        assert (found.generations, found.differing, found.largest_difference) == (10, 0, 0.0)
        assert (found.backend, found.frames, found.threads) == (session.backend.name, FRAMES, 1)
        assert session.claim == found.claim == PROVED
        assert before.stats().claim == session.open_stream(FRAMES, 3).stats().claim == PROVED


def test_a_backend_whose_rows_depend_on_their_neighbours_is_found_out(
    session: engine.Session, prompt: engine.Conditioning, prompt_b: engine.Conditioning
):
    found = _checked(session, Neighbourly(session.backend), [prompt, prompt_b])
    assert not found.proved
    assert 1e-8 < found.largest_difference < 1e-2
    assert found.claim.startswith(f"not bit-exact here: {found.differing} of 10 ")
    assert f"{found.largest_difference:.1e}" in found.claim


def test_a_lost_generation_is_an_infinite_difference(
    session: engine.Session, prompt: engine.Conditioning, prompt_b: engine.Conditioning
):
    found = _checked(session, Refusing(session.backend), [prompt, prompt_b])
    assert not found.proved
    assert np.isinf(found.largest_difference)


def test_a_warm_up_names_its_parts(session: engine.Session):
    parts = session.warm_up(FRAMES)
    assert {"prompt", "forward", "decode"} <= {part.name for part in parts}
    assert all(part.seconds > 0.0 for part in parts)


def test_a_backend_s_own_parts_are_in_the_warm_up(session: engine.Session):
    class Compiling(Neighbourly):
        def warm_up(self, frames: int) -> dict[str, float]:
            return {"compile": frames * 0.5}

    stream = Stream(
        Compiling(session.backend),  # type: ignore[arg-type]
        session.empty_latent(FRAMES),
        1,
        session.checkpoint.conditioning_width,
    )
    first, second = stream.warm_up()
    assert (first.name, first.seconds, second.name) == ("compile", 15.0, "forward")


def test_stats_tell_how_long_ticks_take_and_how_full_they_are(session: engine.Session, prompt: engine.Conditioning):
    stream = session.open_stream(FRAMES, 2)
    stream.tick()
    assert (stream.stats().tick_ms, stream.stats().occupancy) == (None, 0.0)
    for seed in range(2):
        stream.submit(engine.Request(conditioning=prompt, frames=FRAMES, steps=2, seed=seed))
        stream.tick()
    stats = stream.stats()
    assert stats.tick_ms is not None
    low, middle, high = stats.tick_ms
    assert 0.0 < low <= middle <= high
    assert stats.occupancy == 1.5  # one slot in the first tick, two in the second
    assert stats.backend == session.backend.name
