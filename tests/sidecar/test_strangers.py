"""Peers that misbehave: each is refused by name, and the others go on."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import msgpack
import msgspec
import numpy as np
import pytest
from conftest import RATE, Running
from peer import STOP, MemoryFile
from visit import CLIP, STATE, VALUES, Connect, bounced, learned

from sidecar.client import Client
from sidecar.source import canonical


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
