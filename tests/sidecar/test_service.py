"""The service as a plugin and a control client see it: a real socket and a real memory file."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from conftest import RATE, SHORT_CLOCK, Running
from peer import STOP
from rendering import DOCUMENT, Player, score
from visit import CLIP, DENOISE, STATE, VALUES, Connect, bounced, learned

from engine import Session
from sidecar.client import Client, ClientError
from sidecar.parameters import TABLE
from sidecar.source import canonical


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


def test_a_patch_is_answered_with_a_document_only_where_it_became_something_else(connect: Connect) -> None:
    peer = connect()
    assert peer.state(b'{"prompts":{"a":"pads","b":""}}')["t"] == "applied"
    assert peer.state(b'{"format":"demon-state","prompts":{"a":"pads","b":""}}')["t"] == "applied"
    document, (text,) = peer.wait("document")
    assert (json.loads(text)["prompts"], document["version"]) == ({"a": "pads", "b": ""}, 2)
