"""The corpus: what its tags say is what sounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.constants import FRAME_SAMPLES
from engine.training.music import STYLES, Bank, caption, compose, render
from engine.training.music.harmony import Key, place
from engine.training.music.pattern import STEPS, parse
from engine.training.music.split import held_out, training
from engine.training.music.styles import DRUMS

SEEDS = st.integers(0, 1 << 40)
BANK = Bank()


@given(st.text(alphabet=".-Xxo0123456789", min_size=STEPS, max_size=STEPS))
def test_the_hits_of_a_bar_neither_overlap_nor_leave_it(text: str) -> None:
    if ("-" in text and text[text.index("-") - 1] == ".") or text.startswith("-"):
        with pytest.raises(ValueError, match="holds nothing"):
            parse(text)
        return
    try:
        hits = parse(text)
    except ValueError:
        assert ".-" in text
        return
    ends = [hit.step + hit.steps for hit in hits]
    assert all(end <= after.step for end, after in zip(ends, hits[1:], strict=False))
    assert sum(hit.steps for hit in hits) == STEPS - text.count(".")


@pytest.mark.parametrize("text", ["x...", "x..............?", "x" * 17])
def test_a_bar_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"steps|sign"):
        parse(text)


@given(st.integers(0, 11), st.sampled_from(["major", "minor"]), st.integers(0, 13), st.integers(3, 4))
def test_a_chord_has_only_notes_of_its_key(tonic: int, mode: str, degree: int, size: int) -> None:
    scale = {note % 12 for step in range(7) for note in Key(tonic, mode).chord(step, 1)}
    chord = Key(tonic, mode).chord(degree, size)
    assert {note % 12 for note in chord} <= scale
    assert list(chord) == sorted(chord)
    assert all(36 <= place(note, 36) < 48 for note in chord)


@given(SEEDS, st.sampled_from(list(STYLES)))
def test_a_clip_has_what_its_tags_say(seed: int, style: str) -> None:
    score = compose(np.random.default_rng(seed), 400, style)
    tags = score.tags
    scale = {note % 12 for step in range(7) for note in tags.key.chord(step, 1)} | {
        (note + 7) % 12 for step in range(7) for note in tags.key.chord(step, 1)
    }  # a bass plays the fifth above every root
    assert tags.bpm == round(60 * 48_000 / tags.beat)
    assert {note.voice for note in score.notes} <= {STYLES[style].parts[part].voice for part in tags.parts}
    assert {note.pitch % 12 for note in score.notes if note.pitch} <= scale
    step = tags.beat // 4
    assert tags.beat % 4 == 0
    swung = {note.start % step for note in score.notes}
    assert swung <= {0, round(STYLES[style].swing * step)}
    assert all(0 <= note.start < 400 * FRAME_SAMPLES for note in score.notes)


@given(st.integers(0, 500))
def test_every_part_of_a_caption_has_sounded_after_two_bars(index: int) -> None:
    score = compose(training(index), 400)
    early = {note.voice for note in score.notes if note.start < 4 * 4 * score.tags.beat}
    style = STYLES[score.tags.style]
    assert early == {style.parts[part].voice for part in score.tags.parts}


@given(st.integers(0, 200), st.integers(0, 300), st.integers(1, 60_000))
def test_a_part_of_a_clip_sounds_as_it_does_in_the_whole(index: int, frame: int, count: int) -> None:
    score = compose(held_out(index), 320)
    start = min(frame * 1_777, 320 * FRAME_SAMPLES - count)
    whole = render(score, BANK)
    assert np.abs(whole).max() < 0.9
    assert np.abs(whole[:, start : start + count] - render(score, BANK, start, count)).max() < 1e-6


def test_a_clip_repeats_and_the_two_sets_differ() -> None:
    first, again, other = (render(compose(rng, 100), Bank()) for rng in (training(3), training(3), held_out(3)))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@given(SEEDS)
def test_a_caption_names_no_instrument_that_is_not_there(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tags = compose(rng, 200).tags
    text = caption(tags, rng)
    assert text
    if not any(part in DRUMS for part in tags.parts):
        assert not {"drums", "drum loop", "kick", "snare", "clap"} & set(text.split(", "))
    if not any("bass" in part for part in tags.parts):
        assert "sub bass" not in text
        assert "saw bass" not in text
