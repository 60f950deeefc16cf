"""What one request, or one session, must not do to anything else."""

import os
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine.backends import NO_LORAS, Backend, Loras
from engine.stream.stream import Stream

FRAMES = 30


def _neighbour_of(
    session: engine.Session, backend: Backend, bad: engine.Request, good: engine.Request
) -> tuple[list[engine.Finished], bytes]:
    stream = Stream(backend, session.empty_latent(FRAMES), 8, session.checkpoint.conditioning_width)
    stream.submit(bad)
    done = stream.tick()
    stream.submit(good)
    done += stream.flush()
    return done, session.generate(good).tobytes()


def test_a_slot_that_runs_into_infinity_fails_alone(session: engine.Session, prompt: engine.Conditioning):
    good = engine.Request(conditioning=prompt, frames=FRAMES, steps=4, seed=1)
    bad = engine.Request(conditioning=prompt, frames=FRAMES, steps=4, seed=1, velocity_scale=3e38, tag=13)
    (failed, finished), expected = _neighbour_of(session, session.backend, bad, good)
    assert failed.latent is None
    assert (failed.tag, failed.generation) == (13, 0)
    assert isinstance(failed.error, engine.EngineError)
    assert "not finite" in failed.error.text
    assert finished.latent is not None
    assert finished.latent.tobytes() == expected
    assert finished.generation == 1


class Refusing:
    """A backend that cannot run rows of one conditioning."""

    name = "refusing"

    def __init__(self, inner: Backend, length: int) -> None:
        self.inner = inner
        self.length = length

    def dit_step(
        self,
        x: torch.Tensor,
        time: float,
        conditioning: engine.Conditioning,
        context: torch.Tensor,
        loras: Loras = NO_LORAS,
    ) -> torch.Tensor:
        if conditioning.states.shape[0] == self.length and time < 0.9:
            raise MemoryError("no room for this row")
        return self.inner.dit_step(x, time, conditioning, context, loras)


WAVE = np.linspace(0.0, 1.0, FRAMES)
RANDOM = np.random.default_rng(1).standard_normal((2, FRAMES, 64)).astype(np.float32)
EVERYTHING = {
    "source": engine.Source(*RANDOM),
    "mask": WAVE,
    "sde_denoise": WAVE,
    "guidance": 2.0,
    "guidance_mode": "self",
    "cfg_rescale": 0.5,
    "dcw": engine.Dcw(),
    "x0_target": RANDOM[1],
    "x0_strength": 0.5,
}


@pytest.mark.parametrize(("own", "neighbour_s"), [({}, {}), (EVERYTHING, EVERYTHING), (EVERYTHING, {})])
def test_a_slot_whose_forward_raises_is_evicted_alone_and_the_stream_goes_on(
    session: engine.Session,
    prompt: engine.Conditioning,
    prompt_b: engine.Conditioning,
    own: dict[str, Any],
    neighbour_s: dict[str, Any],
):
    assert prompt.states.shape != prompt_b.states.shape
    refusing = Refusing(session.backend, prompt_b.states.shape[0])
    good = engine.Request(conditioning=prompt, frames=FRAMES, steps=4, **neighbour_s)
    bad = engine.Request(conditioning=prompt_b, frames=FRAMES, steps=4, **own)
    (failed, finished), expected = _neighbour_of(session, refusing, bad, good)  # type: ignore[arg-type]
    assert failed.error is not None
    assert "no room for this row" in failed.error.text
    assert isinstance(failed.error.__cause__, MemoryError)
    assert finished.latent is not None
    assert finished.latent.tobytes() == expected


def test_no_global_generator_is_touched(session: engine.Session, audio: np.ndarray):
    torch_state, numpy_state, python_state = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    with engine.Session.open() as other:
        source = other.prepare_source(audio)
        prompt = other.encode_text("house", duration=2.4)
        latent = other.generate(engine.Request(conditioning=prompt, source=source, frames=60, denoise=0.5, steps=2))
        other.decode(latent, 10, 11)
    assert torch.equal(torch_state, torch.get_rng_state())
    assert str(numpy_state) == str(np.random.get_state())  # noqa: NPY002
    assert python_state == random.getstate()


def test_results_do_not_depend_on_the_global_generator_or_the_session(
    session: engine.Session, prompt: engine.Conditioning
):
    request = engine.Request(conditioning=prompt, frames=FRAMES, steps=2)
    torch.manual_seed(1)
    first = session.generate(request)
    torch.manual_seed(2)
    with engine.Session.open() as other:
        np.testing.assert_array_equal(other.generate(request), first)


def test_opening_prints_nothing(capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder):
    engine.Session.open().close()
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


def test_a_closed_session_says_so():
    closed = engine.Session.open()
    closed.close()
    closed.close()
    with pytest.raises(engine.EngineError, match="Open a new one"):
        closed.encode_text("techno", duration=10.0)


FORKED = """
import os, sys
import engine
engine.preload()
before = len(os.listdir("/proc/self/task")) if sys.platform == "linux" else 0
session = engine.Session.open(threads=2)
if sys.platform == "linux":
    assert len(os.listdir("/proc/self/task")) == before, "opening left a thread behind"
down, up = os.pipe()
child = os.fork()
prompt = None
if child == 0:
    prompt = session.encode_text("techno", duration=4.0)
    latent = session.generate(engine.Request(conditioning=prompt, frames=100, steps=2))
    os.write(up, session.decode(latent, 40, 11).tobytes()[:64] + latent.tobytes()[:64])
    os._exit(0)
os.close(up)
got = b""
while part := os.read(down, 4096):
    got += part
assert os.waitpid(child, 0)[1] == 0
prompt = session.encode_text("techno", duration=4.0)
latent = session.generate(engine.Request(conditioning=prompt, frames=100, steps=2))
assert got[64:] == latent.tobytes()[:64], "the child generated something else"
print(len(got))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_session_opened_before_a_fork_generates_in_the_child():
    run = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=240, check=False)
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, "128", "")
