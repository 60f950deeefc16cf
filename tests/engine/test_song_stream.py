"""What a song's stream generates, in which order, and what becomes of what is late, wrong or failed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from songs import SHAPE, SONG

import engine
from engine.song.generate import generate_song
from engine.song.stream import SongStream


class Counting:
    """Stands in for a backend's forward: the real one, counted; one of them may fail."""

    def __init__(self, forward: Callable[..., torch.Tensor]) -> None:
        self.forward = forward
        self.count = 0
        self.fail_at = 0

    def __call__(self, *arguments: object, **named: object) -> torch.Tensor:
        self.count += 1
        if self.count == self.fail_at:
            raise MemoryError("no room")
        return self.forward(*arguments, **named)


@pytest.fixture
def counting(session: engine.Session, monkeypatch: pytest.MonkeyPatch) -> Counting:
    counted = Counting(session.backend.dit_step)
    monkeypatch.setattr(session.backend, "dit_step", counted)
    return counted


def test_a_second_of_song_costs_the_same_forwards_whatever_the_song_is_long(
    session: engine.Session, prompt: engine.Conditioning, counting: Counting
):
    spent: list[int] = []
    for hops in (2, 6):
        before = counting.count
        frames = 60 + hops * 40
        generate_song(session, engine.Request(conditioning=prompt, frames=frames, steps=1), **SHAPE)
        spent.append(counting.count - before)
    assert spent == [3, 7]  # one per 40 frames, after the first


def test_playing_through_generates_every_region_once_ahead_of_the_playhead_and_keeps_few(
    session: engine.Session, prompt: engine.Conditioning, counting: Counting
):
    with SongStream(session, engine.Request(conditioning=prompt, frames=300, steps=2), **SHAPE) as stream:
        stream.render(0, 1)
        done: list[int] = []
        for playhead in range(0, 300, 4):
            stream.move(playhead)
            done += [finished.index for finished in stream.tick()]
            assert stream.window(playhead, min(4, 300 - playhead)) is not None
            held = [i for i, r in enumerate(stream.plan.regions) if stream.window(r.handover, 1) is not None]
            assert len(held) <= 3
        assert stream.window(0, 4) is None
    assert done == list(range(1, len(stream.plan.regions)))
    assert counting.count == 2 * len(stream.plan.regions)


def test_an_update_fills_gaps_first_and_is_heard_from_the_playhead_on(session: engine.Session, song: engine.Request):
    with SongStream(session, replace(song, steps=1), depth=1, ahead=100, **SHAPE) as stream:
        assert [done.index for done in stream.tick()] == [0]
        stream.update(replace(song, steps=1, seed=1, control_version=4))
        done = [finished for _ in range(4) for finished in stream.tick()]
        assert [(one.index, one.control_version, one.tag) for one in done[:3]] == [(1, 4, 9), (2, 4, 9), (0, 4, 9)]
        assert stream.settled(0, 100)
        stream.update(stream.request)
        assert not stream.settled(0, 1)
        assert stream.window(0, 100) is not None


def test_an_older_generation_that_finishes_later_does_not_replace_a_newer_one(
    session: engine.Session, song: engine.Request
):
    slow, quick = (
        replace(song, steps=6, mask_strength=1.0),
        replace(song, steps=1, mask_strength=1.0, control_version=4),
    )
    with SongStream(session, slow, ahead=1, **SHAPE) as stream:
        for _ in range(2):
            stream.tick()
        stream.update(quick)
        done = [finished.control_version for _ in range(6) for finished in stream.tick()]
        assert done == [4, 3]
        assert stream.render(0, 40).tobytes() == generate_song(session, quick, **SHAPE)[:40].tobytes()


def test_a_seek_drops_what_is_in_flight_elsewhere(
    session: engine.Session, prompt: engine.Conditioning, counting: Counting
):
    with SongStream(session, engine.Request(conditioning=prompt, frames=300, steps=4), ahead=1, **SHAPE) as stream:
        stream.tick()
        stream.move(200)
        done = [finished.index for _ in range(8) for finished in stream.tick()]
        assert done == list(stream.plan.between(200, 201))
    assert counting.count == 1 + 4 * len(done)


def test_a_bad_update_or_place_is_refused_and_changes_nothing(session: engine.Session, song: engine.Request):
    with SongStream(session, song, **SHAPE) as stream:
        spoiled = np.ones(SONG)
        spoiled[-1] = np.nan
        for bad, field in ((replace(song, frames=100, source=None, denoise=1.0), "frames"),
                           (replace(song, velocity_scale=spoiled), "velocity_scale")):  # fmt: skip
            with pytest.raises(engine.RequestError, match=field):
                stream.update(bad)
        for first, frames in ((-1, 5), (0, 0), (180, 11)):
            with pytest.raises(engine.RequestError):
                stream.window(first, frames)
        with pytest.raises(engine.RequestError, match="playhead"):
            stream.move(SONG)
        assert stream.request is song
    with pytest.raises(engine.RequestError, match="velocity_scale"):
        SongStream(session, replace(song, velocity_scale=spoiled), **SHAPE)


def test_a_region_that_fails_is_told_and_tried_again_with_the_next_request(
    session: engine.Session, prompt: engine.Conditioning, counting: Counting
):
    request = engine.Request(conditioning=prompt, frames=100, steps=1)
    with SongStream(session, request, depth=1, **SHAPE) as stream:
        counting.fail_at = 2
        results = [done for _ in range(4) for done in stream.tick()]
        assert [(done.index, done.error is None) for done in results] == [(0, True), (1, False)]
        with pytest.raises(engine.EngineError, match="no room"):
            stream.render(0, 100)
        stream.update(request)
        assert stream.render(0, 100).tobytes() == generate_song(session, request, **SHAPE).tobytes()


def test_a_closed_song_generates_nothing_more(session: engine.Session, song: engine.Request):
    stream = SongStream(session, song, **SHAPE)
    stream.close()
    stream.close()
    with pytest.raises(engine.EngineError, match="closed"):
        stream.tick()
