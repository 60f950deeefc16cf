"""Prompts and real clips of `demon eval`: what is asked for, and that its listeners hear it in real clips."""

from collections import Counter

import numpy as np
import pytest

from engine.evaluation import harmony
from engine.evaluation.clips import Clips
from engine.evaluation.prompts import OFF_GRID, ON_GRID, PARTS, cases
from engine.evaluation.rhythm import beat_strength, is_near
from engine.evaluation.text import Heard
from engine.training.music import STYLES


def test_cases_ask_for_every_style_and_tempo_equally_often_and_for_every_key() -> None:
    asked = cases(4, ON_GRID, 1_000)
    assert Counter(case.style for case in asked) == dict.fromkeys(STYLES, 4)
    assert Counter(case.beat for case in asked) == dict.fromkeys(ON_GRID, 4)
    assert len({case.key for case in asked}) == 24
    assert len({case.number for case in asked}) == 24
    assert {round(case.bpm) for case in cases(2, OFF_GRID, 0)} == {100, 120, 128, 140}


def test_prompts_name_parts_that_their_style_has() -> None:
    assert set(PARTS) == set(STYLES)
    assert all(set(parts) <= set(STYLES[style].parts) for style, parts in PARTS.items())


def test_a_clip_is_as_asked_for_and_the_same_again() -> None:
    (case,) = (case for case in cases(1, OFF_GRID, 7) if case.style == "house")
    made = [Clips().make(7, 60, "house", beat=case.beat, key=case.key, parts=case.parts, least=5) for _ in range(2)]
    assert made[0].audio.tobytes() == made[1].audio.tobytes()
    assert made[0].audio.shape == (2, 60 * 1920)
    assert (made[0].tags.style, made[0].tags.key) == ("house", case.key)
    assert set(case.parts) <= set(made[0].tags.parts)
    assert made[0].bpm == pytest.approx(case.bpm, rel=1e-4)


def test_a_clip_that_no_style_makes_is_refused() -> None:
    with pytest.raises(ValueError, match="ambient"):
        Clips().make(0, 60, "ambient", parts=("kick",))


def test_tempo_beat_and_key_are_heard_in_real_clips() -> None:
    clips = Clips()
    asked = [*cases(2, ON_GRID, 200), *cases(1, OFF_GRID, 300)]
    heard = [
        Heard.of(clips.make(case.number, 300, case.style, beat=case.beat, key=case.key, parts=case.parts).audio)
        for case in asked
    ]
    pairs = list(zip(heard, asked, strict=True))
    assert np.mean([is_near(one.tempo, case.bpm, octaves=True) for one, case in pairs]) >= 0.9
    assert np.mean([beat_strength(one.recurring, case.bpm) for one, case in pairs]) >= 0.5
    assert np.mean([harmony.is_above_mean(one.fits, case.key) for one, case in pairs]) >= 0.9
    assert np.mean([harmony.rank(one.fits, case.key) < 3 for one, case in pairs]) >= 0.8
