"""A song in regions is its slices put together, however it was played."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from songs import SHAPE, SONG

import engine
from engine.song.crossfade import composite
from engine.song.generate import generate_song
from engine.song.regions import plan
from engine.song.slices import slice_request
from engine.song.stream import SongStream

QUICK = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def once(session: engine.Session, song: engine.Request) -> np.ndarray:
    return generate_song(session, song, **SHAPE)


def test_a_song_in_regions_is_its_one_shot_slices_put_together(
    session: engine.Session, song: engine.Request, once: np.ndarray
):
    whole = plan(SONG, **SHAPE)
    latents = {i: session.generate(slice_request(song, r.first, r.frames)) for i, r in enumerate(whole.regions)}
    joined = composite(whole, latents, 0, SONG)
    assert joined is not None
    assert once.tobytes() == joined.tobytes()
    assert not once.flags.writeable


def test_a_song_in_regions_starts_from_the_noise_of_the_whole_song(
    session: engine.Session, prompt: engine.Conditioning
):
    still = engine.Request(conditioning=prompt, frames=SONG, velocity_scale=0.0, steps=1, noise_start=12)
    assert generate_song(session, still, **SHAPE).tobytes() == session.generate(still).tobytes()


def test_a_song_that_fits_in_a_region_is_an_ordinary_generation(session: engine.Session, song: engine.Request):
    made = generate_song(session, song, region=200, overlap=20)
    assert made.tobytes() == session.generate(song).tobytes()


@QUICK
@given(data=st.data())
def test_no_seek_loop_depth_or_update_changes_a_bit_of_what_is_heard(
    session: engine.Session, song: engine.Request, once: np.ndarray, data: st.DataObject
):
    other = replace(song, seed=8, velocity_scale=1.0)
    with SongStream(
        session, other, depth=data.draw(st.integers(1, 4)), ahead=data.draw(st.integers(1, 120)), **SHAPE
    ) as stream:
        changed = data.draw(st.integers(0, 7))
        for turn in range(8):
            if turn == changed:
                stream.update(song)
            start = data.draw(st.integers(0, SONG - 2))
            end = data.draw(st.integers(start + 1, SONG))
            stream.move(data.draw(st.integers(0, SONG - 1)), data.draw(st.sampled_from([None, (start, end)])))
            for _ in range(data.draw(st.integers(0, 4))):
                stream.tick()
        first = data.draw(st.integers(0, SONG - 1))
        frames = data.draw(st.integers(1, SONG - first))
        assert stream.render(first, frames).tobytes() == once[first : first + frames].tobytes()
