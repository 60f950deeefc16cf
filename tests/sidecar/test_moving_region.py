"""Songs that one region does not hold: where regions lie, and a pass through several of them."""

import numpy as np
import pytest
from conftest import RATE, SHORT_CLOCK, music
from hypothesis import given
from hypothesis import strategies as st
from rendering import DOCUMENT, Player, cut

from engine import Session
from sidecar import course as courses
from sidecar.course import course_of, text_course
from sidecar.document import Document
from sidecar.preparer import Preparer
from sidecar.region import Region
from sidecar.score import Score, score_of
from sidecar.source import canonical
from sidecar.tempo import UNKNOWN, Tempo

FRAME = 1_920
SECONDS = 12.0
TOTAL = round(SECONDS * RATE)
REGION, STEP = 100, 80
POINTS = [
    (30_001, "denoise", 1.0),
    (160_000, "prompt_blend", 1.0),
    (200_000, "seed_offset", 7.0),
    (330_000, "hint_strength", 0.3),
]


def shorten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(courses, "MAX_FRAMES", REGION)
    patch.setattr(courses, "MOVING_FRAMES", REGION)
    patch.setattr(courses, "OVERLAP", REGION - STEP)


@pytest.fixture(autouse=True)
def short_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A song of seconds goes through as many regions as one of minutes."""
    shorten(monkeypatch)


def song(session: Session, rate: int = RATE, tempo: Tempo = UNKNOWN, seconds: float = SECONDS) -> Score:
    source = canonical(music(seconds, rate), 0, rate)
    assert source is not None
    return score_of(Preparer(session), DOCUMENT, source, rate=rate, tempo=tempo)


@pytest.fixture(scope="module")
def whole(session: Session) -> np.ndarray:
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        return Player(session, song(session), POINTS).play(cut(TOTAL, 4_800))


@given(st.integers(101, 1500), st.integers(-1000, 1000), st.sampled_from([None, 60.0, 120.0, 133.0]), st.integers(0))
def test_every_frame_of_a_song_is_heard_wherever_its_bars_lie(
    frames: int, start: int, bpm: float | None, bar: int
) -> None:
    tempo = UNKNOWN if bpm is None else Tempo(bpm, 1, 4, bar % 2**40)
    made = course_of(Region(10 * start, 10 * frames), tempo, RATE)
    assert (made.start, made.end) == (10 * start, 10 * (start + frames))
    assert made.region(0).start == made.start
    for frame in (made.start, made.start + 500, made.end - 1):
        for index in made.heard(frame, frame + 1):
            assert made.region(index).start <= frame < made.region(index).end
            assert made.first_heard(index) <= frame


def test_regions_take_over_on_bar_lines_that_the_host_gave() -> None:
    for tempo in (Tempo(240.0, 4, 4, 5 * RATE + 960), Tempo(240.0, 4, 4, 960 - 3 * RATE), Tempo(180.0, 6, 8, 960)):
        for made in (course_of(Region(0, 600), tempo, RATE), text_course(tempo, RATE)):
            takeovers = [made.regions.region(index).handover for index in range(1, 5)]
            assert {takeover % 25 for takeover in takeovers} <= {0, 1}  # a bar begins at 0.5


@pytest.mark.parametrize(
    "tempo", [UNKNOWN, Tempo(bpm=120.0), Tempo(120.0, 4, 4), Tempo(1.0, 4, 4, 0), Tempo(1e6, 4, 4, 0)]
)
def test_without_bars_that_fit_regions_lie_evenly(tempo: Tempo) -> None:
    assert course_of(Region(0, 600), tempo, RATE) == course_of(Region(0, 600), UNKNOWN, RATE)


def test_a_song_is_wet_to_its_end_and_block_sizes_do_not_change_a_byte(session: Session, whole: np.ndarray) -> None:
    assert whole.shape[1] == TOTAL
    assert np.isfinite(whole).all()
    assert np.abs(whole[:, -RATE:]).max() > 0.01
    player = Player(session, song(session), POINTS, live=True)
    assert player.play([1, 7, 4_096, *cut(TOTAL - 4_104, 12_345)]).tobytes() == whole.tobytes()
    assert not player.run.late


def test_a_pass_opens_one_region_ahead_and_closes_those_behind(session: Session) -> None:
    opened: list[int] = []
    player = Player(session, song(session))
    for block in cut(TOTAL, 48_000):
        player.play([block])
        opened.append(len(player.run.open_regions))
    assert max(opened) == 2
    assert opened[-1] == 1


def test_no_frame_does_two_regions_work_and_every_second_costs_the_same(session: Session) -> None:
    units: list[int] = []
    player = Player(session, song(session, seconds=9.6))
    for _ in range(240):
        player.block(FRAME)
        units.append(sum(1 for _ in player.work()))
    assert max(units[1:]) <= 3  # a tick, a tile of the next source and a window: the next region is warm in time
    steps = [sum(units[second : second + STEP]) for second in (30, 30 + STEP)]
    assert steps[1] <= steps[0]


@pytest.mark.parametrize("frame", [79, 95, 165, 240])
def test_a_bounce_from_anywhere_equals_the_live_pass_from_there(session: Session, frame: int) -> None:
    start = frame * FRAME + 11
    length = 3 * RATE
    bounce = Player(session, song(session), POINTS, start=start)
    live = Player(session, song(session), POINTS, start=start, live=True)
    one, two = bounce.play([length]), live.play(cut(length, 512))
    reached = length // FRAME * FRAME
    assert np.isfinite(one[:, :reached]).all()
    assert one[:, :reached].tobytes() == two[:, :reached].tobytes()


def test_seeking_begins_with_the_region_that_is_heard_there(session: Session) -> None:
    player = Player(session, song(session), start=245 * FRAME)
    player.play([1])
    assert player.run.open_regions == [2, 3]
    assert player.runs[0].start == 240 * FRAME


def test_denoise_0_is_the_source_through_every_hand_over(session: Session) -> None:
    made = song(session)
    audio = Player(session, made, denoise=0.0).play([TOTAL])
    source = canonical(music(SECONDS), 0, RATE)
    assert source is not None
    decoded = session.decode_all(session.prepare_source(source.audio, frames=300).latent)
    seams = [made.course.regions.region(index).handover * FRAME for index in range(1, 4)]
    away = np.ones(TOTAL, bool)
    for seam in seams:  # a region's own edge is encoded without what lies beyond it
        away[seam - 20 * FRAME - 16 * FRAME : seam + 16 * FRAME] = False
    assert np.abs(audio - decoded)[:, away].max() < 1e-4
    loudness = np.sqrt((audio[:, ~away] ** 2).mean() / (decoded[:, ~away] ** 2).mean())
    assert 0.9 < loudness < 1.1


def test_a_loop_over_a_hand_over_hears_the_lanes_of_its_first_round(session: Session) -> None:
    made, start, length = song(session), 60 * FRAME, 3 * RATE
    first = Player(session, made, [(start + 2 * RATE, "prompt_blend", 1.0)], start=start)
    first.play([length])
    second = Player(session, made, start=start, memory=first.run.remember())
    plain = Player(session, made, start=start)
    assert second.play([length]).tobytes() != plain.play([length]).tobytes()
    values = second.run.remember().values["prompt_blend"]
    assert (values[:50] == 0.0).all()
    assert values[60:].any() == 0.0  # drawn over by the second round's own value


def test_freeze_keeps_each_region_that_it_meets(session: Session) -> None:
    player = Player(session, song(session), [(10_000, "freeze", 1.0)])
    player.play([TOTAL])
    assert np.isfinite(player.audio).all()
    assert len({run.generation for run in player.runs}) == 4  # one for each region


def test_new_prompts_reach_the_regions_that_are_yet_to_come(session: Session) -> None:
    made = song(session)
    plain = Player(session, made).play([TOTAL])
    player = Player(session, made)
    player.play([RATE])
    player.run.use(Preparer(session).prompts(DOCUMENT.patch({"prompts": {"a": "dnb"}}), REGION, cover=True))
    player.play([TOTAL - RATE])
    assert (player.audio[:, :RATE] == plain[:, :RATE]).all()
    assert (player.audio[:, -RATE:] != plain[:, -RATE:]).any()


def test_a_live_pass_that_is_starved_over_a_hand_over_goes_on_in_the_region_of_the_playhead(session: Session) -> None:
    player = Player(session, song(session), live=True)
    player.play(cut(RATE, 480))
    player.block(8 * RATE)
    for _ in player.work():
        pass
    assert player.run.late
    rendered = np.isfinite(player.audio[0])
    assert not rendered[2 * RATE : 8 * RATE].any()
    assert rendered[9 * RATE : 9 * RATE + RATE // 4].all()


@pytest.mark.parametrize("rate", [44_100])
def test_a_song_at_another_rate_is_whole(session: Session, rate: int) -> None:
    audio = Player(session, song(session, rate), rate=rate).play([12 * rate])
    assert np.isfinite(audio[:, : 12 * rate]).all()


def test_text_goes_on_after_its_first_region(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courses, "TEXT_FRAMES", REGION)
    document = Document({"prompts": {"a": "techno"}, "clock": SHORT_CLOCK})
    made = score_of(Preparer(session), document, None)
    player = Player(session, made, longest=10 * RATE)
    audio = player.play([10 * RATE - 10 * FRAME])
    assert np.isfinite(audio[:, : 9 * RATE]).all()
    assert np.abs(audio[:, 5 * RATE : 6 * RATE]).max() > 0.01  # region 1 alone
    late = Player(session, made, start=10**6 * FRAME, longest=RATE)  # eleven hours on
    assert np.abs(late.play([RATE])).max() > 0.01


def test_a_song_from_text_does_not_begin_before_zero(session: Session) -> None:
    made = score_of(Preparer(session), Document({"prompts": {"a": "techno"}, "clock": SHORT_CLOCK}), None)
    player = Player(session, made, start=-RATE, longest=4 * RATE)
    player.play([RATE // 2])
    assert not player.runs
    player.play([RATE])
    assert player.runs[0].start == 0
