"""A plugin's usual visit to a service: it teaches a clip and has it rendered."""

import json
from collections.abc import Callable

import numpy as np
from conftest import SHORT_CLOCK, music
from peer import POINT, STOP, Peer

from sidecar.parameters import TABLE

CLIP = music(2.0)
DENOISE = TABLE["denoise"].id
VALUES = {row.id: row.default for row in TABLE if row.curve != "status"}
STATE = json.dumps(
    {"prompts": {"a": "techno, kick", "b": "ambient, pad chords"}, "seed": 3, "clock": SHORT_CLOCK}
).encode()

Connect = Callable[..., Peer]


def learned(peer: Peer, clip: np.ndarray = CLIP, state: bytes = STATE) -> dict:
    """State, then a dry pass that teaches the clip; the document that comes of it."""
    assert peer.state(state)["t"] == "applied"
    peer.begin(1, 0, VALUES)
    peer.block(1, 0, clip.shape[1])
    answer = peer.wait("pass")[0]
    assert (answer["wet"], answer["code"]) == (False, "no_source")
    peer.capture(1, 0, clip)
    peer.automation([(STOP, 0, 1, clip.shape[1], 0.0, 0, 0)])
    return peer.wait("document", lambda m: len(m["attachments"]) > 0)


def bounced(peer: Peer, number: int, clip: np.ndarray = CLIP, size: int = 512, points: tuple = ()) -> np.ndarray:
    """An offline pass over the clip in blocks of one size."""
    total = clip.shape[1]
    peer.begin(number, 0, VALUES)
    for at in range(0, total, size):
        inside = [(POINT, key, where, value) for key, where, value in points if at <= where < at + size]
        peer.block(number, at, min(size, total - at), inside)
    assert peer.wait("pass", lambda m: m["pass"] == number)[0]["wet"]
    return peer.rendered(number, 0, total)
