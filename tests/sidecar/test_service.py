"""The service as a plugin sees it: a real socket, a real memory file, and peers that misbehave."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import msgpack
import msgspec
import numpy as np
import pytest
from conftest import RATE, SHORT_CLOCK, Running, music
from peer import POINT, STOP, MemoryFile, Peer
from rendering import DOCUMENT, Player, score

from engine import Session
from sidecar.client import Client, ClientError
from sidecar.parameters import TABLE
from sidecar.source import canonical

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


def test_what_was_learned_is_rendered_as_the_bounce_renders_it(connect: Connect, session: Session) -> None:
    peer = connect()
    document, (text, flac) = learned(peer)
    source = canonical(CLIP, 0, RATE)
    assert document["attachments"] == [source.hash]
    assert json.loads(text)["learned"]["hash"] == source.hash
    assert flac[:4] == b"fLaC"
    points = ((DENOISE, 30_001, 1.0),)
    heard = bounced(peer, 2, points=points)
    assert bounced(peer, 3, size=4_096, points=points).tobytes() == heard.tobytes()
    peer.automation([(STOP, 0, 3, CLIP.shape[1], 0.0, 0, 0)])
    assert peer.state(STATE)["t"] == "applied"  # the engine thread is idle now
    wet = Player(session, score(session), [(30_001, "denoise", 1.0)]).play([CLIP.shape[1]])
    assert heard.tobytes() == wet[:, : CLIP.shape[1]].tobytes()
    assert np.abs(heard - CLIP).max() > 0.01


def test_two_instances_do_not_disturb_each_other(connect: Connect) -> None:
    one, two = connect(), connect()
    learned(one)
    learned(two, state=json.dumps({"prompts": {"a": "chiptune"}, "seed": 9, "clock": SHORT_CLOCK}).encode())
    alone = bounced(one, 2), bounced(two, 2)
    for peer in (one, two):
        peer.begin(3, 0, VALUES)
    for at in range(0, CLIP.shape[1], 3_000):
        for peer in (one, two):
            peer.block(3, at, min(3_000, CLIP.shape[1] - at))
    together = one.rendered(3, 0, CLIP.shape[1]), two.rendered(3, 0, CLIP.shape[1])
    assert [a.tobytes() for a in together] == [a.tobytes() for a in alone]
    assert alone[0].tobytes() != alone[1].tobytes()


def test_a_saved_state_sounds_the_same_in_another_session(connect: Connect) -> None:
    first = connect()
    document, (text, flac) = learned(first)
    heard = bounced(first, 2)
    second = connect()
    assert second.state(text, {document["attachments"][0]: flac})["t"] == "applied"
    assert bounced(second, 1).tobytes() == heard.tobytes()


def test_a_source_that_is_missing_is_named_and_nothing_is_lost(connect: Connect, run: Running) -> None:
    peer = connect()
    source = canonical(CLIP, 0, RATE, "drums")
    state = json.dumps({"learned": msgspec.to_builtins(source.entry), "clock": SHORT_CLOCK}).encode()
    assert peer.state(state)["t"] == "applied"
    health = peer.wait("health", lambda m: m["state"] == "failed")[0]
    assert health["code"] == "missing_content"
    assert "drums" in health["text"]
    assert health["fix"]
    peer.begin(1, 0, VALUES)
    peer.block(1, 0, 512)
    assert peer.wait("pass")[0]["code"] == "missing_content"
    run.store.put(source)
    assert peer.state(b"{}")["t"] == "applied"
    bounced(peer, 2)


def test_a_project_of_another_checkpoint_is_dry_and_says_what_to_do(connect: Connect) -> None:
    peer = connect()
    learned(peer)
    assert peer.state(b'{"checkpoint":"a-larger-one"}')["t"] == "applied"
    peer.begin(2, 0, VALUES)
    peer.block(2, 0, 512)
    assert peer.wait("pass", lambda m: m["pass"] == 2)[0]["code"] == "missing_checkpoint"
    assert "a-larger-one" in peer.wait("health", lambda m: m["state"] == "failed")[0]["fix"]


def test_a_loop_teaches_and_then_plays(connect: Connect) -> None:
    peer = connect()
    assert peer.state(STATE)["t"] == "applied"
    peer.begin(1, 0, VALUES)
    peer.capture(1, 0, CLIP)
    peer.block(1, 0, CLIP.shape[1])
    peer.begin(2, 0, VALUES, reason=2)
    peer.block(2, 0, CLIP.shape[1])
    assert peer.wait("pass", lambda m: m["pass"] == 2)[0]["wet"]
    peer.rendered(2, 0, CLIP.shape[1])


def test_health_is_dry_without_and_ready_with_a_source(connect: Connect) -> None:
    peer = connect()
    assert peer.wait("health")[0]["state"] == "dry"
    learned(peer)
    assert peer.wait("health", lambda m: m["state"] == "ready")[0]["late_frames"] == 0


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"token": "f" * 32}, "bad_token"),
        ({"token": ""}, "bad_token"),
        ({"protocol": 3}, "bad_protocol"),
        ({"role": "root"}, "bad_message"),
        ({"instance": "../../etc"}, "bad_message"),
        ({"pid": -1}, "bad_message"),
        ({"version": "x" * 1000}, "bad_message"),
    ],
)
def test_a_stranger_is_refused_and_the_others_go_on(connect: Connect, wrong: dict, code: str) -> None:
    friend, stranger = connect(), connect(ready=False)
    failed = stranger.hello(**wrong)
    assert (failed["t"], failed["code"], failed["id"]) == ("failed", code, 1)
    assert failed["fix"]
    assert stranger.state(STATE, instance=friend.instance)["code"] == "no_instance"
    assert friend.state(STATE)["t"] == "applied"


def test_garbage_is_refused_and_the_others_go_on(connect: Connect) -> None:
    friend, hostile = connect(), connect()
    hello = msgpack.packb({"t": "hello", "id": 1})
    for frames in (
        [b""],
        [b"\xc1"],
        [bytes(70_000)],
        [b"\x91" * 60_000],
        [hello[: len(hello) // 2]],
        [msgpack.packb({"t": "launch", "id": 5})],
        [msgpack.packb({"t": "ping"})],
        [msgpack.packb({"t": "ping", "time": 1})] * 40,
        [msgpack.packb({"t": "automation", "first": 0, "count": 3}), bytes(95)],
        [msgpack.packb({"t": "automation", "first": 0, "count": 1}), bytes(32)],
        [msgpack.packb({"t": "free", "count": 2}), bytes(7)],
        [msgpack.packb({"t": "state", "id": 9, "instance": friend.instance, "attachments": []}), STATE],
        [msgpack.packb({"t": "timeline", "id": 9, "epoch": 1, "fd": 0, "bytes": 5, "rate": 48_000})],
    ):
        hostile.raw(*frames)
        failed = hostile.answer({"failed"})
        assert failed["code"] in {"bad_message", "bad_timeline"}, frames
    assert friend.state(STATE)["t"] == "applied"
    assert hostile.state(STATE)["t"] == "applied"


def test_a_frame_over_every_bound_ends_that_connection_only(connect: Connect) -> None:
    friend, hostile = connect(), connect()
    hostile.raw(msgpack.packb({"t": "ping", "time": 1}), bytes(65 * 1024 * 1024))
    assert friend.state(STATE)["t"] == "applied"


def test_a_bad_state_changes_nothing(connect: Connect) -> None:
    peer = connect()
    learned(peer)
    heard = bounced(peer, 2)
    source = canonical(CLIP * 0.5 + 0.1, 0, RATE)
    entry = {"learned": msgspec.to_builtins(source.entry)}
    for document, attachments in (
        (b"not json", {}),
        (b'{"seed": -1}', {}),
        (b'{"prompts": {"a": 5}, "seed": 8}', {}),
        (json.dumps({**entry, "seed": 8}).encode(), {source.hash: b"not flac"}),
    ):
        failed = peer.state(document, attachments)
        assert (failed["t"], failed["code"] in {"bad_state", "missing_content"}) == ("failed", True)
    assert bounced(peer, 3).tobytes() == heard.tobytes()


def test_free_slots_that_do_not_exist_are_ignored(connect: Connect) -> None:
    peer = connect()
    peer.send("free", np.array([0, 0, 2**32 - 1, 5_000_000], "<u4").tobytes(), count=4)
    learned(peer)
    bounced(peer, 2)


def test_automation_without_a_timeline_or_a_pass_harms_nobody(connect: Connect) -> None:
    peer = connect(ready=False)
    peer.hello()
    peer.begin(1, 0, VALUES)
    assert peer.wait("health", lambda m: m["state"] == "failed")[0]["code"] == "bad_timeline"
    peer.block(77, 0, 512)
    peer.automation([(STOP, 0, 5, 0, 0.0, 0, 0), (8, 0, 5, 0, 0.0, 3, 0), (7, 0, 5, 0, 120.0, 0, 0)])
    assert peer.timeline(MemoryFile())["t"] == "applied"
    learned(peer)
    bounced(peer, 2)


def test_a_second_connection_of_the_same_plugin_takes_over_and_a_copy_is_refused(
    connect: Connect, run: Running
) -> None:
    first, again, copy = connect(), connect(ready=False), connect(ready=False)
    again.instance = copy.instance = first.instance
    assert copy.hello(pid=1)["code"] == "busy"
    assert again.hello()["t"] == "welcome"
    assert again.timeline(MemoryFile())["t"] == "applied"
    with Client(run) as client:
        assert [entry.instance for entry in client.instances()] == [first.instance]


def test_a_plugin_that_dies_in_the_middle_of_a_message_is_forgotten(connect: Connect, run: Running) -> None:
    friend = connect()
    script = textwrap.dedent(f"""
        import os, signal, socket, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from peer import *
        class Run: port, token = {run.port}, {run.token!r}
        peer = Peer(Run)
        assert peer.hello()["t"] == "welcome"
        assert peer.timeline(MemoryFile())["t"] == "applied"
        peer.begin(1, 0, {VALUES!r})
        raw = socket.create_connection(("127.0.0.1", Run.port))
        raw.sendall(bytes.fromhex("ff00000000000000017f0300") + b"NULL" + bytes(48))
        raw.sendall(bytes([2]) + (2**20).to_bytes(8, "big") + b"half of it")
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    learned(friend)
    with Client(run) as client:
        while len(client.instances()) > 1:
            friend.send("ping", time=1)
            friend.pump()
        assert [entry.instance for entry in client.instances()] == [friend.instance]


def test_a_control_client_changes_one_instance_and_the_plugin_hears_of_it(connect: Connect, run: Running) -> None:
    one, two = connect(), connect()
    learned(one)
    before = bounced(one, 2)
    with Client(run) as client:
        assert client.ping() >= 0
        entries = {entry.instance: entry for entry in client.instances()}
        assert set(entries) == {one.instance, two.instance}
        assert (entries[one.instance].rate, entries[one.instance].prompt_a) == (RATE, "techno, kick")
        version = client.set_state(one.instance, {"prompts": {"a": "dnb"}, "parameters": {"denoise": 0.5}})
        with pytest.raises(ClientError, match="seed"):
            client.set_state(one.instance, {"seed": -5})
        with pytest.raises(ClientError) as caught:
            client.set_state("0" * 32, {"seed": 5})
        assert caught.value.code == "no_instance"
    message, (text, *_) = one.wait("document", lambda m: m["version"] == version)
    assert message["values"] == ["denoise"]
    document = json.loads(text)
    assert document["prompts"] == {"a": "dnb", "b": "ambient, pad chords"}
    assert document["parameters"]["denoise"] == 0.5
    assert bounced(one, 3).tobytes() != before.tobytes()


def test_a_file_source_comes_from_a_control_client(connect: Connect, run: Running) -> None:
    peer = connect()
    source = canonical(CLIP[:, ::-1].copy(), 0, RATE, "backwards")
    with Client(run) as client:
        changes = {"file": msgspec.to_builtins(source.entry), "parameters": {"source_mode": 1.0}, **DOCUMENT.data}
        client.set_state(peer.instance, changes, {source.hash: source.flac()})
    document, frames = peer.wait("document", lambda m: len(m["attachments"]) == 1)
    assert document["attachments"] == [source.hash]
    assert frames[1] == source.flac()
    peer.begin(1, 0, {**VALUES, TABLE["source_mode"].id: 1.0})
    peer.block(1, 0, CLIP.shape[1])
    assert peer.wait("pass")[0]["wet"]
    peer.rendered(1, 0, CLIP.shape[1])


def test_a_client_without_a_sidecar_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMON_RUN_DIR", str(tmp_path))
    with pytest.raises(ClientError, match="No sidecar"):
        Client()


def test_a_plugin_acts_and_watches_for_itself_only(connect: Connect) -> None:
    peer, other = connect(), connect()
    for name, more in (("act", {"verb": "take", "attachments": []}), ("watch", {"on": True})):
        frames = [b"{}"] if name == "act" else []
        peer.send(name, *frames, id=peer.next_id(), instance=other.instance, **more)
        assert peer.wait("failed")[0]["code"] == "bad_message"


@pytest.mark.parametrize(
    ("verb", "arguments", "names", "code"),
    [
        ("dance", b"{}", [], "bad_message"),
        ("take", b"[1]", [], "bad_state"),
        ("take", b"{", [], "bad_state"),
        ("take", b"{}", ["a", "a"], "bad_message"),
    ],
)
def test_a_wrong_act_is_refused_and_named(
    connect: Connect, verb: str, arguments: bytes, names: list[str], code: str
) -> None:
    peer = connect()
    command = peer.next_id()
    frames = [b""] * len(names)
    peer.send("act", arguments, *frames, id=command, instance=peer.instance, verb=verb, attachments=names)
    failed = peer.outcome(command)
    assert (failed["t"], failed["code"]) == ("failed", code)
    assert failed["fix"]


def test_a_patch_is_answered_with_a_document_only_where_it_became_something_else(connect: Connect) -> None:
    peer = connect()
    assert peer.state(b'{"prompts":{"a":"pads","b":""}}')["t"] == "applied"
    assert peer.state(b'{"format":"demon-state","prompts":{"a":"pads","b":""}}')["t"] == "applied"
    document, (text,) = peer.wait("document")
    assert (json.loads(text)["prompts"], document["version"]) == ({"a": "pads", "b": ""}, 2)
