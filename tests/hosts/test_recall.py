"""State saved in one host process sounds the same in another; damaged state is refused and changes nothing."""

import struct
import zlib

import numpy as np
import pytest
from bridge_rig import Result, Rig
from plugin_state import blob, document_of, vstpreset
from scenes import SONG, bounce, distance, document

HOSTS = ["minihost", "pedalboard", "dawdreamer"]


def listen(rig: Rig, host: str, state: str) -> np.ndarray:
    """Load a state in a fresh host process, bounce."""
    clock = [{"do": "set", "values": {"free_run": 1.0}}] if host == "pedalboard" else []
    return rig.job(host, [{"do": "load", "from": state}, *clock, bounce("again")]).audio("again.npy")


@pytest.fixture(scope="module")
def learned(rig: Rig) -> dict[str, Result]:
    """Learn the song, turn knobs, bounce, save: once in a CLAP host and once in a VST3 host."""
    results = {}
    for host, suffix in (("clap", "blob"), ("minihost", "vstpreset")):
        start = rig.state(host, f"{host}-recall", *document())
        knobs = {"denoise": 0.55, "mix": 0.8, "seed_offset": 3.0}
        steps = [
            {"do": "load", "from": start},
            bounce("learn"),
            {"do": "set", "values": knobs},
            bounce("first"),
            {"do": "save", "to": f"saved.{suffix}"},
            {"do": "set", "values": {"seed_offset": 4.0}},
            bounce("other"),
        ]
        results[host] = rig.job(host, steps)
    return results


@pytest.mark.clap
def test_the_first_bounce_is_wet_and_depends_on_a_knob(learned: dict[str, Result]) -> None:
    for result in learned.values():
        assert distance(result.audio("first.npy"), SONG) > 0.02
        assert distance(result.audio("first.npy"), result.audio("other.npy")) > 0.005


@pytest.mark.clap
def test_clap_state_gives_the_same_bounce_in_another_process(rig: Rig, learned: dict[str, Result]) -> None:
    saved = learned["clap"].folder / "saved.blob"
    assert listen(rig, "clap", str(saved)).tobytes() == learned["clap"].audio("first.npy").tobytes()


@pytest.mark.parametrize("host", HOSTS)
def test_a_preset_file_gives_the_same_bounce_in_another_host(rig: Rig, learned: dict[str, Result], host: str) -> None:
    saved = learned["minihost"].folder / "saved.vstpreset"
    assert listen(rig, host, str(saved)).tobytes() == learned["minihost"].audio("first.npy").tobytes()


@pytest.mark.clap
def test_a_saved_state_carries_its_learned_source(learned: dict[str, Result]) -> None:
    saved = document_of((learned["clap"].folder / "saved.blob").read_bytes())
    assert saved["learned"]["samples"] == SONG.shape[1]
    assert saved["learned"]["rate"] == 48000


def damaged(whole: bytes) -> dict[str, bytes]:
    """Blobs that must be refused, by what is wrong with them."""
    rng = np.random.default_rng(3)
    flipped = bytearray(whole)
    flipped[40] ^= 0x10
    huge = whole[:12] + struct.pack("<I", 0xFFFFFFF0) + whole[16:-4]
    version = whole[:8] + struct.pack("<I", 99) + whole[12:-4]
    broken = b"DEMONST1" + struct.pack("<II", 1, 5) + b'{"a":' + struct.pack("<I", 0)
    return {
        "empty": b"",
        "one byte": b"D",
        "head only": whole[:16],
        "half": whole[: len(whole) // 2],
        "last byte missing": whole[:-1],
        "one byte too many": whole + b"\0",
        "a flipped bit": bytes(flipped),
        "a document of 4 GiB": huge + struct.pack("<I", zlib.crc32(huge)),
        "an unknown version": version + struct.pack("<I", zlib.crc32(version)),
        "a document that is not JSON": broken + struct.pack("<I", zlib.crc32(broken)),
        "a wrong type": blob({"parameters": "loud"}),
        "noise": rng.bytes(4096),
    }


@pytest.mark.parametrize("host", ["clap", "minihost"])
def test_damaged_state_is_refused_and_the_old_state_stays(rig: Rig, learned: dict[str, Result], host: str) -> None:
    saved = learned[host].folder / ("saved.blob" if host == "clap" else "saved.vstpreset")
    whole = (learned["clap"].folder / "saved.blob").read_bytes()
    steps = [{"do": "load", "from": str(saved)}]
    for name, data in damaged(whole).items():
        path = rig.root / f"damaged-{host}-{name.replace(' ', '-')}"
        path.write_bytes(data if host == "clap" else vstpreset(data, rig.class_id))
        steps.append({"do": "load", "from": str(path)})
    steps += [{"do": "get", "keys": ["denoise", "mix", "seed_offset"]}, bounce("after")]
    result = rig.job(host, steps)
    values = result.step("get")["values"]
    assert values == pytest.approx({"denoise": 0.55, "mix": 0.8, "seed_offset": 3.0}, abs=1e-4)
    assert result.audio("after.npy").tobytes() == learned[host].audio("first.npy").tobytes()
    if host == "clap":
        answers = [step for step in result.steps if step["do"] == "load"][1:]
        assert all("refused" in answer for answer in answers), dict(zip(damaged(whole), answers, strict=True))
