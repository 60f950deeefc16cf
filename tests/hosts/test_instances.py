"""Two instances in one host process do not touch each other's bytes."""

import numpy as np
import pytest
from bridge_rig import Rig
from clip import music
from scenes import RATE, bounce, distance, document

SONGS = [music(2.0, RATE), music(2.0, RATE, start=8.0)]
PROMPTS = [{"a": "soft piano", "b": "strings"}, {"a": "heavy metal guitar", "b": "noise"}]


@pytest.mark.parametrize("host", ["clap", "minihost"])
def test_two_instances_with_different_prompts_bounce_as_if_alone(rig: Rig, host: str) -> None:
    states = [
        rig.state(host, f"{host}-voice-{k}", *document(song, prompts=PROMPTS[k], seed=10 + k))
        for k, song in enumerate(SONGS)
    ]
    alone = [
        rig.job(host, [{"do": "load", "from": state}, bounce("out", song)]).audio("out.npy")
        for state, song in zip(states, SONGS, strict=True)
    ]
    together = rig.job(
        host,
        [
            {"do": "load", "from": states[0], "instance": 0},
            {"do": "load", "from": states[1], "instance": 1},
            {"do": "duet", "first": SONGS[0], "second": SONGS[1], "blocks": 512, "outs": ["one.npy", "two.npy"]},
        ],
        instances=2,
    )
    assert together.audio("one.npy").tobytes() == alone[0].tobytes()
    assert together.audio("two.npy").tobytes() == alone[1].tobytes()
    for sound, song in zip(alone, SONGS, strict=True):
        assert distance(sound, song) > 0.02


@pytest.mark.clap
def test_the_prompt_changes_the_sound(rig: Rig) -> None:
    sounds = []
    for k, prompts in enumerate(PROMPTS):
        state = rig.state("clap", f"prompt-{k}", *document(SONGS[0], prompts=prompts))
        sounds.append(rig.job("clap", [{"do": "load", "from": state}, bounce("out", SONGS[0])]).audio("out.npy"))
    assert not np.array_equal(sounds[0], sounds[1])
