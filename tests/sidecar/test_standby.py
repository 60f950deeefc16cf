"""The standby: what is rendered while the transport stands is what play would have rendered, or is thrown away."""

import json
import threading
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from conftest import RATE, SHORT_CLOCK
from peer import BLOCK, CHUNK, PASS, POINT, STOP, Peer
from rendering import Player, cut, score
from visit import CLIP, DENOISE, VALUES, bounced, learned

from engine import Session
from sidecar.passes import Pass
from sidecar.progress import Progress
from sidecar.standby import LAST_NUMBER

PLACE = 9
TOTAL = CLIP.shape[1]
WINDOW = RATE * 10 // 25

Connect = Callable[..., Peer]


def stand(peer: Peer, song: int = 0) -> None:
    peer.automation([(PLACE, 0, 0, song, 0.0, 0, 0)])


def stood_by(peer: Peer, below: int = LAST_NUMBER + 1) -> int:
    """Wait for the start of a standby whose number is lower than `below`; that number."""

    def newest(message: dict) -> bool:
        return LAST_NUMBER // 2 < message["pass"] < below

    return peer.wait("publish", newest)[0]["pass"]


def played(
    peer: Peer, number: int, shown: int, values: dict[int, float], start: int = 0, point: tuple = ()
) -> np.ndarray:
    """A live pass to the clip's end that never lags: each block waits for what the one before made due."""
    opening = [(PASS, 0, number, start, 0.0, 0, 0)]
    opening += [(POINT, key, number, start, value, 0, 0) for key, value in values.items()]
    opening += [(POINT, key, number, song, value, 0, 0) for key, song, value in filter(None, [point])]
    edges = [start, start + 512, *range((start // WINDOW + 1) * WINDOW, TOTAL + 1, WINDOW)]
    for low, high in pairwise(edges):
        peer.automation([*opening, (BLOCK, 0, number, low, 0.0, high - low, 0)])
        opening = []
        due = min(high // WINDOW * WINDOW + 2 * WINDOW, TOTAL)
        peer.rendered(shown, start, due if due == TOTAL else due // CHUNK * CHUNK)
    assert peer.wait("pass", lambda m: m["pass"] == number)[0]["wet"]
    return peer.rendered(shown, start, TOTAL)


def stop(peer: Peer, number: int) -> None:
    peer.automation([(STOP, 0, number, TOTAL, 0.0, 0, 0)])


@pytest.fixture
def ready(connect: Connect) -> tuple[Peer, np.ndarray, int]:
    """A plugin that learned, bounced once and stands at 0; the bounce, and the number of its standby."""
    peer = connect()
    learned(peer)
    heard = bounced(peer, 2)
    stop(peer, 2)
    stand(peer)
    return peer, heard, stood_by(peer)


@pytest.mark.parametrize("start", [0, 1_919, 1_920, 48_100])
def test_a_pass_that_stood_by_renders_what_one_that_is_opened_at_play_renders(session: Session, start: int) -> None:
    points = [(start, "denoise", 0.75), (start + 5_000, "denoise", 0.2), (start + 9_000, "freeze", 1.0)]
    fresh = Player(session, score(session), points, start=start).play(cut(TOTAL - start, 512))
    standby = Player(session, score(session), points[1:], start=start, live=True)
    standby.run.cover(start + 1)
    units = len(list(standby.work()))
    assert units > len(standby.runs) > 0
    assert standby.play(cut(TOTAL - start, 512)).tobytes() == fresh.tobytes()


def test_play_where_the_transport_stood_is_the_bounce_from_its_first_sample(ready: tuple) -> None:
    peer, heard, number = ready
    peer.rendered(number, 0, 2 * WINDOW // CHUNK * CHUNK)
    assert peer.wait("pass", lambda m: m["pass"] == 0)[0]["wet"]
    assert played(peer, 3, number, VALUES).tobytes() == heard.tobytes()


def test_a_bounce_never_takes_what_stood_by(ready: tuple) -> None:
    peer, heard, _ = ready
    assert bounced(peer, 3).tobytes() == heard.tobytes()


def test_play_with_another_value_renders_anew(ready: tuple) -> None:
    peer, heard, _ = ready
    other = {**VALUES, DENOISE: 0.25}
    wet = played(peer, 3, 3, other)
    stop(peer, 3)
    assert wet.tobytes() != heard.tobytes()
    assert bounced(peer, 4, points=((DENOISE, 0, 0.25),)).tobytes() == wet.tobytes()


def test_play_with_a_point_right_after_the_start_goes_on_from_what_stood_by(ready: tuple) -> None:
    peer, heard, number = ready
    point = (DENOISE, 300, 0.25)
    wet = played(peer, 3, number, VALUES, point=point)
    stop(peer, 3)
    assert wet.tobytes() != heard.tobytes()
    assert bounced(peer, 4, points=(point,)).tobytes() == wet.tobytes()


def test_play_with_a_last_point_at_the_start_that_differs_renders_anew(ready: tuple) -> None:
    peer, _, _ = ready
    played(peer, 3, 3, VALUES, point=(DENOISE, 0, 0.25))


def test_play_elsewhere_renders_anew(ready: tuple) -> None:
    peer, _, number = ready
    played(peer, 3, 3, VALUES, start=WINDOW)
    assert all(shown != number for chunk, (shown, _, _) in peer.chunks.items() if chunk > 2 * WINDOW // CHUNK)


@pytest.mark.parametrize("change", ["value", "document", "position"])
def test_a_change_replaces_the_standby(ready: tuple, change: str) -> None:
    peer, heard, number = ready
    values, start = VALUES, 0
    match change:
        case "value":
            values = {**VALUES, DENOISE: 0.25}
            peer.automation([(POINT, DENOISE, 0, 0, 0.25, 0, 0)])
        case "document":
            assert peer.state(json.dumps({"seed": 99, "clock": SHORT_CLOCK}).encode())["t"] == "applied"
        case _:
            start = WINDOW
            stand(peer, start)
    second = stood_by(peer, below=number)
    wet = played(peer, 3, second, values, start)
    stop(peer, 3)
    again = bounced(peer, 4, points=((DENOISE, 0, values[DENOISE]),))
    if start == 0:
        assert wet.tobytes() == again.tobytes() != heard.tobytes()
    else:
        assert again.tobytes() == heard.tobytes()


def test_a_running_pass_waits_for_one_unit_of_a_standby_at_most(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, stander = connect(), connect()
    learned(runner)
    learned(stander)
    units: list[Pass] = []
    begun, go_on, advance = threading.Event(), threading.Event(), Pass.advance

    def recorded(run: Pass) -> object:
        if not begun.is_set():
            begun.set()
            go_on.wait(60)
        step = advance(run)
        if step not in {Progress.WAITING, Progress.DONE}:
            units.append(run)
        return step

    monkeypatch.setattr(Pass, "advance", recorded)
    stand(stander)
    assert begun.wait(60)
    runner.begin(2, 0, VALUES)
    runner.block(2, 0, TOTAL)
    runner.send("ping", time=7)  # answered once what was sent before is on its way to the engine
    runner.wait("pong", lambda m: m["time"] == 7)
    go_on.set()
    runner.rendered(2, 0, TOTAL)
    stood_by(stander)
    standby = units[0]
    ran = [place for place, run in enumerate(units) if run is not standby]
    assert ran == list(range(1, 1 + len(ran)))
    assert len(ran) > len(units) - len(ran) > 1
