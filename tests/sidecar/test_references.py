"""Timbre and structure references: read within bounds, heard, taken back, missed by name and found again."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
from conftest import RATE, SHORT_CLOCK, Running, music
from peer import Peer
from test_loras import softer
from visit import CLIP, bounced, learned

from engine import Session
from sidecar import references
from sidecar.client import Client
from sidecar.errors import AudioError
from sidecar.fields import MAX_SECONDS
from sidecar.parameters import TABLE
from sidecar.source import canonical

Connect = Callable[..., Peer]
OTHER = music(1.5)[:, ::-1].copy()


def wav(audio: np.ndarray, rate: int = RATE, form: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio.T, rate, format=form)
    return file.getvalue()


def act(peer: Peer, verb: str, attachments: dict[str, bytes] | None = None, **arguments: object) -> dict:
    """An act; its outcome."""
    command, carried = peer.next_id(), attachments or {}
    head = {"id": command, "instance": peer.instance, "verb": verb, "attachments": list(carried)}
    peer.send("act", json.dumps(arguments).encode(), *carried.values(), **head)
    return peer.outcome(command)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "cannot be read"),
        (b"no audio at all", "cannot be read"),
        (wav(music(0.1))[:30], "cannot be read"),
        (wav(np.zeros((2, 100))), "silent"),
        (wav(np.zeros((2, 0))), "empty"),
        (wav(np.zeros((3, 100))), "3 channels"),
        (wav(music(0.1), 4_000), "4000 Hz"),
        (wav(np.zeros((1, (MAX_SECONDS + 1) * 8_000)), 8_000, "FLAC"), f"{MAX_SECONDS + 1} s"),
    ],
    ids=["nothing", "garbage", "cut", "silence", "empty", "channels", "rate", "length"],
)
def test_audio_that_cannot_be_used_is_refused_by_name(data: bytes, named: str) -> None:
    with pytest.raises(AudioError, match=named) as caught:
        references.read(data, "a.wav")
    assert "a.wav" in caught.value.text
    assert caught.value.fix.endswith(".")


def test_mono_is_heard_on_both_sides_and_a_slow_rate_becomes_one_that_documents_have() -> None:
    mono = references.read(wav(CLIP[:1], 8_000), "mono")
    assert (mono.rate, mono.name) == (48_000, "mono")
    assert np.array_equal(mono.whole[0], mono.whole[1])
    stereo = references.read(wav(CLIP, 44_100), "stereo")
    assert (stereo.rate, stereo.samples) == (44_100, CLIP.shape[1])
    assert not np.array_equal(stereo.whole[0], stereo.whole[1])


def test_a_timbre_reference_is_heard_kept_with_the_project_and_taken_back(connect: Connect) -> None:
    peer = connect()
    learned(peer)
    before = bounced(peer, 2)
    assert act(peer, "reference", {"x": wav(OTHER)}, role="timbre", name="bells.wav")["t"] == "applied"
    document, (text, *_) = peer.wait("document", lambda m: len(m["attachments"]) == 2)
    entry = json.loads(text)["timbre"]
    assert entry["name"] == "bells.wav"
    assert entry["hash"] in document["attachments"]
    timbred = bounced(peer, 3)
    assert timbred.tobytes() != before.tobytes()
    assert act(peer, "clear_reference", role="timbre")["t"] == "applied"
    document, (text, *_) = peer.wait("document", lambda m: len(m["attachments"]) == 1)
    assert json.loads(text)["timbre"] is None
    assert bounced(peer, 4).tobytes() == before.tobytes()


def test_a_structure_reference_is_heard_where_it_is_blended_in(connect: Connect) -> None:
    peer = connect()
    learned(peer)
    before = bounced(peer, 2)
    assert act(peer, "reference", {"x": wav(OTHER)}, role="structure", name="drums.wav")["t"] == "applied"
    assert bounced(peer, 3).tobytes() == before.tobytes()
    assert bounced(peer, 4, points=((TABLE["structure_blend"].id, 0, 1.0),)).tobytes() != before.tobytes()


def test_a_file_becomes_the_source_and_clearing_it_goes_back_to_learning(connect: Connect) -> None:
    peer = connect()
    assert act(peer, "reference", {"x": wav(OTHER)}, role="file", name="loop.wav")["t"] == "applied"
    _, (text, *_) = peer.wait("document", lambda m: len(m["attachments"]) == 1)
    assert json.loads(text)["parameters"]["source_mode"] == 1.0
    peer.wait("health", lambda m: m["state"] == "ready")
    assert act(peer, "clear_reference", role="file")["t"] == "applied"
    _, (text, *_) = peer.wait("document", lambda m: not m["attachments"])
    assert json.loads(text)["parameters"]["source_mode"] == 0.0


@pytest.mark.parametrize(
    ("verb", "attachments", "arguments", "code"),
    [
        ("reference", {"x": b"no"}, {"role": "timbre", "name": "x"}, "bad_audio"),
        ("reference", {}, {"role": "timbre", "name": "x"}, "bad_message"),
        ("reference", {"a": b"", "b": b""}, {"role": "timbre", "name": "x"}, "bad_message"),
        ("reference", {"x": b"no"}, {"role": "learned", "name": "x"}, "bad_message"),
        ("reference", {"x": b"no"}, {"role": "timbre", "name": "x" * 300}, "bad_message"),
        ("clear_reference", {}, {"role": "takes"}, "bad_message"),
    ],
)
def test_a_wrong_reference_is_refused_and_changes_nothing(
    connect: Connect, verb: str, attachments: dict, arguments: dict, code: str
) -> None:
    peer = connect()
    refused = act(peer, verb, attachments, **arguments)
    assert (refused["t"], refused["code"]) == ("failed", code)
    assert not peer.pump(300) or all(message["t"] != "document" for message, _ in peer.seen)


def test_a_missing_timbre_is_named_rendered_without_and_found_when_its_file_appears(
    connect: Connect, run: Running
) -> None:
    peer = connect()
    learned(peer)
    before = bounced(peer, 2)
    bells = canonical(OTHER, 0, RATE, "bells.wav")
    changes = json.dumps({"timbre": msgspec.to_builtins(bells.entry)}).encode()
    assert peer.state(changes)["t"] == "applied"
    health = peer.wait("health", lambda m: m["code"] == "missing_content")[0]
    assert health["state"] == "ready"
    assert "reference 'bells.wav'" in health["text"]
    with Client(run) as client:
        (missing,) = client.instances()[0].missing
    assert (missing.kind, missing.name) == ("reference", "bells.wav")
    assert bells.hash.removeprefix("sha256:") in missing.fix
    assert bounced(peer, 3).tobytes() == before.tobytes()
    peer.seen.clear()
    run.store.put(bells)
    assert not peer.wait("health", lambda m: m["state"] == "ready" and not m["code"])[0]["text"]
    with Client(run) as client:
        assert client.instances()[0].missing == []
    assert bounced(peer, 4).tobytes() != before.tobytes()


def test_a_missing_lora_is_found_when_its_file_appears(connect: Connect, session: Session, loras: Path) -> None:
    peer = connect()
    learned(peer)
    assert peer.state(b'{"loras":[{"name":"softer"}]}')["t"] == "applied"
    assert peer.wait("health", lambda m: m["state"] == "failed")[0]["code"] == "missing_lora"
    peer.seen.clear()
    softer(loras, "softer")
    try:
        peer.wait("health", lambda m: m["state"] == "ready")
        bounced(peer, 2)
    finally:
        session.loras.forget("softer")


def test_everything_that_another_machine_lacks_is_listed_and_nothing_of_it_is_lost(
    connect: Connect, run: Running
) -> None:
    peer = connect()
    entries = {name: canonical(music(0.5) * 0.9**n, 0, RATE, name).entry for n, name in enumerate("abcd")}
    named = {name: msgspec.to_builtins(entry) for name, entry in entries.items()}
    state = {
        "version": 2,
        "file": named["a"],
        "structure": named["b"],
        "timbre": named["c"],
        "takes": [{**named["d"], "slot": "B"}],
        "loras": [{"name": "gone"}],
        "checkpoint": "a-larger-one",
        "clock": SHORT_CLOCK,
    }
    assert peer.state(json.dumps(state).encode())["t"] == "applied"
    _, (text,) = peer.wait("document")
    held = json.loads(text)
    assert all(held[key] == state[key] for key in ("file", "structure", "timbre", "takes", "checkpoint"))
    with Client(run) as client:
        found = {(item.kind, item.name) for item in client.instances()[0].missing}
    assert found == {
        ("checkpoint", "a-larger-one"),
        ("lora", "gone"),
        ("source", "a"),
        ("reference", "b"),
        ("reference", "c"),
        ("take", "d"),
    }


def test_a_document_that_goes_back_brings_its_reference_back(connect: Connect, run: Running) -> None:
    peer = connect()
    learned(peer)
    bells = canonical(OTHER, 0, RATE, "bells.wav")
    entry = json.dumps({"timbre": msgspec.to_builtins(bells.entry)}).encode()
    assert peer.state(entry, {bells.hash: bells.flac()})["t"] == "applied"
    timbred = bounced(peer, 2)
    assert peer.state(b'{"timbre":null}')["t"] == "applied"
    assert bounced(peer, 3).tobytes() != timbred.tobytes()
    assert peer.state(entry, {bells.hash: bells.flac()})["t"] == "applied"
    assert bounced(peer, 4).tobytes() == timbred.tobytes()
    with Client(run) as client:
        assert client.instances()[0].missing == []
