"""A second input fed by a real host: the audio that a pass captured of it becomes the project's reference."""

from pathlib import Path

import numpy as np
import pytest
from bridge_rig import Rig
from clip import music
from plugin_state import canonical_source, component_of, document_of
from scenes import RATE, document

SONG = music(2.2, RATE)
SIDE = np.ascontiguousarray(SONG[:, ::-1] * np.float32(0.5))


@pytest.mark.parametrize(("host", "sidechain", "key"), [("clap", 1.0, "timbre"), ("minihost", 2.0, "structure")])
def test_what_a_host_feeds_the_side_chain_becomes_the_reference(
    rig: Rig, host: str, sidechain: float, key: str
) -> None:
    state = rig.state(host, f"{host}-side", *document(parameters={"sidechain": sidechain, "mix": 0.0}))
    steps = [
        {"do": "load", "from": state},
        {"do": "play", "audio": SONG, "side": SIDE, "offline": True, "blocks": 512, "out": "out.npy"},
        {"do": "await", "status": ["Ready"], "limit": 60},
        {"do": "idle", "wait": 3.0},
        {"do": "save", "to": "saved"},
    ]
    result = rig.job(host, steps, sidechain=True)
    assert np.array_equal(result.audio("out.npy"), SONG), "the side-chain is never heard"
    saved = Path(result.folder / "saved").read_bytes()
    reference = document_of(saved if host == "clap" else component_of(saved))[key]
    assert reference["hash"] == canonical_source(SIDE, RATE).entry["hash"]
