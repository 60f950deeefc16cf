"""The scene that an editor watches: what was rendered, from what, and from which lanes."""

from collections.abc import Callable

import msgpack
import numpy as np
import pytest
from conftest import RATE, music
from hypothesis import given
from hypothesis import strategies as st
from peer import POINT, STOP, Peer
from visit import CLIP, DENOISE, STATE, VALUES, learned

from engine import Session
from sidecar.coverage import PAGE, Coverage, source_peaks
from sidecar.frames import first_sample
from sidecar.parameters import TABLE
from sidecar.region import TEXT_FRAMES, Region
from sidecar.scene import SHOWN_FRAMES, Scenes, View, shown
from sidecar.source import canonical
from sidecar.windows import Run

Connect = Callable[..., Peer]


def window(frame: int, rate: int, generation: int, level: float = 0.5) -> Run:
    start, end = first_sample(frame, rate), first_sample(frame + 10, rate)
    audio = np.full((2, end - start), -level / 2, np.float32)
    audio[0, first_sample(frame + 3, rate) - start] = level
    return Run(start, audio, generation, 0)


@pytest.mark.parametrize("rate", [44_100, 48_000])
@given(first=st.integers(-30, 300).map(lambda n: 10 * n))
def test_coverage_tells_how_old_each_frame_is_and_how_loud(rate: int, first: int) -> None:
    coverage = Coverage(rate)
    coverage.add(window(first, rate, 1))
    coverage.add(window(first + 10, rate, 300))
    region = Region(first - 10, 40)
    assert coverage.freshness(region).tolist() == [0] * 10 + [1] * 10 + [255] * 10 + [0] * 10
    peaks = coverage.peaks(region)
    assert peaks[13].tolist() == [-32, 64]
    assert peaks[12].tolist() == [-32, -32]
    assert not peaks[:10].any()


def test_coverage_of_frames_on_several_pages_is_one() -> None:
    coverage = Coverage(RATE)
    for frame in range(PAGE - 20, PAGE + 20, 10):
        coverage.add(window(frame, RATE, 1))
    assert np.flatnonzero(coverage.freshness(Region(0, 2 * PAGE))).tolist() == list(range(PAGE - 20, PAGE + 20))


def test_the_peaks_of_a_source_are_those_of_its_samples() -> None:
    audio = music(1.03, 44_100)
    source = canonical(audio, 5_000, 44_100)
    assert source is not None
    region = Region(-10, 60)
    peaks = source_peaks(source, region)
    for at, frame in enumerate(range(region.start, region.end)):
        low, high = (max(first_sample(f, 44_100) - source.first, 0) for f in (frame, frame + 1))
        heard = source.audio[:, low:high]
        wanted = [round(float(heard.min()) * 127), round(float(heard.max()) * 127)] if heard.size else [0, 0]
        assert peaks[at].tolist() == wanted


def test_a_song_without_an_end_is_shown_a_minute_at_a_time() -> None:
    assert shown(-20, 500, 3) == Region(-20, 520)
    assert shown(0, 2**31, 4_000) == Region(3_000, SHOWN_FRAMES)
    assert shown(0, 2**31, -9) == Region(0, SHOWN_FRAMES)


def view(**curves: float) -> View:
    return View(Region(0, 50), 3, 2, 0, 0, None, None, curves, None, [])


def test_lanes_are_shown_where_they_are_not_at_their_default_and_moving_ones_first(session: Session) -> None:
    seen: list[list[bytes]] = []
    scenes = Scenes(session)
    scenes.watched(seen.append)
    moving = np.linspace(0.0, 1.0, 50, dtype=np.float32)
    scenes.send(view(denoise=0.5, guidance=TABLE["guidance"].default, hint_strength=moving))
    assert msgpack.unpackb(seen[0][0])["lanes"] == ["hint_strength", "denoise"]
    lanes = np.frombuffer(seen[0][2], "<f4").reshape(2, 50)
    assert lanes[0].tobytes() == moving.tobytes()
    assert (lanes[1] == 0.5).all()


def test_what_looks_the_same_is_not_shown_again_but_to_who_is_new(session: Session) -> None:
    seen: list[list[bytes]] = []
    scenes = Scenes(session)
    scenes.changed()
    assert scenes.wait is None  # nobody watches
    scenes.watched(seen.append)
    assert scenes.wait == 0.0
    scenes.send(view(denoise=0.5))
    assert scenes.wait is None
    scenes.changed()
    scenes.send(view(denoise=0.5))
    assert len(seen) == 1
    scenes.send(view(denoise=0.25))
    scenes.watched(seen.append)
    scenes.send(view(denoise=0.25))
    assert len(seen) == 3


def test_an_editor_sees_the_pass_that_it_watches(connect: Connect) -> None:
    peer = connect()
    learned(peer)
    peer.send("watch", id=peer.next_id(), instance=peer.instance, on=True)
    head, frames = peer.wait("scene", lambda m: m["frames"] == 50)
    assert not any(frames[0])
    assert any(frames[2])
    peer.begin(2, 0, VALUES)
    peer.block(2, 0, CLIP.shape[1], [(POINT, DENOISE, 30_000, 0.25)])
    peer.rendered(2, 0, CLIP.shape[1])
    head, frames = peer.wait("scene", lambda m: m["generation"] > 0 and m["playhead"] == 50 and m["lag"] == 0)
    assert (head["tick_frames"], head["late"], head["missing"]) == (2, 0, [])
    assert head["lanes"] == ["denoise"]
    denoise = np.frombuffer(frames[1], "<f4")
    assert (denoise[:15] == 0.75).all()
    assert (denoise[16:] == 0.25).all()
    assert all(frames[0])
    assert frames[0][-1] == 255 > frames[0][0]
    assert any(frames[3])
    peer.send("watch", id=peer.next_id(), instance=peer.instance, on=False)
    peer.automation([(STOP, 0, 2, CLIP.shape[1], 0.0, 0, 0)])
    assert peer.state(b"{}")["t"] == "applied"
    peer.seen.clear()
    peer.begin(3, 0, VALUES)
    peer.block(3, 0, CLIP.shape[1])
    peer.rendered(3, 0, CLIP.shape[1])
    assert not [message for message, _ in peer.seen if message["t"] == "scene"]


def test_an_editor_sees_how_much_of_a_track_was_heard_while_it_is_learned(connect: Connect) -> None:
    peer = connect()
    assert peer.state(STATE)["t"] == "applied"
    peer.send("watch", id=peer.next_id(), instance=peer.instance, on=True)
    peer.begin(1, 0, VALUES)
    for at, frames in ((0, 10), (19_200, 20)):
        peer.block(1, at, 19_200)
        peer.capture(1, at, CLIP[:, at : at + 19_200])
        peer.wait("scene", lambda m, frames=frames: m["learning"] == frames)
    peer.automation([(STOP, 0, 1, 38_400, 0.0, 0, 0)])
    peer.wait("scene", lambda m: m["learning"] == 0 and m["frames"] != TEXT_FRAMES)
