"""Source audio: its canonical form, the region it makes, and how captured passages become the learned source."""

from pathlib import Path

import numpy as np
import pytest
from conftest import RATE, music
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.content import ContentStore
from sidecar.document import Document
from sidecar.errors import ContentError
from sidecar.frames import first_sample
from sidecar.passage import MAX_SAMPLES, Layer, Passage, merge, room
from sidecar.region import region_of
from sidecar.source import canonical, decode_flac, over_region
from sidecar.sources import FILE, LEARN, NONE, Sources
from sidecar.steps import finish

RATES = st.sampled_from([44_100, 48_000, 96_000, 192_000])


@given(st.integers(-(10**7), 10**7), st.integers(1, 10**7), RATES)
def test_a_region_lies_on_the_window_grid_and_holds_the_audio_up_to_ten_minutes(
    first: int, samples: int, rate: int
) -> None:
    region = region_of(first, samples, rate)
    start, end = region.samples(rate)
    assert region.start % 10 == region.frames % 10 == 0
    assert 50 <= region.frames <= 15_000
    assert start <= first
    assert end >= first + samples or region.frames == 15_000


@given(st.floats(1e-6, 8.0), st.sampled_from([44_100, 48_000]))
@settings(max_examples=20)
def test_canonical_audio_keeps_24_bits_and_survives_flac(peak: float, rate: int) -> None:
    audio = (music(0.1, rate) / 0.4 * peak).astype(np.float32)
    source = canonical(audio, 0, rate)
    assert source is not None
    assert source.scale >= np.abs(audio).max() > source.scale / 2
    assert np.abs(source.audio - audio).max() <= source.scale * 2.0**-23
    again = decode_flac(source.flac(), source.entry)
    assert again.hash == source.hash
    assert again.audio.tobytes() == source.audio.tobytes()


def test_canonical_audio_of_canonical_audio_is_itself() -> None:
    source = canonical(music(0.5), 0, RATE)
    assert canonical(source.audio, 0, RATE).entry == source.entry


def test_silence_is_no_source_and_broken_samples_count_as_silence() -> None:
    silence = np.zeros((2, 1000), np.float32)
    assert canonical(silence, 0, RATE) is None
    silence[0, 5] = np.nan
    silence[1, 7] = np.inf
    assert canonical(silence, 0, RATE) is None


def test_a_source_that_begins_inside_the_grid_is_placed_at_its_song_position() -> None:
    clip = music(0.2)
    source = canonical(clip, 30_001, RATE)
    assert source.first == first_sample(10, RATE) == 19_200
    placed = over_region(source, source.region)
    assert not placed[:, : 30_001 - 19_200].any()
    assert np.abs(placed[:, 30_001 - 19_200 :][:, : clip.shape[1]] - clip).max() < 1e-6


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 200)), min_size=1, max_size=10))
def test_a_passage_is_what_was_written_last_at_each_position(parts: list[tuple[int, int]]) -> None:
    passage, model = Passage(RATE), np.zeros((2, 2000), np.float32)
    first = parts[0][0]
    for value, (song, length) in enumerate(parts, start=1):
        audio = np.full((2, length), value, np.float32)
        passage.write(song, audio)
        model[:, max(song, first) : song + length] = value
    assert passage.first == first
    got = passage.audio
    assert got.tobytes() == model[:, first : first + got.shape[1]].tobytes()
    assert not model[:, first + got.shape[1] :].any()


def test_a_passage_keeps_ten_minutes_and_no_more() -> None:
    rate = 100
    passage = Passage(rate)
    for song in range(0, 1_000 * rate, 500):
        passage.write(song, np.ones((2, 500), np.float32))
    assert passage.audio.shape[1] == 600 * rate
    assert room(384_000) == MAX_SAMPLES


def layer(first: int, audio: np.ndarray) -> Layer:
    return Layer(first, audio.shape[1], lambda low, high: audio[:, low:high])


def test_playing_a_part_again_replaces_that_part_only() -> None:
    made = merge(layer(0, np.ones((2, 1000), np.float32)), layer(400, np.full((2, 100), 2.0, np.float32)), RATE)
    assert (made.first, made.samples) == (0, 1000)
    assert made.part(399, 501)[0].tolist() == [1.0, *[2.0] * 100, 1.0]
    assert made.part(0, 1000)[:, 399:501].tobytes() == made.part(399, 501).tobytes()


def test_a_passage_far_away_replaces_what_was_learned() -> None:
    fresh = layer(601 * 100, np.ones((2, 10), np.float32))
    assert merge(layer(0, np.ones((2, 10), np.float32)), fresh, 100) is fresh


def learned_from(sources: Sources, audio: np.ndarray, song: int = 0) -> object:
    sources.begin(RATE)
    sources.capture(song, audio)
    return finish(sources.learn())


def test_the_same_audio_again_changes_nothing(tmp_path: Path) -> None:
    sources = Sources(ContentStore(tmp_path))
    clip = music(1.0)
    assert learned_from(sources, clip) is not None
    assert learned_from(sources, clip) is None
    assert learned_from(sources, clip[:, 4800:9600], 4800) is None
    assert learned_from(sources, np.zeros_like(clip)) is None


def test_a_passage_with_holes_does_not_replace_what_was_learned(tmp_path: Path) -> None:
    sources = Sources(ContentStore(tmp_path))
    learned_from(sources, music(1.0))
    sources.begin(RATE)
    sources.capture(0, music(0.5) * 0.5)
    sources.capture(24_000, None)
    assert finish(sources.learn()) is None


def test_a_missing_source_is_named_and_the_others_still_work(tmp_path: Path) -> None:
    clip = canonical(music(1.0), 0, RATE, "drums")
    other = canonical(music(0.5), 0, RATE, "bass")
    import msgspec

    document = Document({"learned": msgspec.to_builtins(clip.entry), "file": msgspec.to_builtins(other.entry)})
    sources = Sources(ContentStore(tmp_path))
    sources.hold(sources.find(document, {clip.hash: clip.flac()}))
    assert sources.current(LEARN).hash == clip.hash
    assert sources.current(NONE) is None
    with pytest.raises(ContentError, match="'bass'"):
        sources.current(FILE)


def test_an_attachment_that_is_not_what_it_says_changes_nothing(tmp_path: Path) -> None:
    import msgspec

    clip, other = canonical(music(1.0), 0, RATE), canonical(music(1.0) * 0.7, 0, RATE)
    sources = Sources(ContentStore(tmp_path))
    learned_from(sources, music(0.5))
    before = sources.current(LEARN).hash
    for wrong in (other.flac(), clip.flac()[:-100], b"", b"fLaC" + bytes(200)):
        with pytest.raises(ContentError):
            sources.find(Document({"learned": msgspec.to_builtins(clip.entry)}), {clip.hash: wrong})
        assert sources.current(LEARN).hash == before


def test_the_content_store_gives_back_what_was_put_and_refuses_what_was_damaged(tmp_path: Path) -> None:
    store = ContentStore(tmp_path / "content")
    clip = canonical(music(0.5), 0, RATE)
    path = store.put(clip)
    assert store.get(clip.entry).hash == clip.hash
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ContentError):
        store.get(clip.entry)


def test_a_full_content_store_drops_what_was_unused_for_longest(tmp_path: Path) -> None:
    import os

    clips = [canonical(music(0.2) * gain, 0, RATE) for gain in (1.0, 0.7, 0.3)]
    size = max(len(clip.flac()) for clip in clips)
    store = ContentStore(tmp_path, limit=2 * size)
    for age, clip in enumerate(clips):
        os.utime(store.put(clip), (1000 + age, 1000 + age))
    store.put(canonical(music(0.2) * 0.9, 0, RATE))
    with pytest.raises(ContentError):
        store.get(clips[0].entry)
    with pytest.raises(ContentError):
        store.get(clips[1].entry)
    assert store.get(clips[2].entry).hash == clips[2].hash
