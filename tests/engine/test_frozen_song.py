"""The frozen context: windows of a song that agree with its full generation, and say when they may not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine.bench.frozen import frozen_window
from engine.dit.forward import velocity
from engine.song import forwards
from engine.song.frozen import FrozenSong
from engine.song.slices import slice_request

SONG = 400  # 200 tokens: the sliding-window layers reach 64 to each side
CLOSE = 2e-6


@pytest.fixture(scope="module")
def song_source(session: engine.Session, audio: np.ndarray) -> engine.Source:
    return session.prepare_source(np.tile(audio, 7)[:, : SONG * 1920])


@pytest.fixture(scope="module")
def plain(prompt: engine.Conditioning, song_source: engine.Source) -> engine.Request:
    return engine.Request(conditioning=prompt, source=song_source, frames=SONG, seed=3, steps=3, control_version=5)


@pytest.fixture(scope="module")
def frozen(session: engine.Session, plain: engine.Request) -> FrozenSong:
    return FrozenSong(session, plain)


def test_the_full_generation_is_an_ordinary_one(session: engine.Session, plain: engine.Request, frozen: FrozenSong):
    assert frozen.latent.tobytes() == session.generate(plain).tobytes()
    assert not frozen.latent.flags.writeable


@pytest.mark.parametrize(("first", "frames"), [(0, 100), (300, 100), (142, 60), (2, 2), (0, 400), (150, 250)])
def test_a_window_of_an_unchanged_song_is_the_full_generation(
    plain: engine.Request, frozen: FrozenSong, first: int, frames: int
):
    made = frozen.generate(replace(plain, tag=4, control_version=6), first, frames)
    np.testing.assert_allclose(made.latent, frozen.latent[first : first + frames], rtol=0, atol=CLOSE)
    assert (made.first, made.changes, made.approximate, made.since) == (first, (), False, None)


def test_every_control_that_reads_the_whole_song_still_does(
    session: engine.Session, plain: engine.Request, prompt_b: engine.Conditioning, song_source: engine.Source
):
    rise = np.linspace(0.0, 1.0, SONG)
    request = replace(
        plain,
        conditioning_b=prompt_b,
        prompt_blend=rise,
        negative=session.null_conditioning(plain.conditioning),
        guidance=1.0 + 3.0 * rise,
        cfg_rescale=0.5,
        sde_denoise=rise,
        denoise=0.8,
        mask=np.where(np.arange(SONG) % 90 < 80, 1.0, 0.0),
        x0_target=song_source.hints,
        x0_strength=0.3,
        dcw=engine.Dcw(),
    )
    song = FrozenSong(session, request)
    assert song.latent.tobytes() == session.generate(request).tobytes()
    made = song.generate(request, 120, 90)
    np.testing.assert_allclose(made.latent, song.latent[120:210], rtol=0, atol=CLOSE)
    assert not made.approximate


def test_a_change_is_heard_in_the_window_and_named_from_then_on(
    session: engine.Session, plain: engine.Request, prompt_b: engine.Conditioning
):
    song = FrozenSong(session, plain)
    other = replace(plain, conditioning=prompt_b, seed=4, control_version=8)
    made = song.generate(other, 100, 100)
    full = session.generate(other)[100:200]
    assert made.approximate
    assert (made.changes, made.since) == (("prompts", "seed"), 8)
    near = np.abs(made.latent - full).mean()
    assert near < 0.5 * np.abs(made.latent - song.latent[100:200]).mean()  # it follows the change, but
    assert near > 100 * CLOSE  # not as a full generation does: the context does not answer
    assert song.generate(replace(plain, control_version=9), 0, 50).since == 8
    song.refresh(other)
    again = song.generate(other, 100, 100)
    assert (again.changes, again.since) == ((), None)
    np.testing.assert_allclose(again.latent, full, rtol=0, atol=CLOSE)


def test_the_same_curve_said_in_another_way_is_no_change(plain: engine.Request, frozen: FrozenSong):
    same = replace(plain, velocity_scale=np.ones(SONG), hint_strength=[1.0, 1.0])
    assert not frozen.generate(same, 0, 40).approximate
    bent = np.ones(SONG)
    bent[-1] = 0.5
    assert frozen.generate(replace(plain, velocity_scale=bent), 0, 40).changes == ("velocity_scale",)


def test_a_window_costs_the_forwards_of_the_context_on_its_own_frames(
    session: engine.Session, plain: engine.Request, monkeypatch: pytest.MonkeyPatch
):
    song = FrozenSong(session, plain)
    seen: list[int] = []

    def counted(*parts: Any) -> torch.Tensor:
        seen.append(parts[2].shape[1])
        return velocity(*parts)

    monkeypatch.setattr(forwards, "velocity", counted)
    song.generate(plain, 100, 80)
    assert seen == [80] * plain.steps


def test_memory_is_counted_and_bounded(session: engine.Session, plain: engine.Request, frozen: FrozenSong):
    shape = session.backend.dits.plain.shape  # type: ignore[attr-defined]
    per_token = 2 * len(shape.windows) * shape.groups * shape.width * 4
    assert frozen.nbytes == 3 * (200 * per_token + SONG * 64 * 4)
    with pytest.raises(engine.EngineError, match=r"400 frames keeps 3 x .* allowed\. Raise limit") as caught:
        FrozenSong(session, plain, limit=frozen.nbytes - 1)
    assert caught.value.code == "too_large"
    assert FrozenSong(session, plain, limit=frozen.nbytes).nbytes == frozen.nbytes


@pytest.mark.parametrize(
    "change", [{"steps": 4}, {"shift": 2.0}, {"denoise": 0.5}, {"timesteps": [1.0, 0.7, 0.2]}], ids=str
)
def test_another_schedule_than_the_contexts_is_refused(
    plain: engine.Request, frozen: FrozenSong, change: dict[str, Any]
):
    with pytest.raises(engine.RequestError, match="refresh") as caught:
        frozen.generate(replace(plain, **change), 0, 50)
    assert caught.value.field in change


def test_what_does_not_fit_the_context_is_refused_and_loses_nothing(
    session: engine.Session, plain: engine.Request, prompt_b: engine.Conditioning
):
    song = FrozenSong(session, plain)
    with pytest.raises(engine.RequestError, match="frames"):
        song.generate(slice_request(plain, 0, 200), 0, 50)
    for first, frames in ((1, 10), (0, 11), (392, 10), (0, 0)):
        with pytest.raises(engine.RequestError):
            song.generate(plain, first, frames)
    with pytest.raises(engine.EngineError, match="refresh") as caught:
        song.generate(replace(plain, conditioning_b=prompt_b, prompt_blend=0.5), 0, 50)
    assert caught.value.code == "stale_context"
    with pytest.raises(engine.RequestError, match="seed"):
        song.refresh(replace(plain, seed=-1))
    assert song.request is plain
    assert not song.generate(plain, 0, 50).approximate


def test_fewer_forwards_than_the_context_are_refused_too(
    session: engine.Session, plain: engine.Request, prompt_b: engine.Conditioning
):
    both = replace(plain, conditioning_b=prompt_b, prompt_blend=0.5)
    with pytest.raises(engine.EngineError, match="refresh"):
        FrozenSong(session, both).generate(replace(both, prompt_blend=1.0), 0, 50)
    guided = replace(plain, negative=prompt_b, guidance=2.0, guidance_interval=(0.3, 1.0))
    with pytest.raises(engine.EngineError, match="refresh"):
        FrozenSong(session, guided).generate(plain, 0, 50)


def test_the_bench_holds_a_window_against_the_full_generation(session: engine.Session):
    told: list[int] = []
    made = frozen_window(session, 60, 120, 40, pairs=2, done=lambda: told.append(1))
    assert len(told) == 2
    assert made.kept_mib[1] == pytest.approx(2 * made.kept_mib[0])
    assert 0.0 < made.window_ms[0] <= made.window_ms[1] <= made.window_ms[2]
    assert (made.over_full.pairs, made.over_short.pairs) == (2, 2)
