"""The side-chain: what a pass captured of the second input becomes a reference, and what it does not."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from conftest import RATE, music
from peer import STOP, Peer
from visit import STATE, VALUES

from sidecar.parameters import TABLE
from sidecar.records import Flag
from sidecar.sidechain import SideChain
from sidecar.source import canonical
from sidecar.steps import finish

Connect = Callable[..., Peer]
SIDE = music(2.5)
SHORT = 1_900  # milliseconds, of what is too little


def fed(parts: list[tuple[int, np.ndarray | None]]) -> SideChain:
    side = SideChain()
    side.begin(RATE)
    for song, audio in parts:
        side.capture(song, audio)
    return side


@pytest.mark.parametrize(("choice", "key"), [(1, "timbre"), (2, "structure")])
def test_a_pass_makes_its_side_chain_the_reference_that_the_switch_says(
    connect: Connect, choice: int, key: str
) -> None:
    peer = connect()
    assert peer.state(STATE)["t"] == "applied"
    peer.begin(1, 4_800, {**VALUES, TABLE["sidechain"].id: float(choice)})
    peer.block(1, 4_800, SIDE.shape[1])
    peer.capture(1, 4_800, music(2.5)[:, ::-1].copy())
    peer.capture(1, 4_800, SIDE, flags=Flag.SIDE_CHAIN)
    peer.automation([(STOP, 0, 1, 4_800 + SIDE.shape[1], 0.0, 0, 0)])
    document = json.loads(peer.wait("document", lambda m: len(m["attachments"]) == 2)[1][0])
    expected = canonical(SIDE, 4_800, RATE, "side-chain")
    assert expected is not None
    assert (document[key]["hash"], document[key]["name"]) == (expected.hash, "side-chain")
    assert document["learned"]["hash"] != expected.hash
    assert document[{"timbre": "structure", "structure": "timbre"}[key]] is None


def test_a_passage_of_two_seconds_is_taken_at_its_place() -> None:
    source = finish(fed([(-96_000, SIDE)]).end())
    assert source is not None
    assert (source.first, source.samples) == (-96_000, SIDE.shape[1])


def test_what_is_short_silent_lossy_or_never_came_is_no_reference() -> None:
    short = SIDE[:, : RATE * SHORT // 1000]
    for parts in ([], [(0, short)], [(0, np.zeros_like(SIDE))], [(0, SIDE), (RATE * 3, None)]):
        assert finish(fed(parts).end()) is None
    assert finish(SideChain().end()) is None
