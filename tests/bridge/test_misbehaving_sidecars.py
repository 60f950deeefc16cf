"""The real plugin in a host, against peers that are silent, slow, wrong or hostile: host lives, audio is sane."""

import json
import os
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from bridge_rig import Result, Rig
from clip import music
from fake_sidecar import BLOCK, CHUNK, PASS, FakeSidecar, Message, Send, proper, publish
from plugin_state import document_of
from scenes import RATE, bounce, document

SONG = music(1.0, RATE)
VALUE = 0.25  # what a published slot is full of, so that one glance tells whose audio is heard
RENDERED = range(4, 12)  # chunks that the willing peer publishes
"""Chunks [4, 12) of the song: samples 8192 to 24576."""

Answer = Callable[..., None]


@pytest.fixture
def peer(world: Rig) -> Iterator[Callable[[Answer], FakeSidecar]]:
    """Puts a peer into the world."""
    living: list[FakeSidecar] = []

    def start(answer: Answer, **more) -> FakeSidecar:
        living.append(FakeSidecar(world.run_dir, answer, **more))
        return living[-1]

    yield start
    for fake in living:
        fake.close()


def live(world: Rig, seconds: float = 1.5) -> Result:
    """One second of song in real time after the link had time to settle."""
    state = world.state("clap", "live", *document(SONG))
    return world.job(
        "clap",
        [
            {"do": "load", "from": state},
            {"do": "idle", "wait": seconds},
            {"do": "play", "audio": SONG, "blocks": 480, "offline": False, "pace": True, "out": "out.npy"},
        ],
        limit=60,
    )


def assert_dry(result: Result) -> None:
    assert np.array_equal(result.audio("out.npy"), SONG)


def renderer(forge: Callable[..., None], end: int = SONG.shape[1]) -> Answer:
    """A peer that does everything right until a pass plays; then `forge(fake, send, pass)` publishes, once per pass.

    It promises song samples [0, `end`).
    """
    announced: set[int] = set()

    def answer(fake: FakeSidecar, send: Send, message: Message, frames: list[bytes]) -> None:
        for record in proper(fake, send, message, frames):
            number = int(record["pass"])
            if record["kind"] == PASS:
                region = {"epoch": fake.timeline.epoch, "start": 0, "end": end}
                send({"t": "pass", "pass": number, **region, "wet": True, "code": ""})
            if record["kind"] == BLOCK and number not in announced:
                announced.add(number)
                forge(fake, send, number)

    return answer


def honest(fake: FakeSidecar, send: Send, number: int) -> None:
    for slot, chunk in enumerate(RENDERED):
        fake.timeline.fill(slot, chunk, 1, number, VALUE)
    send(*publish(fake, number, [(chunk, slot, 1) for slot, chunk in enumerate(RENDERED)]))


def test_a_willing_peer_is_heard(world: Rig, peer: Callable[[Answer], FakeSidecar]) -> None:
    """The control: what the hostile peers below do falsely, done rightly, reaches the output."""
    fake = peer(renderer(honest))
    out = live(world).audio("out.npy")
    inside = out[:, RENDERED.start * CHUNK + 480 : RENDERED.stop * CHUNK]
    assert np.allclose(inside, VALUE), fake.errors
    assert np.array_equal(out[:, : RENDERED.start * CHUNK], SONG[:, : RENDERED.start * CHUNK])


def forged(**lie: int) -> Callable[..., None]:
    """A publish in which one thing is false."""

    def forge(fake: FakeSidecar, send: Send, number: int) -> None:
        header = {k[7:]: v for k, v in lie.items() if k.startswith("header_")}
        for slot, chunk in enumerate(RENDERED):
            fake.timeline.fill(slot, chunk, 1, number, VALUE, **header)
        slot_lie, chunk_lie = lie.get("slot", 0), lie.get("chunk", 0)
        message = {k: v for k, v in lie.items() if k in ("epoch", "pass", "count")}
        records = [
            (chunk + chunk_lie, slot + slot_lie, lie.get("generation", 1)) for slot, chunk in enumerate(RENDERED)
        ]
        send(*publish(fake, number, records, **message))

    return forge


LIES = {
    "a slot that is not there": {"slot": 0x0FFF_FFFF},
    "the slot after the last": {"slot": 1_048_575},
    "another epoch": {"epoch": 77},
    "fewer records than it says": {"count": 9},
    "far more records than it says": {"count": 0xFFFF_FFFF},
    "a chunk far outside the song": {"chunk": 2**40},
    "a chunk at the end of numbers": {"chunk": 2**63 - 1 - RENDERED.stop},
    "a header of another chunk": {"header_chunk": 9999},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_false_publish_is_not_heard(world: Rig, peer: Callable[[Answer], FakeSidecar], lie: str) -> None:
    fake = peer(renderer(forged(**LIES[lie])))
    result = live(world, 1.0)
    assert_dry(result)
    assert fake.count("automation") > 0, fake.errors


def test_a_chunk_outside_the_promised_region_is_not_heard(world: Rig, peer: Callable[[Answer], FakeSidecar]) -> None:
    end = 6 * CHUNK
    peer(renderer(honest, end))
    out = live(world, 1.0).audio("out.npy")
    assert np.allclose(out[:, RENDERED.start * CHUNK + 480 : end - 480], VALUE)
    assert np.array_equal(out[:, end + 480 :], SONG[:, end + 480 :])


def test_audio_that_is_not_a_number_never_leaves_the_plugin(world: Rig, peer: Callable[[Answer], FakeSidecar]) -> None:
    def poison(fake: FakeSidecar, send: Send, number: int) -> None:
        for slot, chunk in enumerate(RENDERED):
            fake.timeline.fill(slot, chunk, 1, number, float("nan") if slot % 2 else float("inf"))
        send(*publish(fake, number, [(chunk, slot, 1) for slot, chunk in enumerate(RENDERED)]))

    peer(renderer(poison))
    assert np.isfinite(live(world, 1.0).audio("out.npy")).all()


def silent(fake: FakeSidecar, send: Send, message: Message, frames: list[bytes]) -> None:
    """Hears everything, says nothing."""


def slow(fake: FakeSidecar, send: Send, message: Message, frames: list[bytes]) -> None:
    time.sleep(0.7)
    proper(fake, send, message, frames)


def garbage(fake: FakeSidecar, send: Send, message: Message, frames: list[bytes]) -> None:
    noise = np.random.default_rng(len(fake.heard))
    send(noise.bytes(200))
    send(b"")
    send(b"\xdf\xff\xff\xff\xff")  # a map that claims four thousand million keys
    send([1, 2, 3])
    send({"t": "publish"})
    send({"t": "welcome", "id": "one"})
    send({"t": "pass", "pass": -1})
    send({"no": "name"})
    send(*[b"\x80"] * 40)
    send(b"\xc6" + (2**31).to_bytes(4, "big"))


def garbage_after_the_handshake(fake: FakeSidecar, send: Send, message: Message, frames: list[bytes]) -> None:
    proper(fake, send, message, frames)
    if message["t"] != "hello":
        garbage(fake, send, message, frames)


def refusal(code: str) -> Answer:
    def answer(fake: FakeSidecar, send: Send, message: Message, frames: list[bytes]) -> None:
        if "id" in message:
            send({"t": "failed", "id": message["id"], "code": code, "text": "no", "fix": "start the other sidecar"})

    return answer


def another_protocol(fake: FakeSidecar, send: Send, message: Message, frames: list[bytes]) -> None:
    if message["t"] == "hello":
        keys = {"id": message["id"], "protocol": 99, "version": "9.9.9", "pid": os.getpid()}
        send({"t": "welcome", **keys, "checkpoint": "future", "heartbeat_ms": 250})


PEERS = {
    "silent": silent,
    "slow": slow,
    "garbage": garbage,
    "garbage after the handshake": garbage_after_the_handshake,
    "refuses the token": refusal("bad_token"),
    "refuses the protocol": refusal("bad_protocol"),
    "speaks another protocol": another_protocol,
}


@pytest.mark.parametrize("kind", PEERS)
def test_a_live_host_stays_dry_and_alive(world: Rig, peer: Callable[[Answer], FakeSidecar], kind: str) -> None:
    fake = peer(PEERS[kind])
    result = live(world)
    assert_dry(result)
    assert fake.heard, "the plugin never spoke to this peer"
    assert result.step("play")["status"] != "Ready"


@pytest.mark.parametrize("kind", ["silent", "speaks another protocol", "garbage after the handshake"])
def test_a_bounce_ends_within_its_cap(world: Rig, peer: Callable[[Answer], FakeSidecar], kind: str) -> None:
    peer(PEERS[kind])
    state = world.state("clap", "bounce", *document(SONG))
    cap = {"DEMON_OFFLINE_CAP_MS": "400"}
    result = world.job("clap", [{"do": "load", "from": state}, bounce("out", SONG)], limit=60, extra=cap)
    assert_dry(result)
    assert result.step("bounce")["status"] == "Failed"


def test_a_late_document_does_not_overwrite_the_state_that_was_loaded_meanwhile(
    world: Rig, peer: Callable[[Answer], FakeSidecar]
) -> None:
    """The sidecar takes its time over a new instance's empty state; before it answers, the host opens a project."""
    stale = {"format": "demon-state", "version": 1, "prompts": {"a": "stale", "b": ""}, "file": None, "learned": None}

    def answer(fake: FakeSidecar, send: Send, message: Message, frames: list[bytes]) -> None:
        first = message["t"] == "state" and fake.count("state") == 1
        if first:
            time.sleep(1.0)
        proper(fake, send, message, frames)
        if first:
            send({"t": "document", "version": 1, "attachments": []}, json.dumps(stale).encode())

    fake = peer(answer)
    wanted, sources = document(SONG)
    load = {"do": "load", "from": world.state("clap", "project", wanted, sources)}
    result = world.job(
        "clap", [{"do": "idle", "wait": 0.5}, load, {"do": "idle", "wait": 1.5}, {"do": "save", "to": "s"}]
    )
    assert fake.count("state") == 2, "the load did not fall between the question and the answer"
    saved = document_of((result.folder / "s").read_bytes())
    assert saved["prompts"] == wanted["prompts"]
    assert saved["file"] == wanted["file"]
