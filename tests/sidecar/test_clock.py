"""The clock that a document leaves to the machine: chosen by the first live pass, kept, and the same in a bounce."""

import json
from collections.abc import Callable

import pytest
from conftest import RATE, Running, music
from peer import BLOCK, PASS, POINT, Peer
from test_standby import played, stand, stood_by, stop
from visit import DENOISE, VALUES, bounced, learned

from sidecar import pace
from sidecar.client import Client

MOVE = (DENOISE, 300, 0.25)  # without one, every generation is the same, whatever the tick
FREE = {"prompts": {"a": "techno, kick"}, "seed": 3, "clock": {"steps": 3}}

Connect = Callable[..., Peer]


def ready(connect: Connect, document: dict | None = None) -> Peer:
    """A plugin that learned, with a clock that is not chosen yet."""
    peer = connect()
    _, (text, _) = learned(peer, state=json.dumps(document or FREE).encode())
    assert json.loads(text)["clock"]["tick_frames"] == (document or FREE)["clock"].get("tick_frames")
    return peer


def kept(peer: Peer, frames: int) -> None:
    """Wait for a document that keeps this tick."""
    while True:
        _, (text, *_) = peer.wait("document")
        if json.loads(text)["clock"]["tick_frames"] == frames:
            return


def chosen(run: Running) -> int:
    with Client(run) as client:
        (entry,) = client.instances()
        return entry.tick_frames


def with_tick(frames: int) -> dict:
    return {**FREE, "clock": {"steps": 3, "tick_frames": frames}}


@pytest.mark.parametrize("stands", [True, False], ids=["stood by", "opened at play"])
def test_the_first_live_pass_chooses_the_tick_and_its_bounce_is_the_same(
    connect: Connect, run: Running, monkeypatch: pytest.MonkeyPatch, stands: bool
) -> None:
    monkeypatch.setattr(pace, "LADDER", (5,))  # so that it is another one than a bounce would take, on any machine
    peer = ready(connect)
    assert chosen(run) == 0
    if stands:
        stand(peer)
    number = stood_by(peer) if stands else 2
    assert chosen(run) == 0
    heard = played(peer, 2, number, VALUES, point=MOVE)
    kept(peer, 5)
    stop(peer, 2)
    assert bounced(peer, 3, points=(MOVE,)).tobytes() == heard.tobytes()
    assert chosen(run) == 5


def test_a_tick_that_was_chosen_stays_until_a_person_gives_it_back(
    connect: Connect, run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LADDER", (5,))
    peer = ready(connect)
    played(peer, 2, 2, VALUES)
    kept(peer, 5)
    stop(peer, 2)
    monkeypatch.setattr(pace, "LADDER", (7,))
    played(peer, 3, 3, VALUES)
    assert chosen(run) == 5
    assert peer.state(b'{"clock":{"tick_frames":null}}')["t"] == "applied"
    assert chosen(run) == 5  # the pass that runs keeps its tick
    stop(peer, 3)
    assert peer.state(b"{}")["t"] == "applied"
    assert chosen(run) == 0
    played(peer, 4, 4, VALUES)
    kept(peer, 7)
    assert chosen(run) == 7


def test_a_pass_that_knew_too_little_at_its_start_chooses_for_those_after_it(
    connect: Connect, run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LADDER", (5,))
    monkeypatch.setattr(pace, "ENOUGH", 3)  # one window more than is due at the start
    peer = ready(connect)
    heard = played(peer, 2, 2, VALUES, point=MOVE)
    kept(peer, 5)
    assert chosen(run) == 2
    stop(peer, 2)
    again = played(peer, 3, 3, VALUES, point=MOVE)
    assert chosen(run) == 5
    stop(peer, 3)
    assert bounced(peer, 4, points=(MOVE,)).tobytes() == again.tobytes() != heard.tobytes()


def test_a_choice_does_not_undo_what_a_person_set_before_the_pass_began(
    connect: Connect, run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LADDER", (5,))
    peer = ready(connect)
    stand(peer)
    number = stood_by(peer)
    assert peer.state(json.dumps(with_tick(3)).encode())["t"] == "applied"
    played(peer, 2, stood_by(peer, below=number), VALUES)
    assert chosen(run) == 3


def test_bounces_of_a_document_without_a_tick_are_the_same_on_every_machine(
    connect: Connect, run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ready(connect)
    stand(first)
    stood_by(first)  # what was measured meanwhile is no bounce's business
    heard = bounced(first, 2, points=(MOVE,))
    monkeypatch.setattr(pace, "LADDER", (5,))
    assert bounced(ready(connect), 2, points=(MOVE,)).tobytes() == heard.tobytes()
    assert bounced(ready(connect, with_tick(2)), 2, points=(MOVE,)).tobytes() == heard.tobytes()
    assert bounced(ready(connect, with_tick(5)), 2, points=(MOVE,)).tobytes() != heard.tobytes()
    with Client(run) as client:
        assert sorted(entry.tick_frames for entry in client.instances()) == [2, 2, 2, 5]


def test_instances_that_share_an_engine_leave_room_for_each_other(
    connect: Connect, run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    choose = pace.Cost.tick_frames

    def recorded(cost: pace.Cost, rows: int, sharers: int = 1) -> int:
        asked.append(sharers)
        return choose(cost, rows, sharers)

    monkeypatch.setattr(pace.Cost, "tick_frames", recorded)
    peer, other = ready(connect), connect()
    played(peer, 2, 2, VALUES)
    other.send("bye")
    with Client(run) as client:
        while len(client.instances()) > 1:
            peer.pump()
    assert peer.state(b'{"clock":{"tick_frames":null}}')["t"] == "applied"
    stop(peer, 2)
    played(peer, 3, 3, VALUES)
    assert asked == [2, 1]


def test_a_pass_that_does_not_keep_pace_says_how_to_choose_again(connect: Connect) -> None:
    clip = music(6.0)
    peer = connect()
    learned(peer, clip)
    peer.automation([(PASS, 0, 2, 0, 0.0, 0, 0), *((POINT, key, 2, 0, value, 0, 0) for key, value in VALUES.items())])
    peer.automation([(BLOCK, 0, 2, 0, 0.0, 4 * RATE, 0)])  # no machine renders four seconds in none
    health = peer.wait("health", lambda m: m["state"] == "late")[0]
    assert "--tick auto" in health["fix"]
