"""Ardour 7 without a screen: scan a bundle, make a session, put audio on its track, roll it, export it.

Every program runs in a home of its own. Ardour's import needs its GUI, so regions are written into the session file.
"""

import os
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from program import run

SCRIPTS = Path(__file__).resolve().parent / "ardour"
LIBRARY = Path("/usr/lib/ardour7")
TICKS = (
    282_240_000  # Ardour 7 counts audio time in superclock ticks: this many a second, a multiple of every sample rate
)
PROGRAM_LIMIT = 150.0
SETTINGS = {"ARDOUR_FPU_FLAGS": "15"}
"""SSE2, and denormals as zero: what every x86-64 has. With AVX-512 Ardour 7.3 writes up to 28 bytes past a buffer that
it mixes into and dies of its broken heap, whatever the plugin (docs/log.md, 2026-11-23)."""
EXPORT_PRESET = "6f6d3a44-5d7f-4c0e-9d6b-1c1d3a1f0002"  # in ardour/float.preset


def installed() -> bool:
    """Whether the two programs that this module runs are there (Debian: `ardour`)."""
    return shutil.which("ardour7-lua") is not None and (LIBRARY / "ardour-vst3-scanner").exists()


@dataclass
class Ardour:
    """One private home with one scanned VST3 bundle."""

    home: Path
    environment: dict[str, str]

    @property
    def world(self) -> dict[str, str]:
        """The environment of every program of Ardour's in this home."""
        return {**self.environment, **SETTINGS, "HOME": str(self.home)}

    def lua(self, script: str, *arguments: object) -> str:
        """What the script printed. Raises AssertionError when it failed or did not end in time."""
        return run(["ardour7-lua", str(SCRIPTS / script), *map(str, arguments)], self.world, PROGRAM_LIMIT)

    def install(self, bundle: Path) -> None:
        """Link the bundle into this home and scan it.

        Ardour leaves a plugin out without a word when its scan cache is not newer, in whole seconds, than the library.
        """
        folder = self.home / ".vst3"
        folder.mkdir(parents=True, exist_ok=True)
        link = folder / bundle.name
        link.symlink_to(bundle)
        newest = max(f.stat().st_mtime for f in bundle.rglob("*") if f.is_file())
        time.sleep(max(0.0, newest + 1.1 - time.time()))
        environment = {**self.world, "LD_LIBRARY_PATH": str(LIBRARY)}
        scanner = [str(LIBRARY / "ardour-vst3-scanner"), "-f", "-q", str(link)]
        subprocess.run(scanner, env=environment, timeout=PROGRAM_LIMIT, check=False, capture_output=True)

    def add_preset(self, vendor: str, plugin: str, label: str, data: bytes) -> None:
        """Put a `.vstpreset` where VST3 hosts look for the user's presets."""
        folder = self.home / ".vst3" / "presets" / vendor / plugin
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{label}.vstpreset").write_bytes(data)

    def export(self, session: Path, to: Path) -> NDArray[np.float32]:
        """The session's range, opened anew and bounced offline into the file `to`; `[channels, samples]`."""
        presets = self.home / ".config" / "ardour7" / "export"
        presets.mkdir(parents=True, exist_ok=True)
        shutil.copy(SCRIPTS / "float.preset", presets)
        self.lua("export.lua", session, session.name, to.parent, to.stem, EXPORT_PRESET)
        audio, _ = soundfile.read(to, dtype="float32", always_2d=True)
        return np.ascontiguousarray(audio.T)


class _Session:
    """The session file as XML, with its own running numbers."""

    def __init__(self, session: Path) -> None:
        self.file = session / f"{session.name}.ardour"
        self.tree = ET.parse(self.file)
        self.root = self.tree.getroot()
        self.last = int(self.root.get("id-counter", "0")) + 1000

    def number(self) -> str:
        self.last += 1
        return str(self.last)

    def part(self, name: str) -> ET.Element:
        found = self.root.find(name)
        assert found is not None, f"the session has no {name}"
        return found

    def write(self) -> None:
        self.root.set("id-counter", str(self.last + 1))
        self.tree.write(self.file)


# What a region is not, and what an untouched one is: Ardour refuses a region that lacks any of these.
_OFF = [
    *("muted", "locked", "video-locked", "position-locked", "import", "external", "sync-marked", "hidden"),
    *("left-of-split", "right-of-split", "valid-transients", "layering-index", "layer"),
    *("envelope-active", "fade-in-active", "fade-out-active"),
]
_ON = ["opaque", "scale-amplitude", "stretch", "shift", "default-fade-in", "default-fade-out"]
_NAMED = {"name": "music", "type": "audio", "first-edit": "nothing", "start": "a0", "sync-position": "a0"}
_NO_ANCESTOR = {"ancestral-start": "a0", "ancestral-length": "a0@a0"}


def _region(number: str, length: int, sources: list[str], whole: bool) -> dict[str, str]:
    attributes = {**dict.fromkeys(_OFF, "0"), **dict.fromkeys(_ON, "1"), **_NAMED, **_NO_ANCESTOR}
    attributes |= {"id": number, "length": f"a{length}@a0", "channels": str(len(sources))}
    attributes |= dict.fromkeys(("automatic", "whole-file"), str(int(whole)))
    for k, source in enumerate(sources):
        attributes |= {f"source-{k}": source, f"master-source-{k}": source}
    return attributes


def place_audio(session: Path, audio: NDArray[np.float32], rate: int) -> None:
    """Put `[2, samples]` at the start of the only audio track and make it the session's range."""
    file = _Session(session)
    folder = session / "interchange" / session.name / "audiofiles"
    folder.mkdir(parents=True, exist_ok=True)
    sources = []
    for k, channel in enumerate(audio):
        name = f"music-{k}.wav"
        soundfile.write(folder / name, channel, rate, subtype="FLOAT")
        sources.append(file.number())
        source = {"name": name, "take-id": "", "type": "audio", "flags": "", "id": sources[-1]}
        ET.SubElement(file.part("Sources"), "Source", {**source, "channel": "0", "origin": "", "gain": "1"})
    length = audio.shape[1] * TICKS // rate
    ET.SubElement(file.part("Regions"), "Region", _region(file.number(), length, sources, whole=True))
    playlist = next(p for p in file.part("Playlists") if p.get("type") == "audio")
    ET.SubElement(playlist, "Region", _region(file.number(), length, sources, whole=False))
    locations = file.part("Locations")
    for old in [entry for entry in locations if "IsSessionRange" in entry.get("flags", "")]:
        locations.remove(old)
    span = {"name": "session", "start": "a0", "end": f"a{length}", "flags": "IsSessionRange"}
    more = {"id": file.number(), "locked": "0", "timestamp": "0", "cue": "0"}
    ET.SubElement(locations, "Location", {**span, **more})
    file.write()


def environment_of(base: dict[str, str]) -> dict[str, str]:
    """The rig's environment without the Python path, which Ardour's programs do not need."""
    return {k: v for k, v in base.items() if k != "PYTHONPATH"} | {"LC_ALL": os.environ.get("LC_ALL", "C.UTF-8")}
