"""What a host's transport does: where passes begin, what they hear, tempo, metre and sample rates."""

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from conftest import RATE
from peer import BLOCK, CHUNK, PASS, POINT, STOP, MemoryFile, Peer
from rendering import DOCUMENT, Player
from visit import CLIP, STATE, VALUES, bounced, learned

from engine import Session
from sidecar.preparer import Preparer
from sidecar.score import score_of
from sidecar.source import canonical

TEMPO, METRE = 7, 10
TOTAL = CLIP.shape[1]
PRE_ROLL = 20 * RATE // 25  # two windows: a whole song may be moved by windows without a change

TYPED_AT = 20 * RATE // 25

Connect = Callable[..., Peer]
Record = tuple[int, int, int, int, float, int, int]


def played(
    peer: Peer,
    number: int,
    start: int = 0,
    end: int = TOTAL,
    said: Sequence[Record] = (),
    size: int = 4_096,
) -> np.ndarray:
    """An offline pass over [start, end), in which the host says something besides; what was rendered."""
    opening = [row for row in said if row[3] <= start]
    peer.automation([(PASS, 0, number, start, 0.0, 0, 1), *opening])
    peer.automation([(POINT, key, number, start, value, 0, 0) for key, value in VALUES.items()])
    for at in range(start, end, size):
        inside = [row for row in said if max(at, start + 1) <= row[3] < at + size]
        peer.automation([*inside, (BLOCK, 0, number, at, 0.0, min(size, end - at), 1)])
    answer = peer.wait("pass", lambda m: m["pass"] == number)[0]
    assert answer["wet"]
    first = max(answer["start"], start)
    return peer.rendered(number, first, min(answer["end"], end))


def stop(peer: Peer, number: int) -> None:
    peer.automation([(STOP, 0, number, TOTAL, 0.0, 0, 0)])


def tempo(number: int, bpm: float, song: int = 0) -> Record:
    return (TEMPO, 0, number, song, bpm, 0, 0)


def metre(number: int, beats: int, unit: int = 4, song: int = 0) -> Record:
    return (METRE, 0, number, song, float(beats), unit, 0)


def test_prompts_follow_the_tempo_and_the_metre_that_the_host_says(connect: Connect) -> None:
    peer = connect()
    learned(peer)
    silent = played(peer, 2)
    followed = played(peer, 3, said=[tempo(3, 119.8), metre(3, 3)])
    assert followed.tobytes() != silent.tobytes()
    assert played(peer, 4).tobytes() == silent.tobytes()  # what the host said was of that pass
    assert peer.state(b'{"song": {"tempo": 120, "metre": "3"}}')["t"] == "applied"
    assert played(peer, 5, said=[tempo(5, 90.0), metre(5, 4)]).tobytes() == followed.tobytes()
    assert peer.state(b'{"song": {"tempo": null, "metre": null}}')["t"] == "applied"
    assert played(peer, 6, said=[tempo(6, 90.0), metre(6, 4)]).tobytes() == silent.tobytes()


def test_a_tempo_that_changes_inside_a_pass_is_the_next_ones(connect: Connect) -> None:
    peer = connect()
    learned(peer)
    steady = played(peer, 2, said=[tempo(2, 120.0), metre(2, 4)])
    turned = [tempo(3, 120.0), metre(3, 4), tempo(3, 90.0, RATE), metre(3, 3, song=RATE)]
    assert played(peer, 3, said=turned).tobytes() == steady.tobytes()
    assert played(peer, 4, said=[tempo(4, 90.0), metre(4, 3)]).tobytes() != steady.tobytes()


def test_prompts_that_are_typed_in_a_pass_keep_the_tempo_of_its_beginning(connect: Connect) -> None:
    peer = connect()
    learned(peer)
    known = TYPED_AT + 20 * RATE // 25 - CHUNK  # whole chunks of the window that is the last work due there
    heard = []
    for number, turn in ((2, []), (3, [tempo(3, 90.0, RATE // 2)])):
        peer.automation([(PASS, 0, number, 0, 0.0, 0, 1), tempo(number, 120.0)])
        peer.automation([(POINT, key, number, 0, value, 0, 0) for key, value in VALUES.items()])
        peer.automation([*turn, (BLOCK, 0, number, 0, 0.0, TYPED_AT, 1)])
        peer.rendered(number, 0, known)
        assert peer.state(b'{"prompts": {"a": "dnb, kick", "b": ""}}')["t"] == "applied"
        peer.automation([(BLOCK, 0, number, TYPED_AT, 0.0, TOTAL - TYPED_AT, 1)])
        heard.append(peer.rendered(number, 0, TOTAL))
        stop(peer, number)
        assert peer.state(STATE)["t"] == "applied"
    assert heard[0].tobytes() == heard[1].tobytes()
    assert played(peer, 4, said=[tempo(4, 120.0)]).tobytes() != heard[0].tobytes()


def test_a_punched_in_part_replaces_that_part_of_what_was_learned(connect: Connect) -> None:
    peer = connect()
    learned(peer)
    before = bounced(peer, 2)
    stop(peer, 2)
    first, last = RATE // 2 + 7, RATE + 300
    fresh = CLIP[::-1, first:last] * np.float32(0.5)
    peer.automation([(PASS, 0, 3, first, 0.0, 1, 0)])
    peer.automation([(POINT, key, 3, first, value, 0, 0) for key, value in VALUES.items()])
    peer.automation([(BLOCK, 0, 3, first, 0.0, last - first, 0)])
    assert peer.wait("pass", lambda m: m["pass"] == 3)[0]["wet"]  # what was known before is heard meanwhile
    peer.capture(3, first, fresh)
    stop(peer, 3)
    wanted = CLIP.copy()
    wanted[:, first:last] = fresh
    _, (text, *_) = peer.wait("document", lambda m: len(m["attachments"]) > 0)
    source = canonical(wanted, 0, RATE)
    assert json.loads(text)["learned"]["hash"] == source.hash
    assert bounced(peer, 4).tobytes() != before.tobytes()


def test_a_song_with_a_pre_roll_is_the_song_moved_to_before_zero(connect: Connect) -> None:
    late, early = connect(), connect()
    learned(late)
    assert early.state(STATE)["t"] == "applied"
    early.automation([(PASS, 0, 1, -PRE_ROLL, 0.0, 0, 1)])
    early.automation([(POINT, key, 1, -PRE_ROLL, value, 0, 0) for key, value in VALUES.items()])
    early.automation([(BLOCK, 0, 1, -PRE_ROLL, 0.0, TOTAL, 1)])
    early.capture(1, -PRE_ROLL, CLIP)
    stop(early, 1)
    _, (text, *_) = early.wait("document", lambda m: len(m["attachments"]) > 0)
    assert json.loads(text)["learned"]["start_frame"] == -20
    heard = played(early, 2, -PRE_ROLL, TOTAL - PRE_ROLL)
    assert heard.shape[1] == TOTAL
    assert heard.tobytes() == played(late, 2).tobytes()
    assert played(early, 3, -PRE_ROLL, TOTAL - PRE_ROLL, size=333).tobytes() == heard.tobytes()


def test_a_pass_that_begins_before_its_song_is_dry_until_there(connect: Connect) -> None:
    peer = connect()
    learned(peer)
    heard = played(peer, 2, -RATE - 5)
    assert heard.shape[1] == TOTAL
    assert played(peer, 3, -RATE - 5, size=512).tobytes() == heard.tobytes()


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_a_project_opened_at_another_sample_rate_sounds_its_source_at_the_same_times(
    connect: Connect, session: Session, rate: int
) -> None:
    first = connect()
    document, (text, flac) = learned(first)
    second = connect(rate=rate)
    assert second.state(text, {document["attachments"][0]: flac})["t"] == "applied"
    heard = played(second, 1, end=2 * rate)
    made = score_of(Preparer(session), DOCUMENT, canonical(CLIP, 0, RATE), rate=rate)
    assert heard.tobytes() == Player(session, made, rate=rate).play([2 * rate]).tobytes()


def test_a_host_that_changes_its_sample_rate_goes_on_with_what_was_learned(connect: Connect) -> None:
    peer = connect()
    learned(peer)
    before = bounced(peer, 2)
    assert peer.timeline(MemoryFile(44_100, epoch=2))["t"] == "applied"
    assert played(peer, 3, end=88_200).shape[1] == 88_200
    assert peer.timeline(MemoryFile(RATE, epoch=3))["t"] == "applied"
    assert bounced(peer, 4).tobytes() == before.tobytes()
