"""The moving region: plans, slices, seams, and a song that does not depend on how it was played."""

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import engine
from engine.request.condition import Condition
from engine.song.crossfade import composite
from engine.song.generate import generate_song
from engine.song.playhead import needed
from engine.song.regions import EndlessPlan, Plan, bar_frames, endless, plan
from engine.song.slices import CURVES, LATENTS, UNCHANGED, slice_request
from engine.song.stream import SongStream

SONG = 190
SHAPE = {"region": 60, "overlap": 20}
QUICK = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def plans(draw: st.DrawFn) -> tuple[Plan, int, int, float | None]:
    region = 10 * draw(st.integers(3, 40))
    overlap = 10 * draw(st.integers(0, region // 20))
    room = region - 2 * overlap - 20
    bar = draw(st.none() | st.floats(1.0, room)) if room >= 1 else None
    song = 2 * draw(st.integers(15, 1500))
    return plan(song, region, overlap, bar), region, overlap, bar


@given(plans())
def test_a_plan_covers_every_frame_once_and_crosses_where_it_was_asked_to(
    made: tuple[Plan, int, int, float | None],
):
    whole, region, overlap, bar = made
    heard = np.zeros(whole.frames)
    for index, part in enumerate(whole.regions):
        span = whole.heard(index)
        assert part.frames == min(region, whole.frames)
        assert part.first >= 0
        assert part.end <= whole.frames
        assert part.first % 2 == 0
        assert part.first % 10 == 0 or (part is whole.regions[-1] and whole.frames % 10)
        assert part.first <= span.start
        assert span.stop <= part.end
        heard[span.start : part.handover] += 0.5
        heard[part.handover : span.stop] += 1.0
    for before, after in zip(whole.regions, whole.regions[1:], strict=False):
        assert after.handover - after.fade == overlap
        assert after.fade >= before.handover
        heard[after.fade : after.handover] -= 0.5
        if bar is None:
            assert after.handover == before.end
            assert after is whole.regions[-1] or after.first == before.end - overlap
        else:
            assert abs(after.handover / bar - round(after.handover / bar)) * bar <= 0.5 + 1e-6
            assert before.end - after.handover <= bar + 0.5
    np.testing.assert_array_equal(heard, 1.0)


@given(plans(), st.data())
def test_the_regions_between_two_frames_are_those_heard_there(
    made: tuple[Plan, int, int, float | None], data: st.DataObject
):
    whole = made[0]
    first = data.draw(st.integers(0, whole.frames - 1))
    last = data.draw(st.integers(first + 1, whole.frames))
    expected = [i for i in range(len(whole.regions)) if set(whole.heard(i)) & set(range(first, last))]
    assert list(whole.between(first, last)) == expected


def test_a_song_of_a_region_or_less_is_one_region_of_its_own_length():
    assert [(r.first, r.frames) for r in plan(60, 60, 20).regions] == [(0, 60)]
    assert [(r.first, r.frames) for r in plan(34, 60, 20).regions] == [(0, 34)]
    assert [(r.first, r.frames) for r in plan(62, 60, 20).regions] == [(0, 60), (2, 60)]


def test_bars_move_the_handover_and_not_the_grid():
    bar = bar_frames(128)
    assert bar == 46.875
    made = plan(600, 250, 20, bar)
    assert [r.handover for r in made.regions] == [0, 234, 422]
    assert [r.first for r in made.regions] == [0, 210, 350]


@given(st.floats(-1e4, 1e4))
def test_any_bar_line_may_be_the_one_that_is_known(first_bar: float):
    bar = bar_frames(133)
    made = plan(1000, 250, 20, bar, first_bar)
    for before, after in zip(made.regions, made.regions[1:], strict=False):
        bars = (after.handover - first_bar) / bar
        assert abs(bars - round(bars)) * bar <= 0.5 + 1e-6
        assert before.end - bar - 0.5 <= after.handover <= before.end


@st.composite
def endless_plans(draw: st.DrawFn) -> EndlessPlan:
    region = 10 * draw(st.integers(4, 40))
    overlap = 10 * draw(st.integers(0, region // 20))
    room = region - 2 * overlap - 20
    bar = draw(st.none() | st.floats(1.0, room)) if room >= 1 else None
    return endless(region, overlap, bar, draw(st.floats(0, 1e4)))


@given(endless_plans(), st.integers(0, 10**9), st.integers(1, 900))
def test_a_song_without_an_end_is_covered_wherever_it_is_looked_at(made: EndlessPlan, first: int, frames: int):
    indices = made.between(first, first + frames)
    assert made.region(indices[0]).handover <= first
    assert made.region(indices[-1]).fade < first + frames <= made.region(indices[-1] + 1).fade
    assert made.region(indices[0] + 1).handover > first
    for index in indices:
        region, after = made.region(index), made.region(index + 1)
        assert (region.first % 10, region.frames) == (0, made.length)
        assert region.first <= region.fade <= region.handover <= after.fade <= after.handover <= region.end
        assert made.heard(index) == range(region.fade, after.handover)


def test_a_song_without_an_end_begins_as_one_that_has_one():
    one, other = endless(400), plan(15_000, 400)
    assert [one.region(i) for i in range(len(other.regions) - 1)] == list(other.regions[:-1])


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((61, 60, 20), "frames"),
        ((600, 65, 20), "region"),
        ((600, 20, 0), "region"),
        ((600, 60, 25), "overlap"),
        ((600, 60, 40), "overlap"),
        ((600, 60, 20, 30.0), "bar"),
        ((600, 60, 20, float("nan")), "bar"),
    ],
)
def test_a_plan_refuses_what_it_cannot_lay_out(arguments: tuple[int, int, int, float], field: str):
    with pytest.raises(engine.RequestError) as caught:
        plan(*arguments)
    assert caught.value.field == field
    with pytest.raises(engine.RequestError, match="tempo"):
        bar_frames(0.0)


def test_a_loop_needs_what_comes_after_its_end():
    made = plan(600, 60, 20)
    assert needed(made, 0, 60) == (0, 1)
    assert needed(made, 200, 100) == (4, 5, 6, 7)
    assert needed(made, 200, 100, (10, 220)) == (4, 5, 0, 1, 2)
    assert needed(made, 300, 60, (10, 220)) == needed(made, 300, 60)
    assert needed(made, 0, 6000, (0, 100)) == (0, 1, 2)
    for bad in ((5, 5), (-1, 9), (0, 601)):
        with pytest.raises(engine.RequestError, match="loop"):
            needed(made, 0, 10, bad)


@pytest.fixture(scope="module")
def song_source(session: engine.Session, audio: np.ndarray) -> engine.Source:
    return session.prepare_source(np.tile(audio, 7)[:, : SONG * 1920])


@pytest.fixture(scope="module")
def song(prompt: engine.Conditioning, prompt_b: engine.Conditioning, song_source: engine.Source) -> engine.Request:
    """Every kind of field that a slice has to cut."""
    rng = np.random.default_rng(2)
    rise = np.linspace(0.0, 1.0, SONG, dtype=np.float32)
    return engine.Request(
        conditioning=prompt,
        conditioning_b=prompt_b,
        prompt_blend=np.array([0.0, 1.0, 0.25]),
        source=song_source,
        frames=SONG,
        seed=7,
        steps=2,
        denoise=0.8,
        velocity_scale=0.8 + 0.4 * rise,
        sde_denoise=rise,
        mask=np.where(np.arange(SONG) % 50 < 45, 1.0, 0.0),
        mask_strength=[1.0, 0.5],
        channel_gain=(1.0 + 0.1 * rng.standard_normal((SONG, 64))).astype(np.float32),
        x0_target=song_source.hints,
        x0_strength=0.2 * rise,
        dcw=engine.Dcw(scaler=0.05 * rise),
        control_version=3,
        tag=9,
    )


def test_every_field_of_a_request_is_cut_or_known_to_need_no_cut():
    by_hand = {"frames", "noise_start", "source", "conditions", "negative", "channel_gain", "dcw"}
    kinds = [CURVES, LATENTS, UNCHANGED, by_hand]
    assert sum(len(kind) for kind in kinds) == len(frozenset().union(*kinds))
    assert frozenset().union(*kinds) == {field.name for field in fields(engine.Request)}


def test_a_slice_holds_the_songs_values_at_its_frames(song: engine.Request, prompt_b: engine.Conditioning):
    further = (Condition(conditioning=prompt_b, weight=np.arange(SONG, dtype=np.float32)),)
    part = slice_request(
        replace(song, conditions=further, negative=further, hints=song.x0_target, noise_start=4), 40, 60
    )
    assert (part.frames, part.noise_start, part.seed, part.mask_strength) == (60, 44, 7, [1.0, 0.5])
    assert part.source is not None
    assert song.source is not None
    for cut, full in (
        (part.source.latent, song.source.latent),
        (part.source.hints, song.source.hints),
        (part.hints, song.x0_target),
        (part.x0_target, song.x0_target),
        (part.channel_gain, song.channel_gain),
        (part.velocity_scale, song.velocity_scale),
        (part.mask, np.float32(song.mask)),
        (part.conditions[0].weight, further[0].weight),
        (part.negative[0].weight, further[0].weight),  # type: ignore[index]
        (part.dcw.scaler, song.dcw.scaler),  # type: ignore[union-attr]
        (part.prompt_blend, np.interp(np.linspace(0, 2, SONG), [0, 1, 2], [0.0, 1.0, 0.25]).astype(np.float32)),
    ):
        np.testing.assert_array_equal(cut, np.asarray(full)[40:100])  # type: ignore[arg-type]
    assert part.dcw.high_scaler == song.dcw.high_scaler  # type: ignore[union-attr]
    assert slice_request(song, 0, SONG) is song
    for first, frames in ((-2, 60), (140, 60), (0, 0)):
        with pytest.raises(engine.RequestError):
            slice_request(song, first, frames)


@given(plans(), st.data())
def test_a_composite_is_exact_outside_the_seams_and_rises_in_equal_parts_inside(
    made: tuple[Plan, int, int, float | None], data: st.DataObject
):
    whole, _, overlap, _ = made
    rng = np.random.default_rng(1)
    latents = {i: rng.standard_normal((r.frames, 64)).astype(np.float32) for i, r in enumerate(whole.regions)}
    full = composite(whole, latents, 0, whole.frames)
    assert full is not None
    for i, region in enumerate(whole.regions):
        alone = slice(
            region.handover, whole.heard(i).stop if i + 1 == len(whole.regions) else whole.regions[i + 1].fade
        )
        assert full[alone].tobytes() == latents[i][alone.start - region.first : alone.stop - region.first].tobytes()
        if i and overlap:
            before = whole.regions[i - 1]
            seam = slice(region.fade, region.handover)
            a = latents[i - 1][seam.start - before.first : seam.stop - before.first].astype(np.float64)
            b = latents[i][seam.start - region.first : seam.stop - region.first].astype(np.float64)
            w = (np.arange(1, overlap + 1) / (overlap + 1))[:, None]
            np.testing.assert_allclose(full[seam], (1 - w) * a + w * b, atol=1e-5)
    first = data.draw(st.integers(0, whole.frames - 1))
    frames = data.draw(st.integers(1, whole.frames - first))
    part = composite(whole, latents, first, frames)
    assert part is not None
    assert part.tobytes() == full[first : first + frames].tobytes()
    heard = data.draw(st.sampled_from(list(whole.between(first, first + frames))))
    del latents[heard]
    assert composite(whole, latents, first, frames) is None


def test_regions_that_agree_are_not_changed_by_their_seam():
    whole = plan(SONG, **SHAPE)
    same = np.random.default_rng(0).standard_normal((SONG, 64)).astype(np.float32)
    latents = {i: same[r.first : r.end] for i, r in enumerate(whole.regions)}
    joined = composite(whole, latents, 0, SONG)
    assert joined is not None
    assert joined.tobytes() == same.tobytes()


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
