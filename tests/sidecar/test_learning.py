"""Learning in turns: what a pass taught is worked out in units, and whatever needs it waits for it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import numpy as np
import pytest
from conftest import RATE, SHORT_CLOCK, music
from peer import MemoryFile

from engine import Session
from sidecar.content import ContentStore
from sidecar.instance import Instance
from sidecar.ledger import Ledgers
from sidecar.parameters import TABLE
from sidecar.preparer import Preparer
from sidecar.records import Flag, Kind
from sidecar.source import canonical
from sidecar.timeline import Capture, Timeline

CLIP = music(2.5)
END = CLIP.shape[1]
BLOCK = 4_800  # of source.BLOCK here, so that two seconds are many units


class Player:
    """An instance, driven record by record and unit by unit as the engine thread does."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []
        self.file = MemoryFile()
        store = ContentStore(folder)
        self.instance = Instance("a" * 32, "test", Preparer(session), store, Ledgers(), self._send)
        timeline = Timeline.open(os.getpid(), self.file.fd, self.file.size, self.file.epoch, RATE)
        self.instance.open_timeline(timeline)
        self.state({"prompts": {"a": "techno, kick"}, "clock": SHORT_CLOCK})
        self.idle()
        self.sent.clear()

    def _send(self, frames: list[bytes]) -> None:
        self.sent.append((msgpack.unpackb(frames[0]), frames[1:]))

    def messages(self, kind: str) -> list[tuple[dict[str, Any], list[bytes]]]:
        return [(message, frames) for message, frames in self.sent if message["t"] == kind]

    def state(
        self, changes: dict[str, Any], attachments: dict[str, bytes] | None = None, from_plugin: bool = True
    ) -> None:
        self.instance.set_state(json.dumps(changes).encode(), attachments or {}, from_plugin=from_plugin)

    def begin(self, number: int, offline: bool = False, latency: int = 0) -> None:
        self.feed(Kind.PASS, number, 0, float(latency), flags=int(Flag.OFFLINE) if offline else 0)
        for row in TABLE:
            if row.curve != "status":
                self.feed(Kind.POINT, number, 0, row.default, parameter=row.id)

    def feed(self, kind: Kind, number: int, song: int, value: float = 0.0, **more: int) -> None:
        record = (int(kind), more.get("parameter", 0), number, song, value, more.get("aux", 0), more.get("flags", 0))
        self.instance.feed([record], iter([]))

    def teach(self, number: int, audio: np.ndarray) -> None:
        """A whole pass over the track."""
        self.begin(number)
        self.feed(Kind.BLOCK, number, 0, aux=END)
        record = (int(Kind.CAPTURE), 0, number, 0, 0.0, audio.shape[1], 0)
        self.instance.feed([record], iter([Capture(0, number, audio)]))
        self.feed(Kind.STOP, number, audio.shape[1])

    def idle(self) -> int:
        """Everything there is to do; how many units it took."""
        units = 0
        while self.instance.advance():
            units += 1
        return units

    def heard(self) -> dict[int, bytes]:
        """What was published, by chunk."""
        slots = {}
        for _, frames in self.messages("publish"):
            for chunk, slot, _ in np.frombuffer(frames[0], [("chunk", "<i8"), ("slot", "<u4"), ("of", "<u4")]):
                slots[int(chunk)] = self.file.slot(int(slot))[1].tobytes()
        return slots


@pytest.fixture
def player(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Player]:
    monkeypatch.setattr("sidecar.source.BLOCK", BLOCK)
    made = Player(session, tmp_path)
    yield made
    made.instance.close()


def test_learning_and_saving_take_as_many_turns_as_there_are_blocks(player: Player) -> None:
    player.teach(1, CLIP)
    turns = 0
    while not player.messages("document"):
        assert player.instance.advance()
        turns += 1
    assert turns > 4 * END // BLOCK  # one look for silence or the peak, one to quantise, one to hash, one to encode
    document = json.loads(player.messages("document")[0][1][0])
    expected = canonical(CLIP, 0, RATE, "learned")
    assert expected is not None
    assert document["learned"] == msgspec.to_builtins(expected.entry)
    assert player.messages("document")[0][1][1] == expected.flac()


def test_audio_that_was_learned_before_costs_a_look_at_it_alone(player: Player) -> None:
    player.teach(1, CLIP)
    player.idle()
    player.teach(2, CLIP[:, : 2 * BLOCK])
    assert player.idle() < 10
    player.teach(3, CLIP[:, : 2 * BLOCK] * 0.5)
    assert player.idle() > 3 * END // BLOCK


@pytest.mark.parametrize("offline", [False, True])
def test_a_pass_that_begins_at_once_is_rendered_from_what_the_one_before_taught(
    session: Session, player: Player, tmp_path: Path, offline: bool
) -> None:
    patient = Player(session, tmp_path / "other")
    patient.teach(1, CLIP)
    patient.idle()
    patient.begin(2, offline)
    patient.feed(Kind.BLOCK, 2, 0, aux=END)
    patient.idle()

    player.teach(1, CLIP)
    player.begin(2, offline)
    for start in range(0, END, BLOCK):
        player.feed(Kind.BLOCK, 2, start, aux=BLOCK)
        player.instance.advance()
    assert not player.messages("pass")  # it waits
    player.idle()
    (opened,) = [message for message, _ in player.messages("pass") if message["pass"] == 2]
    assert opened["wet"] is True
    saved = [index for index, (message, _) in enumerate(player.sent) if message["t"] == "document"]
    assert not offline or saved[0] < player.sent.index((opened, []))  # a bounce may be followed by a save at once
    assert player.heard() == patient.heard()
    patient.instance.close()


@pytest.mark.parametrize("offline", [False, True])
def test_a_pass_with_a_look_ahead_does_not_wait_since_it_may_be_over_before_its_turn(
    player: Player, offline: bool
) -> None:
    player.teach(1, CLIP)
    player.begin(2, offline, latency=4 * RATE)
    player.feed(Kind.BLOCK, 2, 0, aux=512)
    (opened,) = [message for message, _ in player.messages("pass") if message["pass"] == 2]
    assert opened["wet"] is True
    assert bool(player.messages("document")) == offline  # what a script saves after a bounce is all there
    player.idle()
    assert len(player.messages("document")) == 1


def test_a_document_that_names_the_learned_source_takes_the_place_of_what_is_being_learned(player: Player) -> None:
    loaded = canonical(music(1.0) * 0.5, 0, RATE, "loaded")
    assert loaded is not None
    player.teach(1, CLIP)
    player.instance.advance()
    player.state({"seed": 5})  # an edit does not
    player.idle()
    assert json.loads(player.messages("document")[-1][1][0])["learned"]["name"] == "learned"
    player.teach(2, CLIP * 0.5)
    player.instance.advance()
    player.state({"learned": msgspec.to_builtins(loaded.entry)}, {loaded.hash: loaded.flac()})
    player.idle()
    player.state({"seed": 6}, from_plugin=False)
    player.idle()
    assert json.loads(player.messages("document")[-1][1][0])["learned"]["hash"] == loaded.hash
