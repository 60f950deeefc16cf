"""qtractor's session file: one audio track with a song, and a CLAP insert with its state and a lane."""

import base64
import struct
import xml.etree.ElementTree as ET
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

TICKS_PER_BEAT, TEMPO = 960, 120


def qtractor_state(data: bytes) -> str:
    """A CLAP state as qtractor keeps it: Qt's compression (length, then zlib), base64."""
    return base64.b64encode(struct.pack(">I", len(data)) + zlib.compress(data)).decode()


def state_of(session: Path) -> bytes:
    """The plugin's state in a saved session. Raises AssertionError when there is none."""
    found = ET.parse(session).getroot().find(".//plugin/configs/config[@key='state']")
    text = "" if found is None else found.text or ""
    assert text, f"{session} holds no plugin state"
    return zlib.decompress(base64.b64decode("".join(text.split()))[4:])


def curve(points: list[tuple[int, float]], rate: int) -> bytes:
    """A MIDI file whose controller 1 is the lane: (sample, share of the range in 1/127) pairs in ascending order."""
    ticks = [round(at * TICKS_PER_BEAT * TEMPO / 60 / rate) for at, _ in points]
    track = b""
    for before, tick, (_, share) in zip([0, *ticks], ticks, points, strict=False):
        track += _variable(tick - before) + bytes([0xB0, 1, round(share * 127)])
    track += b"\x00\xff\x2f\x00"
    head = b"MThd" + struct.pack(">IHHH", 6, 1, 1, TICKS_PER_BEAT)
    return head + b"MTrk" + struct.pack(">I", len(track)) + track


def _variable(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))


@dataclass(frozen=True)
class Insert:
    """A CLAP plugin on the track: `state` as it saves it, and a lane over the range of the `lane_index`th parameter."""

    path: Path
    state: bytes | None = None
    lane_index: int = 0
    lane: list[tuple[int, float]] = field(default_factory=list)


def write_session(folder: Path, name: str, song: NDArray[np.float32], rate: int, insert: Insert | None) -> Path:
    """`name`.qtr in `folder`: one audio track with the song and the insert, which is what the master bus plays."""
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / f"{name}.wav", song.T, rate, subtype="FLOAT")
    root = ET.Element("session", name=name, version="0.9.31")
    rows = {"directory": folder, "sample-rate": rate, "tempo": TEMPO, "ticks-per-beat": TICKS_PER_BEAT}
    _texts(ET.SubElement(root, "properties"), rows | {"beats-per-bar": 4, "beat-divisor": 2})
    engine = ET.SubElement(ET.SubElement(root, "devices"), "audio-engine")
    _texts(ET.SubElement(engine, "audio-control"), {"transport-mode": "duplex", "timebase": "no"})
    bus = ET.SubElement(engine, "audio-bus", name="Master", mode="duplex")
    _texts(bus, {"monitor": "no", "channels": 2, "auto-connect": "no"})
    track = ET.SubElement(ET.SubElement(root, "tracks"), "track", name="Music", type="audio")
    _texts(ET.SubElement(track, "properties"), {"input-bus": "Master", "output-bus": "Master"})
    _texts(ET.SubElement(track, "state"), {"monitor": "yes", "gain": 1, "panning": 0})
    clip = ET.SubElement(ET.SubElement(track, "clips"), "clip", name=name)
    place = _texts(ET.SubElement(clip, "properties"), {"start": 0, "offset": 0, "length": song.shape[1], "gain": 1})
    for fade in ("fade-in", "fade-out"):
        ET.SubElement(place, fade, type="Linear").text = "0"
    _texts(ET.SubElement(clip, "audio-clip"), {"filename": f"{name}.wav", "time-stretch": 1, "pitch-shift": 1})
    plugins = ET.SubElement(track, "plugins")
    if insert is not None:
        _plugin(plugins, insert, folder, name, rate)
    path = folder / f"{name}.qtr"
    path.write_bytes(b"<!DOCTYPE qtractorSession>\n" + ET.tostring(root))
    return path


def _plugin(plugins: ET.Element, insert: Insert, folder: Path, name: str, rate: int) -> None:
    plugin = ET.SubElement(plugins, "plugin", type="CLAP")
    _texts(plugin, {"filename": insert.path, "index": 0, "activated": "yes"})
    if insert.state is not None:
        config = ET.SubElement(ET.SubElement(plugin, "configs"), "config", key="state")
        config.text = qtractor_state(insert.state)
    if insert.lane:
        (folder / f"{name}-lane.mid").write_bytes(curve(insert.lane, rate))
        file = _texts(ET.SubElement(plugin, "curve-file"), {"filename": f"{name}-lane.mid"})
        items = ET.SubElement(file, "curve-items")
        item = ET.SubElement(items, "curve-item", name="lane", index=str(insert.lane_index), mode="Hold")
        _texts(item, {"type": "CONTROLLER", "channel": 0, "param": 1, "process": "yes", "capture": "no"})


def _texts(parent: ET.Element, rows: dict[str, object]) -> ET.Element:
    for key, value in rows.items():
        ET.SubElement(parent, key).text = str(value)
    return parent
