"""The look-ahead pass: what is heard later is rendered from input and lanes that are complete."""

import json
import struct
from collections.abc import Callable

import numpy as np
import pytest
from conftest import RATE, music
from hypothesis import given
from hypothesis import strategies as st
from peer import CHUNK, PASS, STOP, Peer
from rendering import DOCUMENT

from engine import Session, Stream
from sidecar.ahead import ahead_score_of
from sidecar.bounce import bounce
from sidecar.captured import Captured
from sidecar.ending import PASSES, Endings
from sidecar.frames import centre
from sidecar.look_ahead import LookAheadPass
from sidecar.parameters import TABLE
from sidecar.preparer import Preparer
from sidecar.progress import Progress
from sidecar.rendering import Rendering
from sidecar.source import canonical
from sidecar.spans import HELD_BACK, OVERLAP, TAIL, least_latency, span_course, span_length
from sidecar.takes import Takes
from sidecar.windows import Run, Windows

FRAME = 1_920
LATENCY = 3 * RATE
CLIP = music(5.0)
TOTAL = CLIP.shape[1]
DEFAULTS = {row.key: row.default for row in TABLE}
POINTS = [(60_001, "denoise", 1.0), (100_000, "prompt_blend", 1.0), (150_000, "seed_offset", 3.0)]


class Listener:
    """One look-ahead pass over the clip, fed block by block."""

    def __init__(self, session: Session, *, live: bool = False, text: bool = False, start: int = 0) -> None:
        course = span_course(start * 25 // RATE, LATENCY, RATE, None)
        captured = None if text else Captured(start)
        score = ahead_score_of(Preparer(session), DOCUMENT, course, None, captured)
        self.run = LookAheadPass(session, score, RATE, start, DEFAULTS, latency=LATENCY, live=live)
        self.position, self.start = start, start
        self.audio = np.full((2, TOTAL), np.nan, np.float32)
        self.wet_at: list[tuple[int, int]] = []  # end of a window, and the input position at which it was there

    def feed(self, blocks: list[int], points: list = POINTS, *, work: bool = True) -> np.ndarray:
        for samples in blocks:
            low, end = self.position, self.position + samples
            for position, key, value in points:
                if low <= position < end:
                    self.run.point(key, position, value)
            heard = CLIP[:, low:end] if low < TOTAL else np.zeros((2, 0), np.float32)
            self.run.hear(low, samples, heard)
            self.run.cover(end)
            self.position = end
            if work:
                self.work()
        return self.audio

    def work(self) -> None:
        while (step := self.run.advance()) not in (Progress.WAITING, Progress.DONE):
            if isinstance(step, Run):
                self.wet_at.append((step.start, self.position))
                room = self.audio[:, max(step.start, 0) : step.start + step.audio.shape[1]]
                room[:] = step.audio[:, : room.shape[1]]


def cut(total: int, pattern: list[int]) -> list[int]:
    """A length in blocks of a pattern of sizes."""
    sizes = []
    while sum(sizes) < total:
        sizes.append(min(pattern[len(sizes) % len(pattern)], total - sum(sizes)))
    return sizes


@pytest.fixture(scope="module")
def reference(session: Session) -> np.ndarray:
    return Listener(session).feed([TOTAL + LATENCY])


@given(st.integers(least_latency(RATE), 30 * RATE))
def test_the_first_window_is_complete_before_it_is_heard(session: Session, latency: int) -> None:
    course = span_course(0, latency, RATE, None)
    _, needed = Windows(session, 0, course.end, RATE).needs(0)
    last = next(index for index in range(9) if course.first_heard(index + 1) >= needed)
    assert course.region(last).end * FRAME + HELD_BACK <= latency


@given(st.integers(least_latency(RATE), 30 * RATE))
def test_every_window_is_complete_a_third_of_the_slack_before_it_is_heard(latency: int) -> None:
    course = span_course(0, latency, RATE, None)
    length = span_length(latency, RATE)
    frames = latency * 25 // RATE
    for index in range(4):
        first_window = max(index * length - TAIL, 0)
        assert course.region(index).end - first_window <= length + OVERLAP + TAIL
        assert frames - (length + OVERLAP + TAIL) >= max(frames - OVERLAP - TAIL, 0) // 3


def test_the_first_pass_is_wet_from_its_first_sample_and_to_its_end(reference: np.ndarray) -> None:
    assert np.isfinite(reference).all()
    assert np.abs(reference - CLIP).max() > 0.05


@pytest.mark.parametrize("blocks", [[512], [1, 4_799, 20_000], [48_000]])
def test_live_and_offline_are_the_same_whatever_the_blocks(
    session: Session, reference: np.ndarray, blocks: list[int]
) -> None:
    fed = (blocks * ((TOTAL + LATENCY) // sum(blocks) + 1))[: 10**6]
    listener = Listener(session, live=True)
    assert listener.feed(fed).tobytes() == reference.tobytes()
    assert not listener.run.late
    assert all(there - LATENCY <= start for start, there in listener.wet_at if max(blocks) == 512)


def test_the_future_beyond_the_margin_does_not_change_what_is_rendered(session: Session, reference: np.ndarray) -> None:
    listener = Listener(session)
    listener.feed([3 * RATE])
    reached = np.isfinite(listener.audio[0])
    assert reached[: 20 * FRAME].all()  # span 0 up to its last window
    assert not reached[20 * FRAME :].any()
    assert (listener.audio[:, reached] == reference[:, reached]).all()


def test_a_lane_has_its_value_at_each_frames_centre_in_every_generation(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    submit = Stream.submit
    monkeypatch.setattr(Stream, "submit", lambda stream, request: asked.append(request) or submit(stream, request))
    step = 2 * RATE + 700
    Listener(session).feed([TOTAL], [(step, "hint_strength", 0.25)])
    starts = [span_course(0, LATENCY, RATE, None).region(index).start for index in range(len(asked))]
    assert len(asked) > 2
    seen = 0
    for start, request in zip(starts, asked, strict=True):
        for frame, value in enumerate(np.broadcast_to(request.hint_strength, request.frames), start):
            assert value == (0.25 if centre(frame, RATE) >= step else 1.0)
            seen += value == 0.25
    assert seen


def test_a_step_is_heard_at_its_frame(session: Session) -> None:
    frame = 60
    still = Listener(session).feed([TOTAL + LATENCY], [])
    moved = Listener(session).feed([TOTAL + LATENCY], [(frame * FRAME, "velocity_scale", 0.0)])
    energy = ((moved - still) ** 2).reshape(2, -1, FRAME).mean(axis=(0, 2))
    assert energy[frame : frame + 10].mean() > 10 * energy[: frame - 10].max()


def test_text_needs_no_input(session: Session) -> None:
    audio = Listener(session, text=True).feed([TOTAL + LATENCY])
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() > 0.01


def test_a_pass_that_lags_skips_what_is_past_says_so_and_goes_on(session: Session) -> None:
    listener = Listener(session, live=True)
    listener.feed([TOTAL + RATE], work=False)
    listener.work()
    assert listener.run.late
    there = np.isfinite(listener.audio[0])
    assert not there[: 2 * RATE].any()
    assert there[4 * RATE : 4 * RATE + RATE // 4].all()


@pytest.mark.parametrize(("blocks", "live"), [([TOTAL], False), ([512], True), ([4_799, 20_000], True)])
def test_a_pass_that_ends_is_rendered_to_its_last_sample_as_if_silence_followed(
    session: Session, reference: np.ndarray, blocks: list[int], live: bool
) -> None:
    listener = Listener(session, live=live)
    listener.feed(cut(TOTAL, blocks))
    assert not np.isfinite(listener.audio[:, -FRAME:]).any()
    assert listener.run.end()
    listener.work()
    assert listener.audio.tobytes() == reference.tobytes()
    assert not listener.run.late
    assert max(start for start, _ in listener.wet_at) < TOTAL + 12 * FRAME, "more was rendered than is heard"


def test_a_pass_that_nothing_came_into_or_that_is_rendered_has_no_end_to_give(session: Session) -> None:
    assert not Listener(session).run.end()
    listener = Listener(session)
    listener.feed([TOTAL])
    assert listener.run.end()
    listener.work()
    assert not listener.run.end()


def test_an_end_that_comes_too_late_to_be_heard_is_skipped_live(session: Session) -> None:
    listener = Listener(session, live=True)
    listener.feed([TOTAL])
    rendered = len(listener.wet_at)
    assert listener.run.end()
    listener.run.elapse(2 * LATENCY)
    listener.work()
    assert len(listener.wet_at) == rendered
    assert listener.run.late


def test_input_that_is_no_longer_captured_is_silence_and_holds_nothing_up(session: Session) -> None:
    def heard(sizes: list[int], captured: int) -> np.ndarray:
        listener = Listener(session)
        for size in sizes:
            low, end = listener.position, listener.position + size
            count = min(end, captured) - low
            if count > 0:
                listener.run.hear(low, count, CLIP[:, low : low + count])
            listener.run.cover(end)
            listener.position = end
            listener.work()
        return listener.audio

    whole = heard([TOTAL + LATENCY], 70_001)
    assert np.isfinite(whole).all()
    assert whole.tobytes() == heard(cut(TOTAL + LATENCY, [777]), 70_001).tobytes()


def test_a_headless_bounce_with_look_ahead_transforms_the_track_to_its_end(session: Session) -> None:
    document = DOCUMENT.patch({"look_ahead": 3.0})
    out, report = bounce(session, CLIP, RATE, document)
    again, _ = bounce(session, CLIP, RATE, document)
    assert (report.start, report.wet) == (0, True)
    assert out.tobytes() == again.tobytes()
    assert np.abs(out - CLIP)[:, -RATE:].max() > 0.05


def test_silence_and_lost_input_are_silence() -> None:
    captured = Captured(-100)
    captured.write(-100, 100, np.ones((2, 100), np.float32))
    captured.write(0, 50, None)
    captured.write(50, 50, np.full((2, 50), np.nan, np.float32))
    captured.write(0, 60, np.ones((2, 60), np.float32))  # what was heard stays
    heard = captured.over(-200, 200)
    assert heard[0, 100:200].all()
    assert not heard[:, :100].any()
    assert not heard[:, 200:].any()
    captured.forget(-50)
    assert captured.over(-60, -40)[0].tolist() == [0.0] * 10 + [1.0] * 10
    assert captured.end == 100


def test_the_first_bounce_through_the_plugins_messages_is_wet_and_is_still_learned(
    session: Session, connect: Callable[..., Peer]
) -> None:
    peer = connect()
    document = b'{"look_ahead": 3.0, "clock": {"tick_frames": 2, "depth": 1, "steps": 3, "lead_frames": 10}}'
    assert peer.state(document)["t"] == "applied"
    peer.automation([(PASS, 0, 1, 0, float(LATENCY), 0, 1)])
    peer.capture(1, 0, CLIP)
    peer.block(1, 0, TOTAL)
    assert peer.wait("pass", lambda m: m["pass"] == 1)[0]["wet"]
    wet = peer.rendered(1, 0, RATE)
    assert np.abs(wet - CLIP[:, :RATE]).max() > 0.05
    peer.automation([(STOP, 0, 1, TOTAL, 0.0, 0, 0)])
    _, frames = peer.wait("document", lambda m: m["attachments"])
    assert json.loads(frames[0])["learned"]["samples"] == TOTAL


def test_of_passes_that_are_over_as_many_are_kept_as_a_plugin_hears(session: Session) -> None:
    endings, score = Endings(), Listener(session, text=True).run.score
    for number in range(1, PASSES + 50):
        endings.keep(number, LATENCY)
        run = LookAheadPass(session, score, RATE, 0, DEFAULTS, latency=LATENCY)
        run.cover(1)
        assert endings.take(Rendering(run, number, RATE))
    assert endings.numbers == list(range(50, PASSES + 50))
    endings.keep(PASSES + 50, 2 * LATENCY)
    assert endings.first is None


def play(peer: Peer, number: int, samples: int, reason: int = 0) -> None:
    """A pass over the start of the clip, in one block."""
    peer.automation([(PASS, 0, number, 0, float(LATENCY), reason, 1)])
    peer.capture(number, 0, CLIP[:, :samples])
    peer.block(number, 0, samples)


def published(peer: Peer, number: int) -> dict[int, bytes]:
    """The chunks of a pass so far, in the order in which they came."""
    messages = [(message, frames) for message, frames in peer.seen if message["t"] == "publish"]
    of_pass = [struct.iter_unpack("<qII", frames[0]) for message, frames in messages if message["pass"] == number]
    return {chunk: peer.file.slot(slot)[1].tobytes() for rows in of_pass for chunk, slot, _ in rows}


def test_what_a_stop_leaves_is_published_to_the_last_sample(session: Session, connect: Callable[..., Peer]) -> None:
    peer = connect()
    assert peer.state(DOCUMENT.patch({"look_ahead": 3.0}).to_json())["t"] == "applied"
    play(peer, 1, TOTAL)
    peer.automation([(STOP, 0, 1, TOTAL, 0.0, 0, 0)])
    heard = peer.rendered(1, 0, TOTAL)
    assert heard.tobytes() == Listener(session).feed([TOTAL + LATENCY], []).tobytes()


def test_every_round_of_a_loop_that_is_shorter_than_the_look_ahead_is_published_whole_and_in_order(
    connect: Callable[..., Peer],
) -> None:
    peer = connect()
    assert peer.state(DOCUMENT.patch({"look_ahead": 3.0}).to_json())["t"] == "applied"
    round_, rounds = 61_440, 3  # thirty chunks, and one of which the next sample is
    for number in range(1, rounds + 1):
        play(peer, number, round_, reason=2 if number > 1 else 0)
    peer.automation([(STOP, 0, rounds, round_, 0.0, 0, 0)])
    peer.rendered(rounds, 0, round_ + CHUNK)
    order = [message["pass"] for message, _ in peer.seen if message["t"] == "publish"]
    assert order == sorted(order)
    first, *others = [published(peer, number) for number in range(1, rounds + 1)]
    assert list(first) == list(range(round_ // CHUNK + 1))
    assert all(other == first for other in others)


def test_a_pass_that_the_host_forgot_is_not_rendered_any_further(connect: Callable[..., Peer]) -> None:
    peer = connect()
    assert peer.state(DOCUMENT.patch({"look_ahead": 3.0}).to_json())["t"] == "applied"
    play(peer, 1, TOTAL)
    complete = 80 * FRAME // CHUNK * CHUNK  # all windows whose spans are complete
    peer.rendered(1, 0, complete)
    peer.automation([(STOP, 0, 1, TOTAL, 0.0, 1, 0)])
    play(peer, 2, TOTAL)
    peer.rendered(2, 0, complete)  # what a pass leaves is rendered before the next pass
    assert max(published(peer, 1)) == complete // CHUNK - 1


def filed(session: Session, first: int = 0, samples: int = TOTAL) -> Listener:
    """A pass of source mode File, whose file is the clip's samples from `first` on at their place."""
    source = canonical(CLIP[:, first : first + samples], first, RATE)
    assert source is not None
    course = span_course(0, LATENCY, RATE, source.region)
    score = ahead_score_of(Preparer(session), DOCUMENT, course, source, None)
    listener = Listener(session)
    listener.run = LookAheadPass(session, score, RATE, 0, DEFAULTS, latency=LATENCY)
    return listener


def stopped(listener: Listener, blocks: list[int], points: list = POINTS) -> np.ndarray:
    """What is heard of a pass over the clip, up to its stop."""
    listener.feed(cut(TOTAL, blocks), points)
    listener.run.end()
    listener.work()
    return listener.audio


def test_a_file_is_heard_where_a_track_of_the_same_audio_is(session: Session, reference: np.ndarray) -> None:
    heard = stopped(filed(session), [512])
    assert np.isfinite(heard).all()
    inside = slice(0, 115 * FRAME)  # the last window of a file is decoded without what would follow
    # the file has 24 bits; a shift by one sample would be thousands of times as much
    assert np.abs(heard - reference)[:, inside].max() < 1e-5
    assert np.abs(heard[:, 1:] - reference[:, :-1])[:, inside].max() > 1e-2


def test_a_file_that_lies_within_the_track_is_heard_there_alone(session: Session) -> None:
    first, last = 50 * FRAME, 100 * FRAME
    heard = stopped(filed(session, first, last - first), [TOTAL])
    assert np.isfinite(heard[:, first:last]).all()
    assert np.isnan(heard[:, :first]).all()
    assert np.isnan(heard[:, last:]).all()
    assert heard.tobytes() == stopped(filed(session, first, last - first), [777]).tobytes()


def test_a_take_is_heard_sample_for_sample_where_its_lane_chooses_it(session: Session, reference: np.ndarray) -> None:
    first, last = 20 * FRAME, 70 * FRAME
    kept = canonical(0.5 * CLIP[:, first:last] + np.float32(0.25), first, RATE)
    assert kept is not None
    points = sorted([*POINTS, (30 * FRAME, "take", 1.0), (60 * FRAME, "take", 0.0)])

    def heard(blocks: list[int]) -> np.ndarray:
        listener = Listener(session)
        listener.run.play(Takes({1: kept}))
        return stopped(listener, blocks, points)

    whole = heard([TOTAL])
    assert whole.tobytes() == heard([512, 20_000]).tobytes()
    inside = slice(30 * FRAME + RATE // 100, 60 * FRAME)  # it crosses in at the lane's frame: nothing lags
    assert whole[:, inside].tobytes() == kept.audio[:, inside.start - first : inside.stop - first].tobytes()
    for live in (slice(0, 30 * FRAME), slice(60 * FRAME + RATE // 100, TOTAL)):
        assert whole[:, live].tobytes() == reference[:, live].tobytes()
