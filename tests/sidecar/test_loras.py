"""LoRAs of a document: found by content or name, heard, live, and missed by name."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from conftest import RATE, music
from peer import Peer
from rendering import DOCUMENT, Player, score
from visit import VALUES, bounced, learned

import engine
from engine import LoraInfo, Session
from sidecar.bounce import bounce
from sidecar.document import Document
from sidecar.errors import LoraMissingError
from sidecar.loras import Loras
from sidecar.preparer import Preparer
from sidecar.score import Score, score_of

Connect = Callable[..., Peer]
CLIP = music(2.0)


@pytest.fixture
def shipped(session: Session) -> LoraInfo:
    return next(info for info in session.loras.list() if info.name == "glass-bells")


def softer(folder: Path, name: str) -> None:
    """A LoRA of its own: half the shipped one."""
    tensors = safetensors.numpy.load_file(
        Path(engine.__file__).parent / "loras" / "demon-tiny-1" / "glass-bells.safetensors"
    )
    halved = {key: tensor / 2 if ".lora_B." in key else tensor for key, tensor in tensors.items()}
    folder.mkdir(parents=True, exist_ok=True)
    safetensors.numpy.save_file(halved, folder / f"{name}.safetensors")


def named(*loras: dict) -> Document:
    """LoRAs in slots, with the strengths that they would have had in version 1."""
    return DOCUMENT.patch({"version": 1, "loras": list(loras)})


def digest(session: Session, document: Document) -> str:
    return bounce(session, CLIP, RATE, document)[1].sha256


def test_a_lora_is_heard_and_strength_0_is_exactly_without_it(session: Session, shipped: LoraInfo) -> None:
    without = digest(session, DOCUMENT)
    by_name = digest(session, named({"name": "glass-bells", "strength": 0.5}))
    assert digest(session, named({"name": "glass-bells", "strength": 0.0})) == without
    assert digest(session, named({"name": "of another day", "hash": shipped.hash, "strength": 0.5})) == by_name
    assert len({without, by_name, digest(session, named({"name": "glass-bells"}))}) == 3
    assert digest(session, DOCUMENT) == without


def test_a_name_with_other_content_is_not_taken_for_it(session: Session, shipped: LoraInfo, loras: Path) -> None:
    other = "sha256:" + "1" * 64
    document = named({"name": "glass-bells", "hash": other})
    with pytest.raises(LoraMissingError, match="'glass-bells'") as caught:
        digest(session, document)
    assert str(loras) in caught.value.fix


def test_a_file_put_into_the_users_folder_is_found_and_a_bad_one_beside_it_does_not_matter(
    session: Session, loras: Path
) -> None:
    found = Loras(session.loras)
    wanted = named({"name": "softer", "strength": 0.5}).fields.loras
    with pytest.raises(LoraMissingError):
        found.slots(wanted)
    softer(loras / "mine", "softer")
    (loras / "bad.safetensors").write_bytes(b"no")
    try:
        assert found.slots(wanted) == ("softer",)
    finally:
        session.loras.forget("softer")


def test_two_slots_with_the_same_content_add_up(session: Session, shipped: LoraInfo) -> None:
    both = named({"name": "a", "hash": shipped.hash, "strength": 0.25}, {"name": "glass-bells", "strength": 0.5})
    assert digest(session, both) == digest(session, named({"name": "glass-bells", "strength": 0.75}))


def test_another_lora_and_a_new_strength_are_heard_without_a_new_pass(session: Session) -> None:
    made = score(session)
    plain = Player(session, made).play([2 * RATE])
    player = Player(session, made, lora_1=0.5)
    player.play([RATE // 2])
    player.run.use(Preparer(session).prompts(named({"name": "glass-bells"}), made.course.frames, cover=True))
    player.run.point("lora_1", RATE // 2, 1.0)
    player.play([2 * RATE - RATE // 2])
    assert (player.audio[:, : RATE // 2] == plain[:, : RATE // 2]).all()
    assert player.audio.tobytes() != plain.tobytes()


def test_a_standby_made_with_other_loras_is_not_taken_for_it(session: Session) -> None:
    preparer = Preparer(session)

    def made(*names: str) -> Score:
        return score_of(preparer, named(*({"name": name} for name in names)), None)

    assert made("glass-bells").equals(made("glass-bells"))
    assert not made("glass-bells").equals(made("slow-tide"))
    assert not made("glass-bells", "slow-tide").equals(made("slow-tide", "glass-bells"))


def test_a_missing_lora_is_named_kept_and_found_later(connect: Connect, session: Session, loras: Path) -> None:
    peer = connect()
    learned(peer)
    before = bounced(peer, 2)
    changed = {"loras": [{"name": "softer", "of_a_newer_version": 3}]}
    assert peer.state(json.dumps(changed).encode())["t"] == "applied"
    health = peer.wait("health", lambda m: m["state"] == "failed")[0]
    assert health["code"] == "missing_lora"
    assert "'softer'" in health["text"]
    peer.begin(3, 0, VALUES)
    peer.block(3, 0, 512)
    assert peer.wait("pass", lambda m: m["pass"] == 3)[0]["code"] == "missing_lora"
    softer(loras, "softer")
    try:
        assert peer.state(b"{}")["t"] == "applied"
        assert not np.array_equal(bounced(peer, 4), before)
    finally:
        session.loras.forget("softer")


def test_a_missing_lora_ends_a_running_pass_and_the_document_is_kept(connect: Connect, loras: Path) -> None:
    peer = connect()
    learned(peer)
    peer.begin(2, 0, VALUES)
    peer.block(2, 0, 512)
    assert peer.wait("pass", lambda m: m["pass"] == 2)[0]["wet"]
    assert peer.state(b'{"loras":[{"name":"softer"}],"seed":77}')["t"] == "applied"
    assert peer.wait("health", lambda m: m["state"] == "failed")[0]["code"] == "missing_lora"
    assert peer.state(b'{"loras":null}')["t"] == "applied"
    bounced(peer, 3)
