"""Golden byte vectors of the protocol, for both languages: `python -m sidecar.golden` writes plugin_bridge/golden/.

A vector changes only when the protocol does. The tests of both sides compare what they encode and decode with these.
"""

import json
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from sidecar import decoding
from sidecar import protocol as p
from sidecar.blob import encode_blob
from sidecar.document import Document
from sidecar.errors import MessageError
from sidecar.records import FREE, PUBLISH, RECORD, Begin, Flag, Kind, record

FOLDER: Final = Path(__file__).resolve().parent.parent / "plugin_bridge" / "golden"

INSTANCE: Final = "00112233445566778899aabbccddeeff"
OTHER: Final = "ffeeddccbbaa99887766554433221100"
TOKEN: Final = "0123456789abcdef0123456789abcdef"  # noqa: S105 - an example, no secret
HASH: Final = "sha256:" + "5a" * 32
ATTACHMENT: Final = bytes(range(64))
SOURCE: Final = {"hash": HASH, "name": "loop", "start_frame": 0, "rate": 44_100, "samples": 88_200, "scale": 0.5}


def document() -> Document:
    """A document that uses every key."""
    return Document(
        {
            "parameters": {"denoise": 0.5, "output_gain": -6.0, "seed_offset": 12.0, "lora_1": -0.5, "shift": 4.0},
            "prompts": {"a": "warm electronic loop", "b": "Regen auf Blech, f\u00fcnf Uhr"},
            "snapshots": [None, {"name": "Break", "a": "drum loop", "b": "pad chords"}],
            "song": {"key": "F# minor", "tempo": None, "metre": "3"},
            "seed": 2**64 - 1,
            "clock": {"tick_frames": 4, "depth": 2, "steps": 8, "lead_frames": 10},
            "look_ahead": 1.5,
            "learned": {**SOURCE, "start_frame": -10},
            "timbre": {**SOURCE, "name": "bells.wav"},
            "takes": [{**SOURCE, "slot": "B", "name": "take"}],
            "loras": [{"name": "glass-bells", "hash": HASH}, None, {"name": "rain", "hash": None}],
            "checkpoint": "demon-tiny-1",
            "engine": "0.1.0",
            "of_a_newer_version": {"kept": [1, 2, 3]},
        }
    )


def messages() -> dict[str, list[bytes]]:
    """One or more of every message, with values at the edges of their types."""
    doc = document().to_json()
    records = np.concatenate([row for row, _ in records_with_fields()])
    published = np.array([(-1, 0, 1), (46, 2**32 - 1, 2**24 - 1)], PUBLISH)
    freed = np.array([0, 7, 2**32 - 1], FREE)
    numbers = ("region_start", "frames", "playhead", "tick_frames", "ticks", "sustained", "lag", "late", "generation")
    nowhere: dict[str, Any] = {**dict.fromkeys(numbers, 0), "ticks": 0.0, "sustained": 0.0}
    nowhere |= {"device": "", "backend": "", "checkpoint": "", "missing": [], "lanes": []}
    hello: dict[str, Any] = {"id": 1, "protocol": 2, "token": TOKEN, "instance": INSTANCE, "version": "0.1.0"}
    last: dict[str, Any] = {"id": 2**64 - 1}
    return {
        "hello-plugin": p.encode(p.Hello(**hello, role="plugin", pid=4242, host="A host \u00fc")),
        "hello-control": p.encode(p.Hello(**{**hello, **last}, role="control", pid=2**32 - 1, host="")),
        "timeline": p.encode(p.TimelineFile(id=2, epoch=1, fd=17, bytes=96_000_000_000, rate=192_000)),
        "automation": p.encode(p.Automation(first=2**40, count=len(records)), records.tobytes()),
        "automation-empty": p.encode(p.Automation(first=0, count=0), b""),
        "state": p.encode(p.State(id=3, instance=INSTANCE, attachments=[HASH]), doc, ATTACHMENT),
        "state-patch": p.encode(p.State(id=4, instance=OTHER, attachments=[]), b'{"prompts":{"a":"pads"}}'),
        "watch-on": p.encode(p.Watch(id=6, instance=INSTANCE, on=True)),
        "watch-off": p.encode(p.Watch(id=2**64 - 1, instance=OTHER, on=False)),
        "act": p.encode(
            p.Act(id=7, instance=INSTANCE, verb="reference", attachments=["Glocken f\u00fcnf.wav"]),
            b'{"role":"timbre","name":"Glocken"}',
            ATTACHMENT,
        ),
        "act-plain": p.encode(p.Act(id=8, instance=OTHER, verb="drop_take", attachments=[]), b'{"slot":"A"}'),
        "free": p.encode(p.Free(count=len(freed)), freed.tobytes()),
        "ping": p.encode(p.Ping(time=2**63)),
        "instances": p.encode(p.Instances(id=5)),
        "bye": p.encode(p.Bye()),
        "welcome": p.encode(
            p.Welcome(id=1, protocol=2, version="0.1.0", pid=99, checkpoint="demon-tiny-1", heartbeat_ms=250)
        ),
        "accepted": p.encode(p.Accepted(id=127)),
        "applied": p.encode(p.Applied(id=128, version=65_536)),
        "failed": p.encode(
            p.Failed(id=0, code="bad_message", text="frame 0 is 70000 bytes.", fix="Keep frame 0 within 65536 bytes.")
        ),
        "pass-wet": p.encode(p.PassOpened(pass_=1, epoch=2, start=-19_200, end=748_800, wet=True, code="")),
        "pass-dry": p.encode(p.PassOpened(pass_=2**20 - 1, epoch=3, start=0, end=0, wet=False, code="no_source")),
        "publish": p.encode(p.Publish(epoch=1, pass_=1, version=300, count=len(published)), published.tobytes()),
        "captured": p.encode(p.Captured(count=2**32)),
        "document": p.encode(
            p.DocumentChanged(version=8, attachments=[HASH], values=["denoise", "mix"]), doc, ATTACHMENT
        ),
        "health-ready": p.encode(p.Health(state="ready", code="", text="", fix="", late_frames=0)),
        "health-late": p.encode(
            p.Health(
                state="late", code="late", text="Behind the playhead.", fix="Raise clock.tick_frames.", late_frames=40
            )
        ),
        "list": p.encode(
            p.InstanceList(
                id=5,
                instances=[
                    p.InstanceEntry(instance=INSTANCE, host="h", rate=48_000, state="ready", prompt_a="a", prompt_b=""),
                    p.InstanceEntry(
                        instance=OTHER,
                        host="",
                        rate=0,
                        state="failed",
                        prompt_a="",
                        prompt_b="b",
                        text="LoRA 'x' is not there.",
                        missing=[p.Missing("lora", "x", "Put its file there.")],
                        takes=[p.TakeInfo("A", HASH, "Take A", -10, 44_100, 88_200, 0.5)],
                        tick_frames=4,
                        ticks=6.5,
                        sustained=12.0,
                        lag=3,
                    ),
                ],
            )
        ),
        "scene": scene(),
        "scene-empty": p.encode(p.Scene(**nowhere), b"", b"", b"", b""),
        "pong": p.encode(p.Pong(time=2**63)),
    }


def scene() -> list[bytes]:
    """Three frames of a song that begins before 0, with two lanes and something missing."""
    head = p.Scene(
        region_start=-25,
        frames=3,
        playhead=-(2**40),
        tick_frames=4,
        ticks=6.25,
        sustained=12.5,
        lag=2**32 - 1,
        late=1,
        generation=2**32 - 1,
        device="cpu \u00fc",
        backend="compiled",
        checkpoint="demon-tiny-1",
        missing=[p.Missing(kind="lora", name="glass-bells", fix="Install it.")],
        lanes=["denoise", "lora_1"],
    )
    lanes = np.array([[0.0, 0.5, 1.0], [1.0, 1.0, 0.25]], "<f4")
    source = np.array([(-1, 1), (0, 0), (-128, 127)], "i1")
    return p.encode(head, bytes([0, 255, 1]), lanes.tobytes(), source.tobytes(), (-source[::-1] // 2).tobytes())


def records_with_fields() -> list[tuple[Any, dict[str, Any]]]:
    """One of every record, as an array of one element and as a JSON object."""
    rows = [
        record(Kind.PASS, pass_=1, song=-4_800, aux=Begin.PLAY, flags=Flag.OFFLINE),
        record(Kind.PASS, pass_=2, song=0, value=72_000.0, aux=Begin.LOOP, flags=Flag.FREE_RUN),
        record(Kind.POINT, parameter=1010, pass_=1, song=-4_800, value=0.75),
        record(Kind.RAMP, parameter=1003, pass_=1, song=2**40, value=-47.9990234375),
        record(Kind.BLOCK, pass_=1, song=-4_800, aux=512, flags=Flag.OFFLINE),
        record(Kind.CAPTURE, pass_=1, song=-4_800, value=2.0**53, aux=1024),
        record(Kind.CAPTURE, pass_=1, song=-4_800, value=2.0**53 - 1, aux=1024, flags=Flag.SIDE_CHAIN),
        record(Kind.STOP, pass_=2**32 - 1, song=96_000),
        record(Kind.TEMPO, pass_=1, song=0, value=127.99),
        record(Kind.LOST, pass_=1, song=5_000, aux=3),
        record(Kind.PLACE, song=-(2**40)),
        record(Kind.METRE, pass_=1, song=-96_000, value=7.0, aux=8),
    ]
    return [(row, dict(zip(RECORD.names or (), row[0].item(), strict=True))) for row in rows]


def decoded(frames: list[bytes]) -> Any:
    """A message as a JSON object."""
    try:
        message, _ = decoding.decode_peer(frames)
    except MessageError:
        message, _ = decoding.decode_sidecar(frames)
    return msgspec.to_builtins(message)


def vectors() -> dict[str, Any]:
    """The contents of the golden files, by file name."""
    doc, attachments = document(), {HASH: ATTACHMENT}
    return {
        "messages.json": [
            {"name": name, "frames": [frame.hex() for frame in frames], "message": decoded(frames)}
            for name, frames in messages().items()
        ],
        "records.json": [{"record": fields, "hex": row.tobytes().hex()} for row, fields in records_with_fields()],
        "state.json": {
            "document": json.loads(doc.to_json()),
            "attachments": [{"hash": name, "hex": data.hex()} for name, data in attachments.items()],
            "hex": encode_blob(doc.to_json(), attachments).hex(),
        },
    }


def main() -> None:
    """Write the golden files."""
    FOLDER.mkdir(exist_ok=True)
    for name, content in vectors().items():
        (FOLDER / name).write_text(json.dumps(content, indent=1, ensure_ascii=True) + "\n", "ascii")


if __name__ == "__main__":
    main()
