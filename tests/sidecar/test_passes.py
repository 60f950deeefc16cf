"""The pass: what it renders is a function of its material, its start and its points."""

import numpy as np
import pytest
from conftest import RATE, SHORT_CLOCK, music
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rendering import DOCUMENT, Player, cut, score

from engine import Session
from sidecar.course import LAST_FRAME
from sidecar.document import Document
from sidecar.preparer import Preparer
from sidecar.progress import Progress
from sidecar.region import TEXT_FRAMES
from sidecar.score import score_of

TWO_SECONDS = 2 * RATE
POINTS = [
    (0, "denoise", 0.4),
    (1_920, "denoise", 0.9),
    (24_001, "prompt_blend", 0.5),
    (40_000, "seed_offset", 12.0),
    (57_599, "hint_strength", 0.25),
    (57_600, "velocity_scale", 1.1),
]


@pytest.fixture(scope="module")
def reference(session: Session) -> np.ndarray:
    return Player(session, score(session), POINTS).play(cut(TWO_SECONDS, 512))


@given(st.lists(st.integers(0, 9_000), min_size=1, max_size=40))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_block_sizes_do_not_change_a_byte(session: Session, reference: np.ndarray, sizes: list[int]) -> None:
    left = TWO_SECONDS - sum(sizes)
    blocks = [*sizes, left] if left > 0 else [*sizes[:-1], max(TWO_SECONDS - sum(sizes[:-1]), 0)]
    audio = Player(session, score(session), POINTS).play(blocks)
    reached = np.isfinite(audio)
    assert np.array_equal(audio[reached], reference[reached])
    assert reached[:, : sum(blocks)].all() or sum(blocks) > TWO_SECONDS


def test_blocks_of_one_sample_do_not_change_a_byte(session: Session, reference: np.ndarray) -> None:
    audio = Player(session, score(session), POINTS).play([1] * TWO_SECONDS)
    assert audio.tobytes() == reference.tobytes()


def test_work_may_lag_behind_the_blocks_offline(session: Session, reference: np.ndarray) -> None:
    player = Player(session, score(session), POINTS)
    player.block(TWO_SECONDS)
    assert player.play([]).tobytes() != reference.tobytes()  # nothing was asked for yet
    for _ in player.work():
        pass
    assert player.audio.tobytes() == reference.tobytes()


def test_passes_that_take_turns_do_not_disturb_each_other(session: Session, reference: np.ndarray) -> None:
    other_document = DOCUMENT.patch({"prompts": {"a": "chiptune"}, "seed": 99})
    alone = Player(session, score(session, document=other_document)).play([TWO_SECONDS])
    one = Player(session, score(session), POINTS)
    two = Player(session, score(session, document=other_document))
    one.block(TWO_SECONDS)
    two.block(TWO_SECONDS)
    ones, twos = one.work(), two.work()
    while {next(ones, "end"), next(twos, "end")} != {"end"}:
        pass
    assert one.audio.tobytes() == reference.tobytes()
    assert two.audio.tobytes() == alone.tobytes()
    assert two.audio.tobytes() != one.audio.tobytes()


def test_a_live_pass_that_keeps_pace_equals_the_bounce(session: Session, reference: np.ndarray) -> None:
    player = Player(session, score(session), POINTS, live=True)
    assert player.play(cut(TWO_SECONDS, 480)).tobytes() == reference.tobytes()
    assert not player.run.late
    assert player.run.late_frames == 0


def test_a_live_pass_that_is_starved_skips_what_is_past_and_says_so(session: Session) -> None:
    player = Player(session, score(session, seconds=6.0), live=True)
    player.play(cut(TWO_SECONDS // 2, 480))
    player.block(3 * RATE)
    for _ in player.work():
        pass
    assert player.run.late
    assert player.run.late_frames > 0
    rendered = np.isfinite(player.audio[0])
    assert rendered[:RATE].all()
    assert not rendered[3 * RATE : 4 * RATE].any()
    assert rendered[4 * RATE : 4 * RATE + RATE // 2].all()


def longest_lag(clock: dict) -> int:
    tick, depth, steps = clock["tick_frames"], clock["depth"], clock["steps"]
    return tick * (1 + -(-steps // depth) + steps - 1) + 10 + clock["lead_frames"]


def shortest_lag(clock: dict) -> int:
    return (clock["steps"] - 1) * clock["tick_frames"] + clock["lead_frames"]


@pytest.mark.parametrize("clock", [SHORT_CLOCK, {"tick_frames": 1, "depth": 4, "steps": 8, "lead_frames": 5}])
def test_a_step_is_heard_within_the_declared_lag_and_not_before(session: Session, clock: dict) -> None:
    frame = 12
    made = score(session, seconds=2.4, document=DOCUMENT.patch({"clock": clock}))
    flat = Player(session, made, denoise=0.0).play([3 * RATE])
    stepped = Player(session, made, [(frame * 1_920, "denoise", 1.0)], denoise=0.0).play([3 * RATE])
    changed = np.flatnonzero((flat != stepped).any(axis=0))
    assert changed.size
    lag = changed[0] // 1_920 - frame
    assert shortest_lag(clock) <= lag <= longest_lag(clock)
    assert np.abs(flat - stepped)[:, (frame + longest_lag(clock)) * 1_920 :].max() > 0.01


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_denoise_0_is_the_source_through_the_codec_without_seams(session: Session, rate: int) -> None:
    made = score(session, rate=rate)
    audio = Player(session, made, rate=rate, denoise=0.0).play([2 * rate])
    import soxr

    whole = soxr.resample(session.decode_all(made.material(0).source.latent).T, 48_000, rate, quality="VHQ").T
    inner = slice(rate // 100, 2 * rate - rate // 100)
    assert np.abs(audio - whole)[:, inner].max() < 1e-4


def test_a_pass_that_begins_inside_the_song_begins_at_its_window(session: Session) -> None:
    player = Player(session, score(session), start=RATE + 100)
    player.play([RATE // 2])
    assert player.run.span == (38_400, 96_000)
    assert player.runs[0].start == 38_400


def test_a_pass_that_begins_before_the_region_waits_for_it(session: Session) -> None:
    player = Player(session, score(session), start=-RATE)
    player.play([RATE // 4])
    assert not player.runs
    player.play([RATE])
    assert player.runs[0].start == 0


def test_a_long_way_to_the_region_costs_no_generations_and_ends_in_the_same_sound(session: Session) -> None:
    made = score(session)
    while made.prepare(0):
        pass
    far, near = Player(session, made, start=-60 * RATE), Player(session, made, start=-10 * RATE)
    far.block(61 * RATE)
    near.block(11 * RATE)
    units = [len(list(player.work())) for player in (far, near)]
    assert units[0] == units[1]
    assert far.audio[:, -2 * RATE : -RATE].tobytes() == near.audio[:, -2 * RATE : -RATE].tobytes()


def test_freeze_keeps_the_generation_that_is_heard(session: Session) -> None:
    frozen = Player(session, score(session), [(10_000, "freeze", 1.0)])
    frozen.play([TWO_SECONDS])
    free = Player(session, score(session))
    free.play([TWO_SECONDS])
    assert len({run.generation for run in frozen.runs}) < len({run.generation for run in free.runs})


def test_a_loop_hears_the_lanes_of_its_first_round_ahead_of_time(session: Session) -> None:
    made = score(session)
    first = Player(session, made, [(RATE, "prompt_blend", 1.0)])
    first.play([TWO_SECONDS])
    second = Player(session, made, memory=first.run.remember())
    second.play([TWO_SECONDS])
    plain = Player(session, made)
    plain.play([TWO_SECONDS])
    assert second.audio.tobytes() != plain.audio.tobytes()


def test_a_loop_remembers_lanes_that_came_after_the_last_window(session: Session) -> None:
    player = Player(session, score(session), [(90_000, "denoise", 0.5)], denoise=1.0)
    player.play([TWO_SECONDS])
    values = player.run.remember().values["denoise"]
    assert (values[:47] == 1.0).all()
    assert (values[47:] == 0.5).all()


def test_new_prompts_are_heard_without_a_new_pass(session: Session) -> None:
    made = score(session)
    plain = Player(session, made).play([TWO_SECONDS])
    player = Player(session, made)
    player.play([RATE // 2])
    player.run.use(Preparer(session).prompts(DOCUMENT.patch({"prompts": {"a": "dnb"}}), made.course.frames, cover=True))
    player.play([TWO_SECONDS - RATE // 2])
    assert (player.audio[:, : RATE // 2] == plain[:, : RATE // 2]).all()
    assert player.audio.tobytes() != plain.tobytes()


def test_without_a_source_text_alone_makes_the_region(session: Session) -> None:
    made = score_of(Preparer(session), Document({"prompts": {"a": "techno"}, "clock": SHORT_CLOCK}), None)
    player = Player(session, made, denoise=0.5)
    player.play([RATE])
    assert made.course.frames == TEXT_FRAMES
    assert player.run.span == (0, LAST_FRAME * 1_920)
    assert np.abs(player.audio[:, :RATE]).max() > 0.01


def test_changes_count_the_control_version(session: Session) -> None:
    points = [(5_000, "denoise", 0.1), (9_000, "denoise", 0.1), (20_000, "freeze", 1.0)]
    player = Player(session, score(session), points)
    player.play([TWO_SECONDS])
    assert player.run.control_version == 2
    assert player.run.advance() is Progress.DONE


def test_a_window_is_longer_at_a_higher_rate(session: Session) -> None:
    player = Player(session, score(session, rate=44_100), rate=44_100)
    player.play([2 * 44_100])
    assert {run.audio.shape for run in player.runs} == {(2, 17_640)}
    assert music(0.1, 44_100).shape == (2, 4_410)
